// SPDX-License-Identifier: Apache-2.0
// Eight bytes in hex, plain, with 0x, or with a colon after each byte.
#include "connectors/wwn.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/text.h"

namespace volgrow {
namespace {

constexpr std::size_t digits_of_a_wwn = 16;
constexpr std::size_t length_with_colons = 23;

std::optional<std::string> digits_in(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  const bool colons = text.size() == length_with_colons;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separator = colons && i % 3 == 2;
    if (separator && text[i] != ':') return std::nullopt;
    if (!separator) digits.push_back(text[i]);
  }
  return digits;
}

/// '\0' for what is no hex digit.
char lower_hex(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) return c;
  return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : '\0';
}

}  // namespace

Result<std::string> parse_wwn(std::string_view text) {
  if (auto digits = digits_in(trimmed(text)); digits && digits->size() == digits_of_a_wwn) {
    std::ranges::transform(*digits, digits->begin(), lower_hex);
    if (digits->find('\0') == std::string::npos) return *std::move(digits);
  }
  return failure(ErrorCode::bad_connection_info,
                 fmt::format("is {}, expected a WWN such as \"500a098100000001\" or "
                             "\"50:0a:09:81:00:00:00:01\"",
                             cited(text)));
}

}  // namespace volgrow
