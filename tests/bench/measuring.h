// SPDX-License-Identifier: Apache-2.0
// What both benches measure with: a time, a series of them, and giving up.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace volgrow {

using Micros = std::chrono::duration<double, std::micro>;

[[noreturn]] inline void give_up(const std::string& why) {
  throw std::runtime_error(why);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Microseconds that `work` takes.
inline double timed(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return Micros(std::chrono::steady_clock::now() - begun).count();
}

struct Series {
  std::vector<double> micros;

  double quantile(double q) const {
    auto sorted = micros;
    std::ranges::sort(sorted);
    return sorted.at(static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1)));
  }
  double median() const { return quantile(0.5); }
};

}  // namespace volgrow
