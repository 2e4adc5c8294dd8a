// SPDX-License-Identifier: Apache-2.0
// tgtd(8), asked over its management socket as tgtadm(8) asks it: no program is started for it.
// The format is that of tgt 1.0.85 (usr/tgtadm.h), the same since 1.0.21; tgtd answers root only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow::backend {

/// LUN 0 is tgtd's own; the volume is LUN 1, as in Cinder.
inline constexpr int volume_lun = 1;

struct TgtTarget {
  int number = 0;  ///< tid
  std::string name;
  std::optional<std::string> path;    ///< what is behind LUN 1; nullopt: there is no LUN 1
  std::vector<std::string> sessions;  ///< names of initiators that are logged in
  std::vector<std::string> allowed;   ///< access list: addresses and names of initiators

  bool operator==(const TgtTarget&) const = default;
};

/// What `tgtadm --mode target --op show` prints.
std::vector<TgtTarget> parse_targets(std::string_view shown);

/// Each call is one connection. Errors of all: NotInitialised when nobody listens, TimedOut,
/// Internal with tgtd's reason.
class TgtDaemon {
 public:
  TgtDaemon(std::filesystem::path socket, std::shared_ptr<const Clock> clock)
      : socket_(std::move(socket)), clock_(std::move(clock)) {}

  Result<std::vector<TgtTarget>> targets(Deadline deadline) const;
  /// Errors: Busy when the number or the name is taken.
  Result<void> add_target(int number, const std::string& name, Deadline deadline) const;
  Result<void> add_volume(int number, const std::string& path, Deadline deadline) const;
  /// Success also where it is so already; as the next two.
  Result<void> allow(int number, const std::string& initiator, Deadline deadline) const;
  Result<void> forbid(int number, const std::string& initiator, Deadline deadline) const;
  /// Errors: Busy while an initiator is logged in.
  Result<void> remove_target(int number, Deadline deadline) const;

 private:
  std::filesystem::path socket_;
  std::shared_ptr<const Clock> clock_;
};

}  // namespace volgrow::backend
