// SPDX-License-Identifier: Apache-2.0
// Python's isoformat() of a naive datetime, and Cinder's host@backend#pool.
#include "control/cinder_words.h"

#include <fmt/format.h>

#include "core/units.h"

namespace volgrow::control {

std::string cinder_time(WallTime time) {
  auto text = utc_timestamp(time);
  text.pop_back();  // the Z
  return text;
}

std::string cinder_host(std::string_view host, std::string_view backend) {
  return fmt::format("{0}@{1}#{1}", host, backend);
}

}  // namespace volgrow::control
