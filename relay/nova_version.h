// SPDX-License-Identifier: Apache-2.0
// Nova's microversions: which behaviour a request asks for (nova/api/openstack/wsgi.py,
// set_api_version_request). Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "http/message.h"
#include "relay/nova_fault.h"

namespace volgrow::relay {

struct NovaVersion {
  std::uint32_t major = 2;
  std::uint32_t minor = 1;

  constexpr auto operator<=>(const NovaVersion&) const = default;
};

inline constexpr NovaVersion first_version{2, 1};
/// Of the Nova whose answers these are, 26.2.
inline constexpr NovaVersion last_version{2, 93};

/// "2.51".
std::string to_text(NovaVersion version);

/// A version that is not served, and what the answer says in its own fields: nothing, when what was
/// asked for could not be read.
struct VersionRefused {
  NovaFault fault;
  std::optional<NovaVersion> asked;
};

/// OpenStack-API-Version "compute 2.51", else X-OpenStack-Nova-API-Version "2.51", else 2.1.
/// Refusals: 400 for what is no version, 406 for one out of range.
std::expected<NovaVersion, VersionRefused> version_asked(const http::Fields& fields);

/// What an answer says of its version.
void add_version(http::Response& response, NovaVersion version);

}  // namespace volgrow::relay
