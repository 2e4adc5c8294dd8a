// SPDX-License-Identifier: Apache-2.0
// What hosts report of a growth: stored once, believed only of the host that the credential names,
// and turned into what the control plane knows of that host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/deliveries.h"
#include "control/store.h"
#include "core/result.h"
#include "service/log.h"

namespace volgrow::control {

/// What became of one report. A refused one is never worth sending again.
struct ReportVerdict {
  std::uint64_t sequence = 0;
  std::string refused;  ///< why; empty when it is stored, now or before

  bool operator==(const ReportVerdict&) const = default;
};

class Reports {
 public:
  struct Needs {
    const Clock& clock;
    Commits& commits;
    Log& log;
  };
  explicit Reports(Needs needs) : needs_(needs) {}

  /// `host` is who the sender proved to be. Durable when the group is committed. Errors: Internal,
  /// from the database.
  Result<ReportVerdict> take(const std::string& host, const Report& report);

  /// Counted since the start.
  std::uint64_t stored() const { return stored_; }
  std::uint64_t refused() const { return refused_; }

 private:
  Result<ReportVerdict> store_for(Store& store, const std::string& host, const Report& report,
                                  const Volume& volume, Attachment attachment);
  ReportVerdict refuse(const std::string& host, const Report& report, std::string reason);

  Needs needs_;
  std::uint64_t stored_ = 0;
  std::uint64_t refused_ = 0;
};

/// The size no honest host can see more than: while the volume grows, what it grows to.
Bytes largest_believable(const Volume& volume, const std::optional<Extend>& extend);

}  // namespace volgrow::control
