// SPDX-License-Identifier: Apache-2.0
// A kernel in memory that reacts: what is written to a rescan attribute, or asked by ioctl or CDB,
// changes what is read afterwards, as sd.c, loop.c and a target would. It is no simulation of I/O.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/host.h"
#include "core/identity.h"
#include "tests/fakes/fake_clock.h"

namespace volgrow {

class FakeMultipathd;

/// A file, or a device node seen as one. Who holds it keeps it after its name is gone.
struct FakeFile {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  Bytes size;
  mode_t mode = 0;
  std::string text;          ///< what read_file() gives
  std::string node_of;       ///< kernel name of the device it is a node of
  std::uint64_t number = 0;  ///< st_rdev of a character device
};

/// What every block device has. Fields may be set at any time: that is the world changing.
struct FakeDevice {
  FakeDevice() = default;
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;
  virtual ~FakeDevice() = default;

  std::string name;
  std::uint64_t number = 0;
  std::uint64_t diskseq = 0;
  Bytes size;                      ///< what the kernel shows
  std::optional<Bytes> node_size;  ///< BLKGETSIZE64, where it differs from sysfs
  bool hangs = false;              ///< commands to it last until their deadline
  Duration answers_in{};           ///< how long a command to it takes
  bool ignores_growth = false;     ///< a rescan or resize "succeeds" and changes nothing
  int growth_errno = 0;            ///< a rescan or resize fails with this
  bool read_only = false;          ///< ro
};

struct FakeLoop : FakeDevice {
  std::shared_ptr<FakeFile> backing;
  std::string backing_path;  ///< as sysfs shows it, without " (deleted)"
  Bytes offset;
  Bytes sizelimit;  ///< 0: none
};

/// A multipath map; its members are the slaves it is stacked on.
struct FakeMap : FakeDevice {
  std::string alias;  ///< dm/name
  std::string uuid;   ///< dm/uuid
  bool suspended = false;
};

struct FakeSense {
  std::uint8_t key = 0, asc = 0, ascq = 0;
};

/// One path to a SCSI volume, and the volume as its target shows it on this path.
struct FakePath : FakeDevice {
  std::string address;            ///< H:C:T:L
  std::string state = "running";  ///< device/state
  std::string host_state = "running";
  std::string access_state;  ///< ALUA; empty: the device has none
  std::string session_state = "LOGGED_IN";
  std::string port_state = "Online";
  bool answers = true;    ///< false: transport error for every command
  bool unmapped = false;  ///< 05/25/00: the target has no such LUN any more
  Bytes target_size;
  std::uint32_t block_length = 512;
  bool refuses_identification = false;  ///< 05/24/00 for INQUIRY page 83
  std::vector<Wwid> designators;        ///< of the logical unit, in the order VPD 83 lists them
  std::deque<FakeSense> sense;          ///< each fails one command, then is gone
};

// Every member has an initializer so that a test names only those it means.
struct LoopOptions {
  Bytes offset{};
  Bytes sizelimit{};
};

struct MapOptions {
  std::string alias = "mpatha";
  std::string wwid = "36001405a0102030405060708090a0b0c";
  Bytes size = Bytes(std::uint64_t{10} << 30);
};

struct DiskOptions {
  std::string address = "1:0:0:0";
  Bytes size = Bytes(std::uint64_t{10} << 30);
  std::optional<Bytes> target_size{};  ///< as `size` unless given
  std::optional<Wwid> wwid{};          ///< naa made from the LUN unless given
  std::string transport{};             ///< "" (local), "iscsi", "iser" or "fc"
  std::string portal = "10.0.0.1";     ///< address of an iSCSI portal
  std::string target_name = "iqn.2026-01.org.volgrow:target";
  std::string port = "3260";             ///< of the iSCSI portal
  std::optional<std::string> session{};  ///< its number; that of the host unless given
  /// Where the session is connected to when the target redirected it; address and port.
  std::optional<std::pair<std::string, std::string>> connected_to{};
  std::string target_port = "500a098100000001";     ///< WWN of the storage's FC port
  std::string initiator_port = "21000024ff000001";  ///< WWN of ours
  bool virtual_port = false;                        ///< ours is one of NPIV, below another fc_host
};

class FakeKernel : public Host {
 public:
  /// What an attribute shows now; nullopt: it is not there.
  using Reader = std::function<std::optional<std::string>()>;
  using Writer = std::function<Result<void>(std::string_view)>;
  using Control = std::function<Result<int>(unsigned long request, void* argument)>;

  FakeKernel();
  ~FakeKernel() override;

  // Building the world. Names are unique; references stay valid until remove_device().
  FakeFile& add_file(const std::string& path, Bytes size);
  FakeFile& add_text_file(const std::string& path, std::string text);
  void add_symlink(const std::string& path, const std::string& target);
  void add_directory(const std::string& path);
  /// Attaches `name` to the file, which is made with `size` when it is not there yet.
  FakeLoop& add_loop(const std::string& name, const std::string& file, Bytes size,
                     LoopOptions options = {});
  FakePath& add_disk(const std::string& name, DiskOptions options = {});
  /// A map over these paths, known to multipathd as it is.
  FakeMap& add_map(const std::string& name, const std::vector<std::string>& members,
                   MapOptions options = {});
  /// A block device no driver here knows: a partition, a dm map …
  FakeDevice& add_block(const std::string& name, Bytes size);
  /// `holder` is made of `device`: holders/ and slaves/ of the two.
  void stack_on(const std::string& holder, const std::string& device);
  void unstack(const std::string& holder, const std::string& device);
  void set_attribute(const std::string& path, std::string text);
  void add_attribute(const std::string& path, Reader reader);
  void add_writer(const std::string& path, Writer writer);
  /// A character device that answers ioctls.
  void add_node(const std::string& path, std::uint64_t number, Control control);
  void remove_attribute(const std::string& path);
  void add_link(const std::string& path, const std::string& target);

  // Changing it.
  FakeLoop& loop(const std::string& name);
  FakePath& path(const std::string& name);
  FakeMap& map(const std::string& name);
  std::vector<FakeMap*> maps();
  std::vector<FakePath*> paths();
  FakeDevice& device(const std::string& name);
  FakeFile& file(const std::string& path);
  /// The name is gone; a loop device attached to the file keeps it and shows " (deleted)".
  void remove_file(const std::string& path);
  /// Another file now has this name; who held the old one keeps it and shows " (deleted)".
  FakeFile& replace_file(const std::string& path, Bytes size);
  /// As replace_file(), but by a mount on top: loop devices do not show that anything happened.
  FakeFile& cover_file(const std::string& path, Bytes size);
  void remove_device(const std::string& name);
  /// Another device gets the name and number of this one, as after detach and attach.
  void reuse_name(const std::string& name);

  // Scripts: run once, at that moment, and may change anything, also remove the device.
  /// Before the `count`-th question (from now on) for size or status of `device` is answered.
  void when_probed(const std::string& device, int count, std::function<void()> action);
  void before_growth(const std::string& device, std::function<void()> action);
  void after_growth(const std::string& device, std::function<void()> action);

  /// How every request to grow goes: it is noted as `change`, the scripts run, and the device is as
  /// slow, deaf or broken as its fields say.
  Result<void> growing(FakeDevice& device, std::string change,
                       const std::function<void()>& take_over);
  void note_change(std::string change) { changes_.push_back(std::move(change)); }
  void note_question(std::string question) { questions_.push_back(std::move(question)); }

  /// Everything that was asked to change something: "write block/sda/device/rescan 1",
  /// "LOOP_SET_CAPACITY loop0", "multipathd resize map mpatha".
  const std::vector<std::string>& changes() const { return changes_; }
  /// Every question put to a target or daemon: "READ CAPACITY(16) sda", "LOOP_GET_STATUS64 loop0",
  /// "multipathd show daemon".
  const std::vector<std::string>& questions() const { return questions_; }
  FakeClock& fake_clock() { return clock_; }
  FakeMultipathd& multipathd() { return *multipathd_; }

  Result<std::string> read(std::string_view attribute) const override;
  Result<void> write(std::string_view attribute, std::string_view text) override;
  Result<std::vector<std::string>> list(std::string_view directory) const override;
  Result<std::string> canonical_sysfs(std::string_view path) const override;
  Result<FileStatus> status(std::string_view path) const override;
  Result<std::string> canonical(std::string_view path) const override;
  Result<std::unique_ptr<OpenNode>> open(std::string_view path, Access access) override;
  Result<std::string> read_file(std::string_view path) const override;
  Result<ScsiSender> scsi(std::string_view device, Deadline deadline) override;
  Result<std::string> multipathd(std::string_view command, Deadline deadline) override;
  const Clock& clock() const override { return clock_; }

 private:
  class DeviceNode;
  class FileNode;
  class ControlNode;
  struct ProbeScript {
    std::string device;
    int questions_left = 0;
    std::function<void()> action;
  };
  using Scripts = std::map<std::string, std::function<void()>>;

  void publish(std::unique_ptr<FakeDevice> device, const std::string& home);
  void publish_loop(FakeLoop& loop);
  void publish_map(FakeMap& map);
  void publish_lun(FakePath& path, const std::string& lun);
  std::string publish_transport(FakePath& path, const DiskOptions& options);
  std::string publish_session(FakePath& path, const std::string& host, const DiskOptions& options);
  std::string publish_port(FakePath& path, const std::string& host, const DiskOptions& options);
  /// A link `from` → `to`, and everything above both.
  void class_entry(const std::string& from, const std::string& to);
  std::optional<std::string> resolved(std::string_view path) const;
  bool exists(const std::string& canonical) const;

  void asked(const std::string& device, std::string question, bool about_size);
  static void run_once(Scripts& scripts, const std::string& device);
  Result<int> control(FakeDevice& device, unsigned long request, void* argument);
  Result<int> loop_status(const FakeLoop& loop, void* argument);
  void rescan(FakePath& path);
  Bytes window_of(const FakeLoop& loop) const;
  Bytes backing_size(const FakeLoop& loop) const;
  Result<ScsiAnswer> send(std::string_view device, std::span<const std::uint8_t> cdb,
                          std::size_t reply_size, Deadline deadline);
  Result<ScsiAnswer> answer(FakePath& path, std::span<const std::uint8_t> cdb) const;
  std::shared_ptr<FakeFile> new_file(Bytes size, mode_t mode);
  std::string real_path(std::string_view path) const;
  FileStatus status_of(const FakeFile& file) const;

  FakeClock clock_;
  std::unique_ptr<FakeMultipathd> multipathd_;
  std::map<std::string, std::unique_ptr<FakeDevice>> devices_;
  std::map<std::string, Reader> attributes_;  ///< by canonical sysfs path
  std::map<std::string, std::string> links_;  ///< sysfs link → canonical path
  std::set<std::string> directories_;         ///< of sysfs, those that may be empty
  std::map<std::string, std::string> homes_;  ///< kernel name → its canonical sysfs directory
  std::map<std::string, Writer> writers_;
  std::map<std::string, Control> controls_;  ///< by path of the node
  std::map<std::string, std::shared_ptr<FakeFile>> files_;
  std::map<std::string, std::string> symlinks_;
  std::set<std::string> covered_;  ///< hidden by a mount: no " (deleted)"
  std::vector<ProbeScript> probe_scripts_;
  Scripts before_growth_;
  Scripts after_growth_;
  std::vector<std::string> changes_;
  std::vector<std::string> questions_;
  std::uint64_t next_inode_ = 100;
  std::uint64_t next_diskseq_ = 1;
  std::uint32_t next_minor_ = 0;
};

/// The bytes a VPD page 0x83 has for these designators of the logical unit.
std::string device_identification_page(const std::vector<Wwid>& designators);

}  // namespace volgrow
