// SPDX-License-Identifier: Apache-2.0
// The back ends as volgrow-control sees them: calls that end later, on its event loop. A fake
// implements ask() and nothing else.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "backend/protocol.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"

namespace volgrow::backend {

class Client {
 public:
  template <class T>
  using Then = std::move_only_function<void(Result<T>)>;

  virtual ~Client() = default;

  /// `then` runs once, on the loop and never inside ask(); not at all when this is destroyed first.
  /// The outcome is of the kind that belongs to the call.
  virtual void ask(Call call, Deadline deadline, Then<Outcome> then) = 0;

  /// client.call(Extend{{"fast", id}, 2_GiB}, deadline, [](Result<Measured> grown) { … });
  template <class C>
  void call(C call, Deadline deadline, Then<typename C::Answer> then) {
    ask(std::move(call), deadline, [then = std::move(then)](Result<Outcome> outcome) mutable {
      if (!outcome) return then(std::unexpected(std::move(outcome.error())));
      then(std::get<typename C::Answer>(*std::move(outcome)));
    });
  }
};

/// Connects at the first call and again after a connection was lost; a lost connection ends all
/// calls in flight as Unreachable, and each may be repeated: see protocol.h. Not thread safe; what
/// it is given must outlive it.
std::unique_ptr<Client> make_client(EventLoop& loop, const Clock& clock,
                                    std::filesystem::path socket);

}  // namespace volgrow::backend
