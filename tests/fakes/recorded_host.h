// SPDX-License-Identifier: Apache-2.0
// A host as it was when it was recorded. It answers what was recorded and nothing else: its targets
// cannot be asked, and whoever tries to change it is refused and noted.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/host.h"
#include "tests/fakes/capture.h"
#include "tests/fakes/fake_clock.h"

namespace volgrow {

class RecordedHost final : public Host {
 public:
  explicit RecordedHost(Capture capture) : capture_(std::move(capture)) {}

  /// Every attempt to change something: "write block/sda/device/rescan 1", "multipathd del path
  /// sda", "ioctl 0x4c07 of /dev/loop0", "open /dev/sda to write".
  const std::vector<std::string>& changes() const { return changes_; }
  const Capture& capture() const { return capture_; }

  Result<std::string> read(std::string_view attribute) const override;
  Result<void> write(std::string_view attribute, std::string_view text) override;
  Result<std::vector<std::string>> list(std::string_view directory) const override;
  Result<std::string> canonical_sysfs(std::string_view path) const override;
  Result<FileStatus> status(std::string_view path) const override;
  Result<std::string> canonical(std::string_view path) const override;
  Result<std::unique_ptr<OpenNode>> open(std::string_view path, Access access) override;
  Result<std::string> read_file(std::string_view path) const override;
  Result<ScsiSender> scsi(std::string_view device, Deadline deadline) override;
  /// A `show` that was not recorded, or no multipathd: MultipathUnavailable.
  Result<std::string> multipathd(std::string_view command, Deadline deadline) override;
  const Clock& clock() const override { return clock_; }

 private:
  class Node;

  bool is_there(const std::string& canonical) const;
  Result<Bytes> size_of(std::uint64_t device_number) const;

  Capture capture_;
  FakeClock clock_;
  std::vector<std::string> changes_;
};

}  // namespace volgrow
