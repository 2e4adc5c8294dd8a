// SPDX-License-Identifier: Apache-2.0
// How long to wait before something is tried again.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/clock.h"

namespace volgrow {

/// From `first`, doubled with every attempt up to `slowest`, then between half and all of that, so
/// that many who failed together do not come back together: `random` is in [0, 1], and 1 is all of
/// it.
inline Duration backoff(std::uint32_t attempts, Duration first, Duration slowest, double random) {
  auto wait = first;
  for (std::uint32_t i = 1; i < attempts && wait < slowest; ++i)
    wait *= 2;
  const auto half = std::min(wait, slowest) / 2;
  return half + Duration(static_cast<Duration::rep>(static_cast<double>(half.count()) * random));
}

}  // namespace volgrow
