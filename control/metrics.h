// SPDX-License-Identifier: Apache-2.0
// What Prometheus may know of the control plane (text format 0.0.4). No label has values that a
// stranger can choose.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/clock.h"

namespace volgrow::control {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  /// One request answered with this status after this time.
  void answered(int status, Duration time);
  /// Read when somebody asks.
  struct Gauges {
    std::size_t extends_under_way = 0;
    std::size_t deliveries = 0;
    std::uint64_t reports_stored = 0;
    std::uint64_t reports_refused = 0;
    unsigned connections = 0;
  };
  std::string text(const Gauges& now) const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace volgrow::control
