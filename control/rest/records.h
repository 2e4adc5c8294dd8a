// SPDX-License-Identifier: Apache-2.0
// The store as operations use it: what goes wrong there is logged here, once, and is a 500 to the
// client. Nobody waits here for what was written to be durable: answers do (Reply).
#pragma once

#include <string_view>
#include <utility>

#include "control/fault.h"
#include "control/store.h"
#include "core/error.h"
#include "service/commits.h"
#include "service/log.h"

namespace volgrow::control::rest {

class Records {
 public:
  Records(CommitsOf<Store>& commits, Store& store, Log& log)
      : commits_(commits), store_(store), log_(log) {}

  Store& store() const { return store_; }
  /// The store within a transaction that will be committed.
  Outcome<Store*> changing() const { return checked(commits_.open()); }

  template <class T>
  Outcome<T> checked(Result<T> result) const {
    if (result) return std::move(*result);
    return server_fault(result.error(), log_);
  }
  Outcome<void> checked(const Result<void>& result) const {
    if (result) return {};
    return server_fault(result.error(), log_);
  }

 private:
  CommitsOf<Store>& commits_;
  Store& store_;
  Log& log_;
};

/// The fault of an outcome that has one, for whoever passes it on with another value.
template <class T>
std::unexpected<Fault> fault_of(Outcome<T>& outcome) {
  return std::unexpected(std::move(outcome.error()));
}

}  // namespace volgrow::control::rest
