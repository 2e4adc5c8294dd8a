// SPDX-License-Identifier: Apache-2.0
// Reads the version header as Cinder does, word by word. Where Cinder meets an exception of its own
// and answers 500 ("volume 3.5 x"), this is a 400: the request is wrong, not the server.
#include "control/rest/microversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

constexpr std::string_view service = "volume";

std::unexpected<VersionRefused> refused(std::unexpected<Fault> fault,
                                        std::optional<std::string> asked = std::nullopt) {
  return std::unexpected(VersionRefused{std::move(fault.error()), std::move(asked)});
}

/// What a client gets from webob for a bad request without a reason.
std::unexpected<VersionRefused> incomprehensible() {
  return refused(bad_request(std::string(words::malformed)));
}

/// "[1-9]\d*", or "0" where that is allowed. Nobody serves a number of ten digits.
std::optional<std::uint32_t> number(std::string_view text, bool zero_allowed) {
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || !digits) return std::nullopt;
  if (text.front() == '0')
    return zero_allowed && text.size() == 1 ? std::optional(0U) : std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : text.substr(0, 10))
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX));
}

std::optional<Version> parse(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = number(text.substr(0, dot), false);
  const auto minor = number(text.substr(dot + 1), true);
  if (!major || !minor) return std::nullopt;
  return Version{*major, *minor};
}

/// Cinder takes these for an end point that knows no microversions, and then says none.
bool is_legacy(std::string_view version) {
  return version.find("1.0") != std::string_view::npos ||
         version.find("2.0") != std::string_view::npos;
}

std::expected<Version, VersionRefused> checked(std::string_view asked) {
  if (asked == "latest") return last_version;
  const auto version = parse(asked);
  if (!version)
    return refused(bad_request(fmt::format(
        "API Version String {} is of invalid format. Must be of format MajorNum.MinorNum.",
        asked)));
  if (*version >= first_version && *version <= last_version) return *version;
  auto message =
      fmt::format("Version {} is not supported by the API. Minimum is {} and maximum is {}.", asked,
                  to_text(first_version), to_text(last_version));
  return refused(std::unexpected(Fault{406, std::move(message), std::nullopt}),
                 is_legacy(asked) ? std::nullopt : std::optional<std::string>(asked));
}

}  // namespace

std::string to_text(Version version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

std::expected<Version, VersionRefused> version_asked(const std::string* header) {
  if (header == nullptr) return first_version;
  for (const auto entry : words::split(*header, ',')) {
    if (entry.find(service) == std::string_view::npos) continue;
    const auto parts = words::split_at_white(entry);
    if (parts.size() != 2) return incomprehensible();
    return checked(parts[1]);
  }
  return incomprehensible();
}

}  // namespace volgrow::control::rest
