// SPDX-License-Identifier: Apache-2.0
// What tests of this folder say about a Result, and the few values they all need.
#pragma once

#include <gmock/gmock.h>

#include <ostream>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

/// The whole error in a failing test's output, not its bytes.
inline void PrintTo(const Error& error, std::ostream* out) {
  *out << name_of(error.code) << ": " << error.message << " (device '" << error.device
       << "', errno " << error.error_number << ")";
}

MATCHER(Succeeds, "is a success") {
  if (arg.has_value()) return true;
  if (result_listener->stream() != nullptr) PrintTo(arg.error(), result_listener->stream());
  return false;
}

/// An error of this code whose sentence holds these words.
MATCHER_P2(FailsWith, code, words, "") {
  if (arg.has_value()) {
    *result_listener << "is a success";
    return false;
  }
  if (result_listener->stream() != nullptr) PrintTo(arg.error(), result_listener->stream());
  return arg.error().code == code && arg.error().message.find(words) != std::string::npos;
}

MATCHER_P2(ErrorIs, code, words, "") {
  return arg.code == code && arg.message.find(words) != std::string::npos;
}

}  // namespace volgrow
