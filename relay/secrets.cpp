// SPDX-License-Identifier: Apache-2.0
// Small files with strict modes, and the header fields that are made of them.
#include "relay/secrets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/fd.h"
#include "core/files.h"
#include "core/secret.h"
#include "core/text.h"

namespace volgrow::relay {
namespace {

constexpr Bytes longest_file{std::uint64_t{64} << 10};
constexpr const char* token_field = "X-Auth-Token";
/// A group may read: that is how a file of root's is given to one service, and how the access list
/// of a systemd credential looks.
constexpr mode_t forbidden_to_others = S_IWGRP | S_IXGRP | S_IRWXO;

Result<void> check_mode(int fd, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    return system_failure(errno, fmt::format("look at {}", printable(path.native())));
  if (!S_ISREG(status.st_mode))
    return failure(ErrorCode::invalid_args,
                   fmt::format("{} is no regular file", printable(path.native())));
  if ((status.st_mode & forbidden_to_others) == 0) return {};
  return failure(ErrorCode::invalid_args,
                 fmt::format("{} holds a secret and has mode {:04o}: chmod 0600, or 0640 for a "
                             "group of its own",
                             printable(path.native()), status.st_mode & 07777));
}

/// Nothing of the content is in an error.
Result<std::string> read_secret_file(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return system_failure(errno, fmt::format("open {}", printable(path.native())));
  if (auto checked = check_mode(file.get(), path); !checked)
    return std::unexpected(std::move(checked.error()));
  return read_text(file.get(), longest_file, path.native());
}

Result<std::vector<std::string>> lines_of(const std::filesystem::path& path) {
  const auto text = read_secret_file(path);
  if (!text) return std::unexpected(text.error());
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text->size();) {
    const auto end = std::min(text->find('\n', from), text->size());
    const auto line = trimmed(std::string_view(*text).substr(from, end - from));
    if (!line.empty()) lines.emplace_back(line);
    from = end + 1;
  }
  if (!lines.empty() && std::ranges::all_of(lines, http::is_field_value)) return lines;
  return failure(ErrorCode::invalid_args,
                 fmt::format("{} must hold one line of text at least, without control characters",
                             printable(path.native())));
}

/// The one secret that is shown to others: the first line.
Result<std::string> secret_in(const std::filesystem::path& path) {
  auto lines = lines_of(path);
  if (!lines) return std::unexpected(std::move(lines.error()));
  return std::move(lines->front());
}

Result<http::Fields> token_in(const std::filesystem::path& path) {
  auto token = secret_in(path);
  if (!token) return std::unexpected(std::move(token.error()));
  return http::Fields{{token_field, std::move(*token)}};
}

Result<http::Fields> control_fields(const Config& config) {
  switch (config.auth) {
    case ControlAuth::noauth:
      return http::Fields{{token_field, config.project.empty()
                                            ? config.user
                                            : fmt::format("{}:{}", config.user, config.project)}};
    case ControlAuth::http_basic: {
      const auto password = secret_in(config.password_file);
      if (!password) return std::unexpected(password.error());
      const auto both = fmt::format("{}:{}", config.user, *password);
      return http::Fields{{"Authorization", fmt::format("Basic {}", base64(both))}};
    }
    case ControlAuth::token:
      return token_in(config.control_token_file);
  }
  return http::Fields();
}

}  // namespace

Result<std::vector<std::string>> read_tokens(const std::filesystem::path& path) {
  return lines_of(path);
}

Result<Secrets> read_secrets(const Config& config) {
  Secrets secrets;
  if (!config.token_file.empty()) {
    auto tokens = read_tokens(config.token_file);
    if (!tokens) return std::unexpected(std::move(tokens.error()));
    secrets.accepted = std::move(*tokens);
  }
  auto control = control_fields(config);
  if (!control) return std::unexpected(std::move(control.error()));
  auto reports = config.report_token_file.empty() ? control : token_in(config.report_token_file);
  if (!reports) return std::unexpected(std::move(reports.error()));
  secrets.control = std::move(*control);
  secrets.reports = std::move(*reports);
  return secrets;
}

bool may_enter(const Secrets& secrets, const http::Fields& fields) {
  if (!secrets.accepted) return true;
  const auto* const shown = fields.find(token_field);
  if (!shown) return false;
  // All are compared, so that the time does not tell which one it was.
  bool known = false;
  for (const auto& token : *secrets.accepted)
    known |= is_secret(*shown, token);
  return known;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  while (!bytes.empty()) {
    const auto group = bytes.substr(0, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < group.size() ? static_cast<std::uint8_t>(group[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text.push_back(i <= group.size() ? digits[bits >> (18 - 6 * i) & 63] : '=');
    bytes.remove_prefix(group.size());
  }
  return text;
}

}  // namespace volgrow::relay
