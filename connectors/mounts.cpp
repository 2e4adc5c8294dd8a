// SPDX-License-Identifier: Apache-2.0
// mountinfo: fields are separated by one space; space, tab, newline and backslash inside them are
// \ooo; a lone "-" ends the optional fields.
#include "connectors/mounts.h"

#include <algorithm>

namespace volgrow {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_octal(std::string_view digits) {
  return digits.size() == 3 && digits.find_first_not_of("01234567") == std::string_view::npos;
}

std::string unescaped(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto digits = field.substr(std::min(i + 1, field.size()), 3);
    if (field[i] != '\\' || !is_octal(digits)) {
      text.push_back(field[i]);
      continue;
    }
    text.push_back(
        static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0')));
    i += 3;
  }
  return text;
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  constexpr std::size_t point_field = 4;
  std::vector<Mount> mounts;
  for (const auto line : split(text, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() <= point_field) continue;
    const auto dash = std::find(fields.begin() + point_field, fields.end(), "-");
    if (fields.end() - dash < 3) continue;
    mounts.push_back({unescaped(fields[point_field]), unescaped(dash[1]), unescaped(dash[2])});
  }
  return mounts;
}

}  // namespace volgrow
