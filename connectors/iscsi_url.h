// SPDX-License-Identifier: Apache-2.0
// A logical unit by URL, as libiscsi and QEMU write it: iscsi://[user@]host[:port]/target-iqn/lun.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/iscsi_portal.h"
#include "core/error.h"

namespace volgrow {

struct IscsiUrl {
  std::string user;  ///< for CHAP; empty: none
  std::string host;  ///< without brackets, and with the zone of a link-local address
  std::uint16_t port = default_iscsi_port;
  std::string target;
  std::uint16_t lun = 0;  ///< as the kernel counts it: 16384 more than the LUN in flat space

  bool operator==(const IscsiUrl&) const = default;
};

/// A password in the URL, in any form, is refused. Errors: InvalidArgs; no error cites the URL,
/// because there may be a secret in it that was put at the wrong place.
Result<IscsiUrl> parse_iscsi_url(std::string_view text);

}  // namespace volgrow
