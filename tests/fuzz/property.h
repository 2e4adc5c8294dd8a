// SPDX-License-Identifier: Apache-2.0
// How a fuzz target says that a property does not hold: the run ends, and the input is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace volgrow::fuzz {

inline void holds(bool property, const char* sentence) {
  if (property) return;
  std::fprintf(stderr, "does not hold: %s\n", sentence);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace volgrow::fuzz

// libFuzzer looks for it by this name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
