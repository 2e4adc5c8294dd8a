// SPDX-License-Identifier: Apache-2.0
// The one seam between the connectors and the machine: sysfs, device nodes, SCSI commands,
// multipathd, a clock. Its real form is LinuxHost; tests have a kernel that reacts and recorded
// hosts.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

struct FileStatus {
  std::uint64_t device = 0;         ///< st_dev
  std::uint64_t inode = 0;          ///< st_ino
  Bytes size;                       ///< st_size
  std::uint64_t device_number = 0;  ///< st_rdev; 0 unless this is a device node
  mode_t mode = 0;                  ///< st_mode
};

/// An open device node or file; closed when destroyed.
class OpenNode {
 public:
  virtual ~OpenNode() = default;
  /// ioctl(2). Errors: Internal with errno.
  virtual Result<int> control(unsigned long request, void* argument) = 0;
  virtual Result<FileStatus> status() = 0;
};

enum class Access : std::uint8_t {
  query,    ///< O_RDONLY | O_NONBLOCK: ioctls that only ask
  command,  ///< O_RDWR | O_NONBLOCK
};

/// What came back for one CDB.
struct ScsiAnswer {
  std::uint8_t status = 0;  ///< SAM status: 0 GOOD, 2 CHECK CONDITION …
  std::string data;         ///< data-in, as long as the device filled it
  std::string sense;        ///< fixed or descriptor format, empty with GOOD
};

/// Sends one command with data-in of at most `reply_size` bytes. Not to be used again after an
/// error: the answer may still come. Errors: TimedOut at the deadline, NoUsablePath when the
/// transport answers with a host error.
using ScsiSender =
    std::function<Result<ScsiAnswer>(std::span<const std::uint8_t> cdb, std::size_t reply_size)>;

class Host {
 public:
  virtual ~Host() = default;

  // sysfs: paths are relative to its root ("block/sda/size") and may not leave it.
  /// The attribute's text without its trailing newline. Errors: NoSuchDevice when it is not there.
  virtual Result<std::string> read(std::string_view attribute) const = 0;
  virtual Result<void> write(std::string_view attribute, std::string_view text) = 0;
  /// Names in a directory, sorted. Errors: NoSuchDevice when it is not there.
  virtual Result<std::vector<std::string>> list(std::string_view directory) const = 0;
  /// Where a sysfs path really is, relative to the root ("devices/…/block/sda").
  virtual Result<std::string> canonical_sysfs(std::string_view path) const = 0;

  // Files and device nodes, by absolute path.
  /// Follows no symbolic link in the last component. Errors: NoSuchDevice when it is not there.
  virtual Result<FileStatus> status(std::string_view path) const = 0;
  /// realpath(3).
  virtual Result<std::string> canonical(std::string_view path) const = 0;
  /// Follows no symbolic link in the last component, never blocks on carrier or media.
  virtual Result<std::unique_ptr<OpenNode>> open(std::string_view path, Access access) = 0;
  /// A whole text file outside sysfs (/proc/self/mountinfo).
  virtual Result<std::string> read_file(std::string_view path) const = 0;

  /// The way to send SCSI commands to a disk by kernel name until the deadline. Uses its sg node
  /// without blocking in the error handler; without an sg module SG_IO on the block node.
  /// Errors: NoSuchDevice, and what opening the node says.
  virtual Result<ScsiSender> scsi(std::string_view device, Deadline deadline) = 0;

  /// One command to multipathd over its socket; the reply up to its first NUL, whatever it says.
  /// Errors: MultipathUnavailable, worth another try: nobody listens, or it answered `timeout`, and
  /// nothing was done; or it hung up before a whole reply, and whether it was done is unknown.
  /// TimedOut: no whole reply at the deadline, as unknown. What is unknown only sizes can tell.
  virtual Result<std::string> multipathd(std::string_view command, Deadline deadline) = 0;

  virtual const Clock& clock() const = 0;
};

}  // namespace volgrow
