// SPDX-License-Identifier: Apache-2.0
// Python's isoformat() of a naive datetime, and Cinder's host@backend#pool.
#include "control/cinder_words.h"

#include <fmt/format.h>

#include <cstdint>

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

std::string service_uuid(std::string_view host, std::string_view backend) {
  // FNV-1a, twice, with version 8 of RFC 9562: an id made in one's own way.
  const auto hash = [](std::string_view text, std::uint64_t value) {
    for (const char c : text)
      value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return value;
  };
  const auto name = fmt::format("{}@{}", host, backend);
  const auto high = hash(name, 0xcbf29ce484222325);
  const auto low = hash(name, high);
  return fmt::format("{:08x}-{:04x}-8{:03x}-8{:03x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, low >> 52, low & 0xffffffffffff);
}

}  // namespace volgrow::control
