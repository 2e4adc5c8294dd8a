// SPDX-License-Identifier: Apache-2.0
// Reading the two fields that may name a version, in microversion_parse's order.
#include "relay/nova_version.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "core/text.h"

namespace volgrow::relay {
namespace {

constexpr std::string_view version_field = "OpenStack-API-Version";
constexpr std::string_view legacy_field = "X-OpenStack-Nova-API-Version";

/// A number without leading zeros, cut off from the front of `text`.
std::optional<std::uint32_t> number(std::string_view& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto size = static_cast<std::size_t>(end - text.data());
  const bool padded = size > 1 && text.starts_with('0');
  if (error != std::errc() || padded) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

std::optional<NovaVersion> parsed(std::string_view text) {
  const auto major = number(text);
  if (!major || *major == 0 || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  const auto minor = number(text);
  if (!minor || !text.empty()) return std::nullopt;
  return NovaVersion{*major, *minor};
}

/// What follows "compute " in a list such as "volume 3.70, compute 2.51".
std::optional<std::string_view> compute_part(std::string_view list) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto part = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (part.starts_with("compute ")) return trimmed(part.substr(sizeof "compute"));
  }
  return std::nullopt;
}

std::string_view text_asked(const http::Fields& fields) {
  const auto* const field = fields.find(version_field);
  const auto part = field ? compute_part(*field) : std::nullopt;
  if (part) return *part;
  const auto* const legacy = fields.find(legacy_field);
  return legacy ? trimmed(*legacy) : std::string_view();
}

}  // namespace

std::string to_text(NovaVersion version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

std::expected<NovaVersion, VersionRefused> version_asked(const http::Fields& fields) {
  const auto text = text_asked(fields);
  if (text.empty()) return first_version;
  if (text == "latest") return last_version;
  const auto version = parsed(text);
  if (!version)
    return std::unexpected(VersionRefused{
        {400, fmt::format("API Version String {} is of invalid format. Must be of format "
                          "MajorNum.MinorNum.",
                          text)},
        std::nullopt});
  if (*version >= first_version && *version <= last_version) return *version;
  return std::unexpected(VersionRefused{
      {406, fmt::format("Version {} is not supported by the API. Minimum is {} and maximum is {}.",
                        to_text(*version), to_text(first_version), to_text(last_version))},
      version});
}

void add_version(http::Response& response, NovaVersion version) {
  const auto text = to_text(version);
  response.fields.add(std::string(version_field), fmt::format("compute {}", text));
  response.fields.add(std::string(legacy_field), text);
  response.fields.add("Vary", std::string(version_field));
  response.fields.add("Vary", std::string(legacy_field));
}

}  // namespace volgrow::relay
