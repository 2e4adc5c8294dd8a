// SPDX-License-Identifier: Apache-2.0
// Random UUIDs, and what one looks like.
#pragma once

#include <string>
#include <string_view>

namespace volgrow {

/// Version 4 (RFC 4122), from the kernel's random numbers: "5f2f6c1e-0b9e-4c1d-9d3a-…".
std::string new_uuid();

/// Whether `text` is a UUID as OpenStack's services take it for one: 32 hex digits, with or without
/// hyphens where they belong.
bool is_uuid(std::string_view text);

}  // namespace volgrow
