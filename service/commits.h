// SPDX-License-Identifier: Apache-2.0
// Groups what one turn of the loop writes to a database into one durable transaction: a thousand
// jobs that end together cost one fdatasync, and nobody is told anything before it.
#pragma once

#include <functional>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"

namespace volgrow {

/// A store whose writes can be grouped.
class Grouping {
 public:
  virtual ~Grouping() = default;
  /// Groups everything until `commit` into one durable transaction; `begin` while one is open does
  /// nothing. After a failed commit nothing since `begin` has happened. Errors: Internal, from the
  /// database.
  virtual Result<void> begin() = 0;
  virtual Result<void> commit() = 0;
};

class GroupedCommits {
 public:
  /// Given what became of the transaction it waited for.
  using Then = std::move_only_function<void(const Result<void>&)>;

  GroupedCommits(EventLoop& loop, const Clock& clock, Grouping& store)
      : loop_(loop), clock_(clock), store_(store) {}

  /// What is written to the store now is durable when `then` of the next after() runs. Errors:
  /// Internal, from the database.
  Result<void> begin();
  /// Runs `then` on the loop when everything written so far is durable, or was lost.
  void after(Then then);
  /// Commits now; for the end of the program.
  void flush();
  /// A transaction is open, or somebody waits for it.
  bool pending() const { return idle_ != nullptr; }

 private:
  void arm();
  bool overdue() const;

  EventLoop& loop_;
  const Clock& clock_;
  Grouping& store_;
  std::vector<Then> waiting_;
  TimePoint oldest_{};
  EventLoop::Watch idle_;
};

/// The same, with the store at hand only while a transaction is open.
template <class Store>
class CommitsOf : public GroupedCommits {
 public:
  CommitsOf(EventLoop& loop, const Clock& clock, Store& store)
      : GroupedCommits(loop, clock, store), store_(store) {}

  Result<Store*> open() {
    if (auto begun = begin(); !begun) return std::unexpected(std::move(begun.error()));
    return &store_;
  }

 private:
  Store& store_;
};

}  // namespace volgrow
