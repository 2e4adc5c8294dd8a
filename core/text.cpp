// SPDX-License-Identifier: Apache-2.0
// Escaping of text from strangers. Decodes UTF-8 strictly; never looks at the locale.
#include "core/text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace volgrow {
namespace {

struct Character {
  char32_t code;
  std::size_t length;
};

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// Length of the sequence that `lead` begins, 0 when no sequence begins with it.
std::size_t sequence_length(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/// Overlong forms, surrogates and what lies beyond Unicode (RFC 3629).
bool is_scalar(char32_t code, std::size_t length) {
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code >= smallest.at(length) && code <= 0x10ffff && !surrogate;
}

/// The first character of a text that is not empty; nullopt when it is not UTF-8.
std::optional<Character> first_character(std::string_view text) {
  const auto lead = byte_at(text, 0);
  const auto length = sequence_length(lead);
  if (length == 1) return Character{lead, 1};
  if (length == 0 || length > text.size()) return std::nullopt;
  char32_t code = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return std::nullopt;
    code = (code << 6) | (byte_at(text, i) & 0x3fU);
  }
  if (!is_scalar(code, length)) return std::nullopt;
  return Character{code, length};
}

bool is_plain(char32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool separator = code == 0x2028 || code == 0x2029;
  return !control && !separator;
}

void escape(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    out.append("\\x").append(to_hex(bytes.substr(i, 1)));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    const auto bytes = text.substr(0, character ? character->length : 1);
    if (character && is_plain(character->code)) {
      out.append(bytes);
    } else {
      escape(out, bytes);
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

std::string cited(std::string_view text) {
  constexpr std::size_t longest = 80;
  auto shown = text.substr(0, longest);
  // A cut through a character would show its first half as rubbish.
  while (shown.size() < text.size() && !shown.empty() &&
         (byte_at(text, shown.size()) & 0xc0) == 0x80)
    shown.remove_suffix(1);
  return '"' + printable(shown) + (shown.size() < text.size() ? "…\"" : "\"");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view white = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out.push_back(digits[byte_at(bytes, i) >> 4]);
    out.push_back(digits[byte_at(bytes, i) & 0xf]);
  }
  return out;
}

}  // namespace volgrow
