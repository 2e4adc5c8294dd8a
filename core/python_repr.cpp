// SPDX-License-Identifier: Apache-2.0
// repr() of CPython 3.11: unicode_repr in unicodeobject.c, float_repr_style "short". Characters
// that no version of Unicode before ours had assigned are shown, not escaped.
#include "core/python_repr.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <variant>

namespace volgrow {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What str.isprintable() refuses: control, format, private use, surrogates, non-characters, and all
// white space but the blank.
constexpr std::array<Range, 30> not_printable{{
    {0x0000, 0x001f},   {0x007f, 0x00a0},    {0x00ad, 0x00ad},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},    {0x070f, 0x070f},   {0x0890, 0x0891},
    {0x08e2, 0x08e2},   {0x1680, 0x1680},    {0x180e, 0x180e},   {0x2000, 0x200f},
    {0x2028, 0x202f},   {0x205f, 0x206f},    {0x3000, 0x3000},   {0xd800, 0xf8ff},
    {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},    {0xfff0, 0xfffb},   {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd},  {0x13430, 0x13438}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff},  {0x2fffe, 0x2ffff}, {0x3fffe, 0x3ffff},
    {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff},
}};

bool is_printable(char32_t code) {
  const auto* range = std::ranges::lower_bound(not_printable, code, {}, &Range::last);
  return range == not_printable.end() || code < range->first;
}

struct Character {
  char32_t code;
  std::size_t bytes;
};

/// The first character of a text that is UTF-8, as everything that was JSON is. A byte that is not
/// stands for itself.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t length = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (length == 1 || length > text.size()) return {byte(0), 1};
  char32_t code = byte(0) & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i)
    code = (code << 6) | (byte(i) & 0x3fU);
  return {code, length};
}

void append_escape(std::string& out, char32_t code) {
  const auto number = static_cast<std::uint32_t>(code);
  if (number <= 0xff) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
  } else if (number <= 0xffff) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", number);
  }
}

void append_character(std::string& out, std::string_view bytes, char32_t code, char quote) {
  if (code == '\\' || code == static_cast<unsigned char>(quote)) {
    out.append(1, '\\').append(bytes);
  } else if (code == '\n') {
    out.append("\\n");
  } else if (code == '\r') {
    out.append("\\r");
  } else if (code == '\t') {
    out.append("\\t");
  } else if (!is_printable(code)) {
    append_escape(out, code);
  } else {
    out.append(bytes);
  }
}

void append_text(std::string& out, std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos;
  const bool twofold = text.find('"') != std::string_view::npos;
  const char quote = single && !twofold ? '"' : '\'';
  out.push_back(quote);
  while (!text.empty()) {
    const auto [code, bytes] = first_of(text);
    append_character(out, text.substr(0, bytes), code, quote);
    text.remove_prefix(bytes);
  }
  out.push_back(quote);
}

/// The shortest digits that are this number, with an exponent from 1e16 on and below 1e-4.
void append_number(std::string& out, double number) {
  if (std::isnan(number)) return static_cast<void>(out.append("nan"));
  if (std::isinf(number)) return static_cast<void>(out.append(number < 0 ? "-inf" : "inf"));
  const double size = std::abs(number);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  const std::string_view digits(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  out.append(digits);
  if (fixed && digits.find('.') == std::string_view::npos) out.append(".0");
}

void append(std::string& out, const Value& value);

struct Appender {
  std::string& out;

  void operator()(std::monostate) { out.append("None"); }
  void operator()(bool value) { out.append(value ? "True" : "False"); }
  void operator()(std::integral auto number) { out.append(fmt::format_int(number).c_str()); }
  void operator()(double number) { append_number(out, number); }
  void operator()(const std::string& text) { append_text(out, text); }
  void operator()(const Value::Array& items) {
    out.push_back('[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out.append(", ");
      append(out, items[i]);
    }
    out.push_back(']');
  }
  void operator()(const Value::Object& members) {
    out.push_back('{');
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out.append(", ");
      append_text(out, members[i].first);
      out.append(": ");
      append(out, members[i].second);
    }
    out.push_back('}');
  }
};

// NOLINTNEXTLINE(misc-no-recursion): a Value is no deeper than parse_json lets it be
void append(std::string& out, const Value& value) {
  std::visit(Appender{out}, value.data);
}

}  // namespace

std::string python_repr(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string python_str(const Value& value) {
  const auto* text = value.text();
  return text != nullptr ? *text : python_repr(value);
}

}  // namespace volgrow
