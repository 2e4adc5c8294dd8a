// SPDX-License-Identifier: Apache-2.0
// Python's idea of white space (str.isspace), over UTF-8.
#include "control/rest/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

namespace volgrow::control::rest::words {
namespace {

constexpr std::string_view ascii_white = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
// U+0085 U+00A0 U+1680 U+2000…U+200A U+2028 U+2029 U+202F U+205F U+3000
constexpr std::array<std::string_view, 19> wide_white{
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

/// Bytes of white space at the front, or at the back; 0 when there is none.
template <class Meets>
std::size_t white(std::string_view text, char end, Meets meets) {
  if (ascii_white.find(end) != std::string_view::npos) return 1;
  const auto* found =
      std::ranges::find_if(wide_white, [&](std::string_view space) { return meets(text, space); });
  return found == wide_white.end() ? 0 : found->size();
}

std::size_t white_in_front(std::string_view text) {
  if (text.empty()) return 0;
  return white(text, text.front(), [](auto t, auto space) { return t.starts_with(space); });
}

std::size_t white_behind(std::string_view text) {
  if (text.empty()) return 0;
  return white(text, text.back(), [](auto t, auto space) { return t.ends_with(space); });
}

/// How many bytes the first character of a text that is not empty has; 0 when it is not UTF-8.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Longer than needed, a surrogate, or beyond Unicode (RFC 3629).
  const bool odd = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
                   (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
  return odd ? 0 : length;
}

void append_quoted(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      out.push_back('+');
    } else if (std::isalnum(byte) != 0 ||
               std::string_view("_.-~").find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    }
  }
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> split_at_white(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(ascii_white), text.size()));
    if (text.empty()) return parts;
    const auto end = std::min(text.find_first_of(ascii_white), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::size_t length(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view stripped(std::string_view utf8) {
  for (auto n = white_in_front(utf8); n > 0; n = white_in_front(utf8))
    utf8.remove_prefix(n);
  for (auto n = white_behind(utf8); n > 0; n = white_behind(utf8))
    utf8.remove_suffix(n);
  return utf8;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string urlencoded(const http::Parameters& query) {
  std::string out;
  for (const auto& [key, value] : query) {
    if (!out.empty()) out.push_back('&');
    append_quoted(out, key);
    out.push_back('=');
    append_quoted(out, value);
  }
  return out;
}

}  // namespace volgrow::control::rest::words
