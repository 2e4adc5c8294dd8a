// SPDX-License-Identifier: Apache-2.0
// Which host a credential stands for: "host:token" lines of a file, or the name in a client's
// certificate.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "http/message.h"

namespace volgrow::control {

class ReportTokens {
 public:
  /// Nobody may report by a token.
  ReportTokens() = default;
  /// "" is no file. Errors: InvalidArgs that names the line, Internal with errno.
  static Result<ReportTokens> read(const std::filesystem::path& path);

  /// The host that `request` proves to come from: by its client certificate's name, or by the token
  /// in X-Auth-Token or "Authorization: Bearer". The body is never asked.
  std::optional<std::string> host_of(const http::Request& request) const;

 private:
  struct Entry {
    std::string host;
    std::string token;
  };
  std::optional<std::string> host_with(std::string_view token) const;

  std::vector<Entry> entries_;
};

}  // namespace volgrow::control
