// SPDX-License-Identifier: Apache-2.0
// UUIDs out of getrandom(2), which does not fail for so few bytes once a system has booted.
#include "core/uuid.h"

#include <sys/random.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>

#include "core/text.h"

namespace volgrow {

std::string new_uuid() {
  std::string bytes(16, '\0');
  while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    if (errno != EINTR) std::abort();  // no entropy at all: an id that is not unique helps nobody
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  auto text = to_hex(bytes);
  for (const std::size_t hyphen : {8U, 13U, 18U, 23U})
    text.insert(hyphen, 1, '-');
  return text;
}

bool is_uuid(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '-') digits.push_back(c);
  if (digits.size() != 32) return false;
  for (const char c : digits)
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return false;
  return text.size() == 32 || (text.size() == 36 && text[8] == '-' && text[13] == '-' &&
                               text[18] == '-' && text[23] == '-');
}

}  // namespace volgrow
