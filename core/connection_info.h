// SPDX-License-Identifier: Apache-2.0
// Cinder's connection_info, unchanged as Nova stores it: what the connectors may read of it.
// Secrets in it (auth_*, discovery_auth_*, keys) are dropped while parsing and exist nowhere
// afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/value.h"

namespace volgrow {

struct ConnectionInfo {
  std::string driver_volume_type;  ///< iscsi iser fibre_channel nvmeof local rbd nfs …
  Value::Object data;              ///< Cinder's `data` without its secrets
  std::optional<std::string> serial;

  /// `serial`, else `data.volume_id`, when it is a well-formed volume id.
  std::optional<std::string> volume_id() const;
  /// The text under `data.key`. Errors: BadConnectionInfo that names the key when it is missing or
  /// no text.
  Result<std::string> require_text(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;

  bool operator==(const ConnectionInfo&) const = default;
};

/// Errors: BadConnectionInfo that names the key and what belongs there.
Result<ConnectionInfo> parse_connection_info(std::string_view json);

/// The scrubbed text, fit for the journal and for comparison; parses back to the same value.
std::string to_json(const ConnectionInfo& connection);

}  // namespace volgrow
