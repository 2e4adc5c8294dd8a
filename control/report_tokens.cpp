// SPDX-License-Identifier: Apache-2.0
// Tokens are compared in the time that their length takes, whatever they hold.
#include "control/report_tokens.h"

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"

namespace volgrow::control {
namespace {

constexpr Bytes longest_file{std::uint64_t{1} << 20};
constexpr std::size_t shortest_token = 16;
constexpr std::string_view bearer = "Bearer ";

bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

std::string_view token_in(const http::Request& request) {
  if (const auto* token = request.fields.find("X-Auth-Token")) return *token;
  const auto* authorization = request.fields.find("Authorization");
  if (!authorization || !authorization->starts_with(bearer)) return {};
  return std::string_view(*authorization).substr(bearer.size());
}

}  // namespace

Result<ReportTokens> ReportTokens::read(const std::filesystem::path& path) {
  ReportTokens tokens;
  if (path.empty()) return tokens;
  auto text = read_text_file(path, longest_file);
  if (!text) return std::unexpected(std::move(text.error()));
  std::string_view rest = *text;
  for (int line = 1; !rest.empty(); ++line) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto entry = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (entry.empty() || entry.starts_with('#')) continue;
    const auto colon = entry.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || entry.size() - colon - 1 < shortest_token)
      return failure(ErrorCode::invalid_args,
                     fmt::format("{}:{}: a line is host:token, and a token has {} characters at "
                                 "least",
                                 path.native(), line, shortest_token));
    tokens.entries_.push_back(
        {std::string(entry.substr(0, colon)), std::string(entry.substr(colon + 1))});
  }
  return tokens;
}

std::optional<std::string> ReportTokens::host_with(std::string_view token) const {
  std::optional<std::string> host;
  for (const auto& entry : entries_)  // all of them: how long this takes tells nothing
    if (same(entry.token, token)) host = entry.host;
  return host;
}

std::optional<std::string> ReportTokens::host_of(const http::Request& request) const {
  if (request.certificate && !request.certificate->common_name.empty())
    return request.certificate->common_name;
  const auto token = token_in(request);
  return token.empty() ? std::nullopt : host_with(token);
}

}  // namespace volgrow::control
