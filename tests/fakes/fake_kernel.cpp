// SPDX-License-Identifier: Apache-2.0
// The reacting kernel: a sysfs of functions, device nodes with ioctls, targets that answer CDBs.
#include "tests/fakes/fake_kernel.h"

#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/fakes/fake_multipathd.h"

namespace volgrow {
namespace {

constexpr std::uint64_t root_filesystem = 0xfe00;  // 254:0
constexpr std::uint64_t devtmpfs = 0x0005;         // 0:5

std::unexpected<Error> absent(std::string_view what) {
  auto error = Error{ErrorCode::no_such_device, fmt::format("{} is not there", what), "", ENOENT};
  return std::unexpected(std::move(error));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string node_path(std::string name) {
  std::ranges::replace(name, '!', '/');
  return "/dev/" + name;
}

std::string number_text(std::uint64_t number) {
  return fmt::format("{}:{}", major(number), minor(number));
}

void put_be(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::string fixed_sense(FakeSense sense) {
  std::string bytes(18, '\0');
  bytes[0] = 0x70;
  bytes[2] = static_cast<char>(sense.key);
  bytes[7] = 10;
  bytes[12] = static_cast<char>(sense.asc);
  bytes[13] = static_cast<char>(sense.ascq);
  return bytes;
}

ScsiAnswer check_condition(FakeSense sense) {
  return {2, "", fixed_sense(sense)};
}

std::string read_capacity_16(const FakePath& path) {
  std::string reply;
  put_be(reply, path.target_size.count() / path.block_length - 1, 8);
  put_be(reply, path.block_length, 4);
  reply.resize(32);
  return reply;
}

std::string question_name(std::span<const std::uint8_t> cdb) {
  if (cdb[0] == 0x9e) return "READ CAPACITY(16)";
  if (cdb[0] == 0x12) return fmt::format("INQUIRY {:02x}", cdb[2]);
  return fmt::format("CDB {:02x}", cdb[0]);
}

/// The designator's code set and type (SPC-4 7.8.6): binary, or ASCII for T10.
std::pair<char, char> designator_head(WwidType type) {
  if (type == WwidType::t10) return {0x02, 0x01};
  return {0x01, type == WwidType::eui ? 0x02 : 0x03};
}

}  // namespace

std::string device_identification_page(const std::vector<Wwid>& designators) {
  // Every real target also names its port: association 1, which is not the volume.
  std::string list = {0x61, static_cast<char>(0x94), 0, 4, 0, 0, 0, 1};
  for (const auto& wwid : designators) {
    const auto [code_set, type] = designator_head(wwid.type);
    const auto bytes = from_hex(wwid.hex);
    list += {code_set, type, 0, static_cast<char>(bytes.size())};
    list += bytes;
  }
  std::string page = {0, static_cast<char>(0x83)};
  put_be(page, list.size(), 2);
  return page + list;
}

class FakeKernel::DeviceNode final : public OpenNode {
 public:
  DeviceNode(FakeKernel& kernel, std::string path, const FakeDevice& device)
      : kernel_(kernel), path_(std::move(path)), name_(device.name), diskseq_(device.diskseq) {}

  Result<int> control(unsigned long request, void* argument) override {
    const auto found = kernel_.devices_.find(name_);
    if (found == kernel_.devices_.end() || found->second->diskseq != diskseq_)
      return system_failure(ENXIO, "ioctl " + name_, name_);
    return kernel_.control(*found->second, request, argument);
  }
  Result<FileStatus> status() override { return kernel_.status(path_); }

 private:
  FakeKernel& kernel_;
  std::string path_, name_;
  std::uint64_t diskseq_;
};

class FakeKernel::FileNode final : public OpenNode {
 public:
  FileNode(FakeKernel& kernel, std::string path, std::shared_ptr<FakeFile> file)
      : kernel_(kernel), path_(std::move(path)), file_(std::move(file)) {}

  Result<int> control(unsigned long, void*) override {
    return system_failure(ENOTTY, "ioctl " + path_);
  }
  Result<FileStatus> status() override {
    kernel_.asked(path_, "fstat", true);
    return kernel_.status_of(*file_);
  }

 private:
  FakeKernel& kernel_;
  std::string path_;
  std::shared_ptr<FakeFile> file_;
};

class FakeKernel::ControlNode final : public OpenNode {
 public:
  ControlNode(FakeKernel& kernel, std::string path) : kernel_(kernel), path_(std::move(path)) {}

  Result<int> control(unsigned long request, void* argument) override {
    const auto found = kernel_.controls_.find(path_);
    if (found == kernel_.controls_.end()) return system_failure(ENODEV, "ioctl " + path_);
    return found->second(request, argument);
  }
  Result<FileStatus> status() override { return kernel_.status(path_); }

 private:
  FakeKernel& kernel_;
  std::string path_;
};

FakeKernel::FakeKernel() : multipathd_(std::make_unique<FakeMultipathd>(*this)) {
  directories_ = {"block", "class/block", "dev/block", "class/scsi_host"};
}
FakeKernel::~FakeKernel() = default;

// ---- files -------------------------------------------------------------------------------------

std::shared_ptr<FakeFile> FakeKernel::new_file(Bytes size, mode_t mode) {
  auto file = std::make_shared<FakeFile>();
  file->device = S_ISBLK(mode) ? devtmpfs : root_filesystem;
  file->inode = next_inode_++;
  file->size = size;
  file->mode = mode;
  return file;
}

FakeFile& FakeKernel::add_file(const std::string& path, Bytes size) {
  return *(files_[path] = new_file(size, S_IFREG | 0600));
}

FakeFile& FakeKernel::add_text_file(const std::string& path, std::string text) {
  auto& file = add_file(path, Bytes(text.size()));
  file.text = std::move(text);
  return file;
}

void FakeKernel::add_directory(const std::string& path) {
  files_[path] = new_file(Bytes(4096), S_IFDIR | 0755);
}

void FakeKernel::add_symlink(const std::string& path, const std::string& target) {
  files_[path] = new_file(Bytes(target.size()), S_IFLNK | 0777);
  symlinks_[path] = target;
}

FakeFile& FakeKernel::file(const std::string& path) {
  return *files_.at(path);
}

void FakeKernel::remove_file(const std::string& path) {
  files_.erase(path);
  symlinks_.erase(path);
}

FakeFile& FakeKernel::replace_file(const std::string& path, Bytes size) {
  remove_file(path);
  return add_file(path, size);
}

FakeFile& FakeKernel::cover_file(const std::string& path, Bytes size) {
  covered_.insert(path);
  return replace_file(path, size);
}

FileStatus FakeKernel::status_of(const FakeFile& file) const {
  const auto node = devices_.find(file.node_of);
  const auto number = node == devices_.end() ? file.number : node->second->number;
  return {file.device, file.inode, file.size, number, file.mode};
}

Result<FileStatus> FakeKernel::status(std::string_view path) const {
  auto found = files_.find(real_path(parent_of(std::string(path))) +
                           std::string(path.substr(path.rfind('/'))));
  if (found == files_.end()) return absent(path);
  return status_of(*found->second);
}

std::string FakeKernel::real_path(std::string_view path) const {
  std::string real;
  for (const auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      real = parent_of(real);
      continue;
    }
    real += "/" + part;
    if (const auto link = symlinks_.find(real); link != symlinks_.end()) {
      const bool absolute = link->second.starts_with('/');
      real = real_path(absolute ? link->second : parent_of(real) + "/" + link->second);
    }
  }
  return real;
}

Result<std::string> FakeKernel::canonical(std::string_view path) const {
  auto real = real_path(path);
  const auto inside = files_.lower_bound(real + "/");
  const bool is_directory = inside != files_.end() && inside->first.starts_with(real + "/");
  if (!files_.contains(real) && !is_directory) return absent(path);
  return real;
}

Result<std::unique_ptr<OpenNode>> FakeKernel::open(std::string_view path, Access) {
  auto seen = status(path);
  if (!seen) return std::unexpected(std::move(seen.error()));
  if (S_ISLNK(seen->mode)) return system_failure(ELOOP, fmt::format("open {}", path));
  const auto real = real_path(path);
  if (S_ISCHR(seen->mode)) return std::make_unique<ControlNode>(*this, real);
  if (!S_ISBLK(seen->mode)) return std::make_unique<FileNode>(*this, real, files_.at(real));
  const auto device = devices_.find(files_.at(real)->node_of);
  if (device == devices_.end()) return absent(path);
  return std::make_unique<DeviceNode>(*this, real, *device->second);
}

Result<std::string> FakeKernel::read_file(std::string_view path) const {
  const auto found = files_.find(std::string(path));
  if (found == files_.end()) return absent(path);
  return found->second->text;
}

// ---- sysfs -------------------------------------------------------------------------------------

std::optional<std::string> FakeKernel::resolved(std::string_view path) const {
  std::string real;
  if (path.starts_with('/')) return std::nullopt;
  for (const auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (real.empty()) return std::nullopt;
      real = real.contains('/') ? parent_of(real) : "";
      continue;
    }
    real += real.empty() ? part : "/" + part;
    if (const auto link = links_.find(real); link != links_.end()) real = link->second;
  }
  return real;
}

bool FakeKernel::exists(const std::string& canonical) const {
  const auto inside = canonical + "/";
  const auto holds = [&](const auto& map) {
    const auto first = map.lower_bound(inside);
    return first != map.end() && first->first.starts_with(inside);
  };
  const auto folder = directories_.lower_bound(inside);
  const bool holds_folder = folder != directories_.end() && folder->starts_with(inside);
  return holds_folder || directories_.contains(canonical) || attributes_.contains(canonical) ||
         holds(attributes_) || holds(links_);
}

Result<std::string> FakeKernel::canonical_sysfs(std::string_view path) const {
  auto real = resolved(path);
  if (!real || !exists(*real)) return absent(path);
  return *real;
}

Result<std::string> FakeKernel::read(std::string_view attribute) const {
  const auto real = resolved(attribute);
  const auto found = real ? attributes_.find(*real) : attributes_.end();
  if (found == attributes_.end()) return absent(attribute);
  auto text = found->second();
  if (!text) return absent(attribute);
  return *text;
}

Result<void> FakeKernel::write(std::string_view attribute, std::string_view text) {
  const auto real = resolved(attribute);
  const auto found = real ? writers_.find(*real) : writers_.end();
  if (found == writers_.end()) return absent(attribute);
  return found->second(text);
}

Result<std::vector<std::string>> FakeKernel::list(std::string_view directory) const {
  const auto real = resolved(directory);
  if (!real || !exists(*real) || attributes_.contains(*real)) return absent(directory);
  std::set<std::string> names;
  const auto prefix = *real + "/";
  const auto note = [&](const std::string& path) {
    const auto rest = std::string_view(path).substr(prefix.size());
    names.emplace(rest.substr(0, rest.find('/')));
  };
  const auto inside = [&](const std::string& path) { return path.starts_with(prefix); };
  for (auto at = attributes_.lower_bound(prefix); at != attributes_.end() && inside(at->first);
       ++at)
    if (at->second()) note(at->first);
  for (auto at = links_.lower_bound(prefix); at != links_.end() && inside(at->first); ++at)
    note(at->first);
  for (auto at = directories_.lower_bound(prefix); at != directories_.end() && inside(*at); ++at)
    note(*at);
  return std::vector<std::string>(names.begin(), names.end());
}

void FakeKernel::set_attribute(const std::string& path, std::string text) {
  attributes_[resolved(path).value_or(path)] = [text = std::move(text)] { return text; };
}

void FakeKernel::add_attribute(const std::string& path, Reader reader) {
  attributes_[resolved(path).value_or(path)] = std::move(reader);
}

void FakeKernel::add_writer(const std::string& path, Writer writer) {
  writers_[resolved(path).value_or(path)] = std::move(writer);
}

void FakeKernel::add_node(const std::string& path, std::uint64_t number, Control control) {
  auto node = new_file(Bytes(), S_IFCHR | 0600);
  node->number = number;
  files_[path] = std::move(node);
  controls_[path] = std::move(control);
}

void FakeKernel::remove_attribute(const std::string& path) {
  attributes_.erase(resolved(path).value_or(path));
}

void FakeKernel::add_link(const std::string& path, const std::string& target) {
  const auto end = path.rfind('/');
  const auto folder = resolved(path.substr(0, end)).value_or(path.substr(0, end));
  links_[folder + path.substr(end)] = resolved(target).value_or(target);
}

// ---- devices -----------------------------------------------------------------------------------

void FakeKernel::publish(std::unique_ptr<FakeDevice> owned, const std::string& home) {
  auto* device = owned.get();
  const auto& name = device->name;
  device->diskseq = next_diskseq_++;
  attributes_[home + "/size"] = [device] { return std::to_string(device->size.count() / 512); };
  attributes_[home + "/dev"] = [device] { return number_text(device->number); };
  attributes_[home + "/diskseq"] = [device] { return std::to_string(device->diskseq); };
  attributes_[home + "/uevent"] = [device] {
    return fmt::format("MAJOR={}\nMINOR={}\nDEVNAME={}\nDEVTYPE=disk", major(device->number),
                       minor(device->number), node_path(device->name).substr(5));
  };
  attributes_[home + "/ro"] = [device] { return device->read_only ? "1" : "0"; };
  directories_.insert({home + "/holders", home + "/slaves"});
  links_["block/" + name] = links_["class/block/" + name] = home;
  links_["dev/block/" + number_text(device->number)] = home;
  homes_[name] = home;
  auto node = new_file(Bytes(), S_IFBLK | 0660);
  node->node_of = name;
  files_[node_path(name)] = std::move(node);
  devices_[name] = std::move(owned);
}

FakeDevice& FakeKernel::device(const std::string& name) {
  return *devices_.at(name);
}

FakeLoop& FakeKernel::loop(const std::string& name) {
  return dynamic_cast<FakeLoop&>(device(name));
}

FakePath& FakeKernel::path(const std::string& name) {
  return dynamic_cast<FakePath&>(device(name));
}

FakeMap& FakeKernel::map(const std::string& name) {
  return dynamic_cast<FakeMap&>(device(name));
}

namespace {

template <class Kind, class Devices>
std::vector<Kind*> all_of_kind(const Devices& devices) {
  std::vector<Kind*> found;
  for (const auto& [name, device] : devices)
    if (auto* one = dynamic_cast<Kind*>(device.get())) found.push_back(one);
  return found;
}

}  // namespace

std::vector<FakeMap*> FakeKernel::maps() {
  return all_of_kind<FakeMap>(devices_);
}

std::vector<FakePath*> FakeKernel::paths() {
  return all_of_kind<FakePath>(devices_);
}

FakeDevice& FakeKernel::add_block(const std::string& name, Bytes size) {
  auto block = std::make_unique<FakeDevice>();
  block->name = name;
  block->number = makedev(253, next_minor_++);
  block->size = size;
  publish(std::move(block), "devices/virtual/block/" + name);
  return device(name);
}

FakeMap& FakeKernel::add_map(const std::string& name, const std::vector<std::string>& members,
                             MapOptions options) {
  auto made = std::make_unique<FakeMap>();
  made->name = name;
  made->number = makedev(253, next_minor_++);
  made->size = options.size;
  made->alias = std::move(options.alias);
  made->uuid = "mpath-" + options.wwid;
  auto& map = *made;
  publish(std::move(made), "devices/virtual/block/" + name);
  publish_map(map);
  for (const auto& member : members)
    stack_on(name, member);
  return map;
}

void FakeKernel::publish_map(FakeMap& map) {
  const auto folder = homes_.at(map.name) + "/dm/";
  attributes_[folder + "name"] = [&map] { return map.alias; };
  attributes_[folder + "uuid"] = [&map] { return map.uuid; };
  attributes_[folder + "suspended"] = [&map] { return map.suspended ? "1" : "0"; };
}

FakeLoop& FakeKernel::add_loop(const std::string& name, const std::string& file, Bytes size,
                               LoopOptions options) {
  if (!files_.contains(file)) add_file(file, size);
  auto made = std::make_unique<FakeLoop>();
  made->name = name;
  made->number = makedev(7, next_minor_++);
  made->backing = files_.at(file);
  made->backing_path = file;
  made->offset = options.offset;
  made->sizelimit = options.sizelimit;
  made->size = window_of(*made);
  auto& loop = *made;
  publish(std::move(made), "devices/virtual/block/" + name);
  publish_loop(loop);
  return loop;
}

void FakeKernel::publish_loop(FakeLoop& loop) {
  const auto folder = homes_.at(loop.name) + "/loop/";
  attributes_[folder + "backing_file"] = [this, &loop] {
    const auto named = files_.find(loop.backing_path);
    const bool there = named != files_.end() && named->second == loop.backing;
    const bool looks_right = there || covered_.contains(loop.backing_path);
    return loop.backing_path + (looks_right ? "" : " (deleted)");
  };
  attributes_[folder + "offset"] = [&loop] { return std::to_string(loop.offset.count()); };
  attributes_[folder + "sizelimit"] = [&loop] { return std::to_string(loop.sizelimit.count()); };
}

FakePath& FakeKernel::add_disk(const std::string& name, DiskOptions options) {
  auto made = std::make_unique<FakePath>();
  made->name = name;
  made->number = makedev(8, 16 * next_minor_++);
  made->address = options.address;
  made->size = options.size;
  made->target_size = options.target_size.value_or(options.size);
  const auto lun = split(options.address, ':').back();
  const auto serial = fmt::format("6001405{:0>25}", lun);
  made->designators = {options.wwid.value_or(Wwid{WwidType::naa, serial})};
  auto& path = *made;
  const auto lun_folder =
      fmt::format("{}/target{}/{}", publish_transport(path, options),
                  path.address.substr(0, path.address.rfind(':')), path.address);
  publish(std::move(made), lun_folder + "/block/" + name);
  publish_lun(path, lun_folder);
  return path;
}

void FakeKernel::class_entry(const std::string& from, const std::string& to) {
  links_[from] = to;
  directories_.insert(to);
}

/// Returns the folder the SCSI target is in; its name is how sysfs tells transports apart.
std::string FakeKernel::publish_transport(FakePath& path, const DiskOptions& options) {
  const auto name = "host" + split(path.address, ':').front();
  const bool virtual_host = options.transport == "iscsi" || options.transport == "iser";
  const std::string adapter =
      virtual_host ? "devices/platform/" : "devices/pci0000:00/0000:00:05.0/";
  const auto host = adapter + (options.virtual_port ? "host90/vport-90:0-0/" : "") + name;
  class_entry("class/scsi_host/" + name, host + "/scsi_host/" + name);
  attributes_[host + "/scsi_host/" + name + "/state"] = [&path] { return path.host_state; };
  const auto driver = options.transport == "iser" ? "iscsi_iser" : "iscsi_tcp";
  attributes_[host + "/scsi_host/" + name + "/proc_name"] = [driver, virtual_host] {
    return virtual_host ? driver : "virtio_scsi";
  };
  if (virtual_host) return publish_session(path, host, options);
  if (options.transport == "fc") return publish_port(path, host, options);
  return host;
}

std::string FakeKernel::publish_session(FakePath& path, const std::string& host,
                                        const DiskOptions& options) {
  const auto number = options.session.value_or(split(path.address, ':').front());
  const auto session = "session" + number;
  const auto connection = fmt::format("connection{}:0", number);
  const auto folder = host + "/" + session;
  const auto about = folder + "/iscsi_session/" + session;
  class_entry("class/iscsi_session/" + session, about);
  // The session outlives its disks: this one may be gone while another is asked for.
  attributes_[about + "/state"] = [this, name = path.name] {
    const auto disk = devices_.find(name);
    const bool gone = disk == devices_.end();
    return gone ? "LOGGED_IN" : dynamic_cast<FakePath&>(*disk->second).session_state;
  };
  attributes_[about + "/targetname"] = [name = options.target_name] { return name; };
  links_[about + "/device"] = folder;
  const auto wire = folder + "/" + connection + "/iscsi_connection/" + connection;
  class_entry("class/iscsi_connection/" + connection, wire);
  attributes_[wire + "/persistent_address"] = [portal = options.portal] { return portal; };
  attributes_[wire + "/persistent_port"] = [port = options.port] { return port; };
  const auto now = options.connected_to.value_or(std::pair(options.portal, options.port));
  attributes_[wire + "/address"] = [address = now.first] { return address; };
  attributes_[wire + "/port"] = [port = now.second] { return port; };
  return folder;
}

std::string FakeKernel::publish_port(FakePath& path, const std::string& host,
                                     const DiskOptions& options) {
  const auto address = split(path.address, ':');
  const auto fc_host = "host" + address[0];
  const auto ours = host + "/fc_host/" + fc_host;
  class_entry("class/fc_host/" + fc_host, ours);
  attributes_[ours + "/port_name"] = [name = options.initiator_port] { return "0x" + name; };
  const auto port = fmt::format("rport-{}:{}-{}", address[0], address[1], address[2]);
  const auto folder = host + "/" + port;
  const auto about = folder + "/fc_remote_ports/" + port;
  class_entry("class/fc_remote_ports/" + port, about);
  links_[about + "/device"] = folder;
  // The port outlives its disks: this one may be gone while another is asked for.
  attributes_[about + "/port_state"] = [this, name = path.name] {
    const auto disk = devices_.find(name);
    const bool gone = disk == devices_.end();
    return gone ? "Online" : dynamic_cast<FakePath&>(*disk->second).port_state;
  };
  attributes_[about + "/port_name"] = [name = options.target_port] { return "0x" + name; };
  return folder;
}

void FakeKernel::publish_lun(FakePath& path, const std::string& lun) {
  const auto minor_number = minor(path.number) / 16;
  links_[homes_.at(path.name) + "/device"] = lun;
  class_entry(lun + "/subsystem", "bus/scsi");
  directories_.insert(lun + "/scsi_disk/" + path.address);
  attributes_[lun + "/type"] = [] { return "0"; };
  attributes_[lun + "/state"] = [&path] { return path.state; };
  attributes_[lun + "/access_state"] = [&path] {
    return path.access_state.empty() ? std::nullopt : std::optional(path.access_state);
  };
  attributes_[lun + fmt::format("/scsi_generic/sg{}/dev", minor_number)] = [minor_number] {
    return fmt::format("21:{}", minor_number);
  };
  // The kernel read this once, when the device appeared: it is not what the target says today.
  attributes_[lun + "/wwid"] = [wwid = path.designators.front()] { return to_string(wwid); };
  writers_[lun + "/rescan"] = [this, &path](std::string_view text) {
    const auto change = fmt::format("write block/{}/device/rescan {}", path.name, text);
    return growing(path, change, [this, &path] { rescan(path); });
  };
}

void FakeKernel::stack_on(const std::string& holder, const std::string& device) {
  links_[homes_.at(device) + "/holders/" + holder] = homes_.at(holder);
  links_[homes_.at(holder) + "/slaves/" + device] = homes_.at(device);
}

void FakeKernel::unstack(const std::string& holder, const std::string& device) {
  links_.erase(homes_.at(device) + "/holders/" + holder);
  links_.erase(homes_.at(holder) + "/slaves/" + device);
}

void FakeKernel::remove_device(const std::string& name) {
  const auto home = homes_.at(name);
  // A disk goes with its logical unit's whole folder, a loop device with its own.
  const bool is_disk = dynamic_cast<FakePath*>(&device(name)) != nullptr;
  const auto folder = (is_disk ? parent_of(parent_of(home)) : home) + "/";
  const auto inside = [&](const std::string& path) { return (path + "/").starts_with(folder); };
  std::erase_if(attributes_, [&](const auto& entry) { return inside(entry.first); });
  std::erase_if(writers_, [&](const auto& entry) { return inside(entry.first); });
  std::erase_if(links_,
                [&](const auto& link) { return inside(link.first) || inside(link.second); });
  std::erase_if(directories_, inside);
  files_.erase(node_path(name));
  homes_.erase(name);
  devices_.erase(name);
}

void FakeKernel::reuse_name(const std::string& name) {
  device(name).diskseq = next_diskseq_++;
}

// ---- reactions ---------------------------------------------------------------------------------

void FakeKernel::when_probed(const std::string& device, int count, std::function<void()> action) {
  probe_scripts_.push_back({device, count, std::move(action)});
}

void FakeKernel::before_growth(const std::string& device, std::function<void()> action) {
  before_growth_[device] = std::move(action);
}

void FakeKernel::after_growth(const std::string& device, std::function<void()> action) {
  after_growth_[device] = std::move(action);
}

void FakeKernel::run_once(Scripts& scripts, const std::string& device) {
  if (auto script = scripts.extract(device)) script.mapped()();
}

void FakeKernel::asked(const std::string& device, std::string question, bool about_size) {
  questions_.push_back(fmt::format("{} {}", question, device));
  if (!about_size) return;
  std::vector<std::function<void()>> due;
  for (auto& script : probe_scripts_)
    if (script.device == device && --script.questions_left == 0) due.push_back(script.action);
  std::erase_if(probe_scripts_, [](const auto& script) { return script.questions_left <= 0; });
  for (const auto& action : due)
    action();
}

Result<void> FakeKernel::growing(FakeDevice& device, std::string change,
                                 const std::function<void()>& take_over) {
  const auto name = device.name;
  changes_.push_back(std::move(change));
  run_once(before_growth_, name);
  if (!devices_.contains(name)) return absent(name);
  clock_.advance(device.answers_in);
  if (device.growth_errno != 0) return system_failure(device.growth_errno, "grow " + name, name);
  if (!device.ignores_growth) take_over();
  run_once(after_growth_, name);
  return {};
}

void FakeKernel::rescan(FakePath& path) {
  if (path.state != "running") return;  // scsi_rescan_device: "ok", and nothing was done
  const bool target_answers = path.answers && !path.unmapped;
  path.size = target_answers ? path.target_size : Bytes();  // sd.c, read_capacity_error
}

Bytes FakeKernel::backing_size(const FakeLoop& loop) const {
  const auto device = devices_.find(loop.backing->node_of);
  return device == devices_.end() ? loop.backing->size : device->second->size;
}

Bytes FakeKernel::window_of(const FakeLoop& loop) const {
  auto bytes = (backing_size(loop) - loop.offset).count();
  if (loop.sizelimit > Bytes()) bytes = std::min(bytes, loop.sizelimit.count());
  return from_sectors(bytes / 512);
}

Result<int> FakeKernel::control(FakeDevice& device, unsigned long request, void* argument) {
  if (request == BLKGETSIZE64) {
    const auto bytes = device.node_size.value_or(device.size).count();
    std::memcpy(argument, &bytes, sizeof bytes);
    return 0;
  }
  auto* loop = dynamic_cast<FakeLoop*>(&device);
  if (loop != nullptr && request == LOOP_GET_STATUS64) return loop_status(*loop, argument);
  if (loop == nullptr || request != LOOP_SET_CAPACITY)
    return system_failure(ENOTTY, "ioctl " + device.name, device.name);
  auto done = growing(device, "LOOP_SET_CAPACITY " + device.name,
                      [this, loop] { loop->size = window_of(*loop); });
  if (!done) return std::unexpected(std::move(done.error()));
  return 0;
}

Result<int> FakeKernel::loop_status(const FakeLoop& loop, void* argument) {
  const auto name = loop.name;
  clock_.advance(loop.answers_in);
  asked(name, "LOOP_GET_STATUS64", true);
  if (!devices_.contains(name)) return system_failure(ENXIO, "ioctl " + name, name);
  loop_info64 info{};
  info.lo_device = loop.backing->device;
  info.lo_inode = loop.backing->inode;
  info.lo_offset = loop.offset.count();
  info.lo_sizelimit = loop.sizelimit.count();
  std::memcpy(argument, &info, sizeof info);
  return 0;
}

Result<ScsiSender> FakeKernel::scsi(std::string_view device, Deadline deadline) {
  if (!devices_.contains(std::string(device))) return absent(device);
  return [this, name = std::string(device), deadline](std::span<const std::uint8_t> cdb,
                                                      std::size_t reply_size) {
    return send(name, cdb, reply_size, deadline);
  };
}

Result<ScsiAnswer> FakeKernel::send(std::string_view device, std::span<const std::uint8_t> cdb,
                                    std::size_t reply_size, Deadline deadline) {
  const auto found = devices_.find(std::string(device));
  if (found == devices_.end()) return absent(device);
  auto* path = dynamic_cast<FakePath*>(found->second.get());
  if (path == nullptr) return absent(device);
  asked(path->name, question_name(cdb), cdb[0] == 0x9e);
  if (!devices_.contains(std::string(device))) return absent(device);
  const bool hangs = path->hangs || path->state == "blocked";
  if (hangs || clock_.now() + path->answers_in >= deadline.at) {
    clock_.advance_to(deadline.at);
    return failure(ErrorCode::timed_out, fmt::format("{} did not answer in time", device),
                   path->name);
  }
  clock_.advance(path->answers_in);
  auto reply = answer(*path, cdb);
  if (reply && reply->data.size() > reply_size) reply->data.resize(reply_size);
  return reply;
}

Result<std::string> FakeKernel::multipathd(std::string_view command, Deadline deadline) {
  return multipathd_->answer(command, deadline);
}

Result<ScsiAnswer> FakeKernel::answer(FakePath& path, std::span<const std::uint8_t> cdb) const {
  if (path.state != "running" || !path.answers)
    return failure(ErrorCode::no_usable_path,
                   fmt::format("{}: no connection to the target (DID_NO_CONNECT)", path.name),
                   path.name);
  if (!path.sense.empty()) {
    const auto sense = path.sense.front();
    path.sense.pop_front();
    return check_condition(sense);
  }
  if (path.unmapped) return check_condition({0x05, 0x25, 0x00});
  if (cdb[0] == 0x9e && (cdb[1] & 0x1f) == 0x10) return ScsiAnswer{0, read_capacity_16(path), ""};
  const bool identification = cdb[0] == 0x12 && (cdb[1] & 1) != 0 && cdb[2] == 0x83;
  if (identification && path.refuses_identification) return check_condition({0x05, 0x24, 0x00});
  if (identification) return ScsiAnswer{0, device_identification_page(path.designators), ""};
  return check_condition({0x05, 0x20, 0x00});
}

}  // namespace volgrow
