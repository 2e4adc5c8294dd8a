// SPDX-License-Identifier: Apache-2.0
// Time as a value: a Clock is asked, a Deadline is passed down. Below the edge nobody invents
// seconds.
#pragma once

#include <algorithm>
#include <chrono>

namespace volgrow {

using Duration = std::chrono::microseconds;
/// CLOCK_MONOTONIC: the same count in every process of the host, so deadlines travel to workers.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Microseconds since the epoch, for records that outlive a boot.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  WallTime wall() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

/// The moment after which an answer is of no use.
struct Deadline {
  TimePoint at;

  Duration remaining(TimePoint now) const { return std::max(Duration::zero(), at - now); }
  bool passed(TimePoint now) const { return now >= at; }
  Deadline sooner(Deadline other) const { return Deadline{std::min(at, other.at)}; }
  bool operator==(const Deadline&) const = default;
};

inline Deadline within(Duration limit, TimePoint now) {
  return Deadline{now + limit};
}

}  // namespace volgrow
