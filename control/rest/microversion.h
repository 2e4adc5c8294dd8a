// SPDX-License-Identifier: Apache-2.0
// Cinder's microversions: which behaviour a client asked for, in the header of every request
// (cinder/api/openstack/wsgi.py, set_api_version_request).
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "control/fault.h"

namespace volgrow::control::rest {

struct Version {
  std::uint32_t major = 3;
  std::uint32_t minor = 0;

  constexpr auto operator<=>(const Version&) const = default;
};

/// Debian's Cinder ends at 3.70; os-extend_volume_completion came with 3.71.
inline constexpr Version first_version{3, 0};
inline constexpr Version last_version{3, 71};
/// When Cinder says that its API changed last.
inline constexpr const char* versions_updated = "2022-08-31T00:00:00Z";

inline constexpr const char* version_field = "OpenStack-API-Version";

/// "3.42".
std::string to_text(Version version);

/// A version that is not served, and what an answer that refuses it says in its own header:
/// nothing, when what was asked for could not be read.
struct VersionRefused {
  Fault fault;
  std::optional<std::string> asked;
};

/// `header` is the field's value, nullptr when there was none. Refusals: 400 for what is no
/// version, or names no version of the volume service; 406 for one out of range.
std::expected<Version, VersionRefused> version_asked(const std::string* header);

}  // namespace volgrow::control::rest
