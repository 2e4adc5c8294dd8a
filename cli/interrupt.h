// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a value to wait for, not a handler: while a watch lives, SIGINT and SIGTERM are taken
// by a thread of its own. It decides nothing about what they mean.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

#include "core/fd.h"

namespace volgrow::cli {

/// SIGINT and SIGTERM wait for this thread, and for threads and children it makes meanwhile.
class InterruptsBlocked {
 public:
  InterruptsBlocked();
  InterruptsBlocked(const InterruptsBlocked&) = delete;
  InterruptsBlocked& operator=(const InterruptsBlocked&) = delete;
  ~InterruptsBlocked() { lift(); }

  /// As it was before; a signal that waited takes effect now.
  void lift();

 private:
  sigset_t before_{};
};

class InterruptWatch {
 public:
  /// Calls `then`, from another thread, each time a signal comes. Make it before any thread that
  /// does not block these signals.
  explicit InterruptWatch(std::function<void()> then);
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

 private:
  InterruptsBlocked blocked_;
  Fd signals_;
  Fd stop_;
  std::jthread thread_;
};

}  // namespace volgrow::cli
