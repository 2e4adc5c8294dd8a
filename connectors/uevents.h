// SPDX-License-Identifier: Apache-2.0
// Kernel uevents of block, scsi and nvme devices, over libudev's netlink monitor. Hints, never the
// truth.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"

namespace volgrow {

struct Uevent {
  std::string action;     ///< add remove change …
  std::string device;     ///< kernel name
  std::string subsystem;  ///< block scsi …
  std::uint64_t device_number = 0;
  bool resized = false;  ///< RESIZE=1
};

class UeventMonitor {
 public:
  struct Batch {
    std::vector<Uevent> events;
    bool lost = false;  ///< ENOBUFS: some are missing, read everything again
  };

  /// `receive_buffer`: SO_RCVBUFFORCE, or as much as the system allows without CAP_NET_ADMIN.
  static Result<std::unique_ptr<UeventMonitor>> open(Bytes receive_buffer);
  virtual ~UeventMonitor() = default;

  virtual int fd() const = 0;
  /// Everything that is there now, at most `limit`; never blocks.
  virtual Batch receive(std::size_t limit) = 0;
};

}  // namespace volgrow
