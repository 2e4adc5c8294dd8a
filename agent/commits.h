// SPDX-License-Identifier: Apache-2.0
// Groups what one turn of the loop writes to the journal into one durable transaction: a thousand
// jobs that end together cost one fdatasync, and nobody is told anything before it.
#pragma once

#include <functional>
#include <vector>

#include "agent/journal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"

namespace volgrow::agent {

class Commits {
 public:
  /// Given what became of the transaction it waited for.
  using Then = std::move_only_function<void(const Result<void>&)>;

  Commits(EventLoop& loop, const Clock& clock, Journal& journal)
      : loop_(loop), clock_(clock), journal_(journal) {}

  /// The journal with a transaction open: what is written to it now is durable when `then` of the
  /// next after() runs. Errors: Internal, from the database.
  Result<Journal*> open();
  /// Runs `then` on the loop when everything written so far is durable, or was lost.
  void after(Then then);
  /// Commits now; for the end of the program.
  void flush();

 private:
  void arm();
  bool overdue() const;

  EventLoop& loop_;
  const Clock& clock_;
  Journal& journal_;
  std::vector<Then> waiting_;
  TimePoint oldest_{};
  EventLoop::Watch idle_;
};

}  // namespace volgrow::agent
