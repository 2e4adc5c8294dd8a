// SPDX-License-Identifier: Apache-2.0
// A device is locked by number, because names are reused and a volume has several of them.
#include "stack/lock.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <cstdint>
#include <string_view>

namespace volgrow {
namespace {

/// FNV-1a, 64 bits: a path can be longer than a file name may be, and must give the same name in
/// every process. Two paths that collide only wait for each other.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

}  // namespace

std::string lock_name(const Layer& top) {
  const auto number = top.identity.number;
  if (number == 0) return fmt::format("file-{:016x}.lock", hash_of(top.device));
  return fmt::format("dev-{}:{}.lock", major(number), minor(number));
}

}  // namespace volgrow
