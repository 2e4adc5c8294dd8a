// SPDX-License-Identifier: Apache-2.0
// Reading the parts of HTTP messages: names in any case, percent escapes, targets and queries.
#include "http/message.h"

#include <algorithm>
#include <cstdint>

namespace volgrow::http {
namespace {

/// Not the C library's: those follow the locale.
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (lower(c) >= 'a' && lower(c) <= 'f') return static_cast<unsigned>(lower(c) - 'a' + 10);
  return std::nullopt;
}

/// The character that `text` begins with an escape for.
std::optional<char> escaped(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const auto high = hex_digit(text[1]);
  const auto low = hex_digit(text[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

std::string decoded(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = escaped(text);
    const bool blank = plus_is_blank && text[0] == '+';
    out.push_back(character ? *character : blank ? ' ' : text[0]);
    text.remove_prefix(character ? 3 : 1);
  }
  return out;
}

/// Cuts off and returns what stands before the first `separator`, or all.
std::string_view cut(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const auto before = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return before;
}

}  // namespace

bool same_field_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

const std::string* Fields::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields_, [name](const Field& field) { return same_field_name(field.name, name); });
  return found == fields_.end() ? nullptr : &found->value;
}

std::size_t Fields::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields_, [name](const Field& field) { return same_field_name(field.name, name); }));
}

const std::string* Request::parameter(std::string_view key) const {
  const auto found = std::ranges::find(query, key, &Parameters::value_type::first);
  return found == query.end() ? nullptr : &found->second;
}

std::string percent_decoded(std::string_view text) {
  return decoded(text, false);
}

std::vector<std::string> path_segments(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  std::vector<std::string> segments;
  const auto count = std::ranges::count(path, '/') + 1;
  for (auto left = count; left > 0; --left)
    segments.push_back(percent_decoded(cut(path, '/')));
  return segments;
}

Parameters query_parameters(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    auto value = cut(query, '&');
    if (value.empty()) continue;
    const auto key = cut(value, '=');
    parameters.emplace_back(decoded(key, true), decoded(value, true));
  }
  return parameters;
}

Target split_target(std::string_view target) {
  auto query = target;
  auto path = cut(query, '?');
  if (const auto scheme = path.find("://"); scheme != std::string_view::npos && path[0] != '/') {
    path.remove_prefix(scheme + 3);
    path.remove_prefix(std::min(path.find('/'), path.size()));
    if (path.empty()) path = "/";
  }
  return {path, query};
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_alphanumeric(c) || marks.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto code = static_cast<std::uint8_t>(c);
    return c == '\t' || (code >= 0x20 && code != 0x7f);
  });
}

}  // namespace volgrow::http
