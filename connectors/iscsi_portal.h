// SPDX-License-Identifier: Apache-2.0
// An iSCSI portal as an address that can be compared: the same one is written in many ways.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace volgrow {

inline constexpr std::uint16_t default_iscsi_port = 3260;

struct IscsiPortal {
  /// An IPv4 or IPv6 address in its canonical spelling, or a host name in lower case.
  std::string host;
  std::uint16_t port = default_iscsi_port;

  auto operator<=>(const IscsiPortal&) const = default;
};

/// "10.0.0.1:3260", "[2001:DB8::1]:3260", a host name, with or without port, brackets or the
/// ",1" of a portal group. Errors: InvalidArgs.
Result<IscsiPortal> parse_iscsi_portal(std::string_view text);

/// Address and port as sysfs has them, in files of their own. Errors: InvalidArgs.
Result<IscsiPortal> iscsi_portal_of(std::string_view address, std::string_view port);

/// "10.0.0.1:3260", "[fe80::1%eth0]:3260".
std::string portal_text(std::string_view host, std::uint16_t port);
std::string to_string(const IscsiPortal& portal);

}  // namespace volgrow
