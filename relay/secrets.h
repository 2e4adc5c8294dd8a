// SPDX-License-Identifier: Apache-2.0
// What the files of tokens and passwords hold, read at the start and again on SIGHUP. None of it is
// ever logged.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "http/message.h"
#include "relay/config.h"

namespace volgrow::relay {

/// The tokens of a file, one a line: more than one while an old one is being replaced. Errors:
/// InvalidArgs when it holds none, or when others than its owner and group may read it, or others
/// than its owner write it; Internal with errno.
Result<std::vector<std::string>> read_tokens(const std::filesystem::path& path);

struct Secrets {
  /// One of these, in X-Auth-Token, lets a caller in; nullopt: none is asked for.
  std::optional<std::vector<std::string>> accepted;
  http::Fields control;  ///< what shows control who asks
  http::Fields reports;  ///< the same, for reports
};

Result<Secrets> read_secrets(const Config& config);

/// Whether the caller may announce events, as far as tokens go.
bool may_enter(const Secrets& secrets, const http::Fields& fields);

/// RFC 4648 §4.
std::string base64(std::string_view bytes);

}  // namespace volgrow::relay
