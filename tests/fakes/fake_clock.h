// SPDX-License-Identifier: Apache-2.0
// A clock that stands still until a test, or a fake that pretends to be slow, moves it.
#pragma once

#include "core/clock.h"

namespace volgrow {

class FakeClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall() const override { return wall_; }

  void advance(Duration by) {
    now_ += by;
    wall_ += by;
  }
  /// Never backwards.
  void advance_to(TimePoint when) {
    if (when > now_) advance(when - now_);
  }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
};

}  // namespace volgrow
