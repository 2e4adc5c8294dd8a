// SPDX-License-Identifier: Apache-2.0
// Commits when the loop has nothing else to do, or when somebody has waited long enough.
#include "service/commits.h"

#include <utility>

namespace volgrow {
namespace {

// A loop that is never idle must still commit. Both bounds are far above what one commit costs
// (measured: 0.2 ms) and far below what a caller would notice.
constexpr std::size_t most_waiting = 256;
constexpr Duration longest_wait = std::chrono::milliseconds(5);

}  // namespace

Result<void> GroupedCommits::begin() {
  if (auto begun = store_.begin(); !begun) return begun;
  arm();
  return {};
}

void GroupedCommits::after(Then then) {
  if (waiting_.empty()) oldest_ = clock_.now();
  waiting_.push_back(std::move(then));
  if (overdue()) return flush();
  arm();
}

/// An open transaction always ends, also when whoever opened it met an error and went away.
void GroupedCommits::arm() {
  if (idle_) return;
  auto watch = loop_.when_idle([this] { flush(); });
  if (watch) idle_ = std::move(*watch);
}

bool GroupedCommits::overdue() const {
  return waiting_.size() >= most_waiting || clock_.now() - oldest_ > longest_wait;
}

void GroupedCommits::flush() {
  idle_.reset();
  auto waiting = std::exchange(waiting_, {});
  const auto committed = store_.commit();
  for (auto& then : waiting)
    then(committed);
}

}  // namespace volgrow
