// SPDX-License-Identifier: Apache-2.0
// Loop devices of this host over a volume's file, and which host each is for. The kernel alone
// remembers: the file by device and inode, the host in lo_file_name, a text of 63 characters that
// only root can set, that LOOP_CONFIGURE stores together with the file, and that means nothing to
// the kernel (loop.c; losetup shows it where sysfs is missing).
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow::backend {

struct LoopDevice {
  std::string node;      ///< "/dev/loop7"
  std::string mark;      ///< lo_file_name
  bool leaving = false;  ///< detached, and gone when its last user closes it: LO_FLAGS_AUTOCLEAR

  bool operator==(const LoopDevice&) const = default;
};

/// The mark of `host`: "volgrow:<host>"; of a long name its beginning and a hash.
std::string mark_of(const std::string& host);

/// All that are attached to the file with this name and status, by whomever. Errors: Internal.
Result<std::vector<LoopDevice>> loops_over(const std::string& file_name, const struct stat& status);

/// A new one over `file`, a descriptor of its own that is open for reading and writing; direct I/O
/// where the file system can. Errors: TimedOut, Internal.
Result<LoopDevice> attach_loop(int file, const std::string& mark, Deadline deadline,
                               const Clock& clock);

/// From the file of this status. Returns whether it is gone; if not, it will be when its last user
/// closes it. Errors: Internal.
Result<bool> detach_loop(const LoopDevice& device, const struct stat& status);

}  // namespace volgrow::backend
