// SPDX-License-Identifier: Apache-2.0
// Passwords compared with their bcrypt hashes, off the loop: each takes a tenth of a second by
// intention. One thread, and a queue that a stranger cannot make longer than it may be.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/event_loop.h"
#include "core/fd.h"

namespace volgrow::control::rest {

class PasswordLane {
 public:
  using Then = std::move_only_function<void(bool matches)>;

  static constexpr std::size_t most_waiting = 32;

  /// Errors: Internal with errno.
  static Result<std::unique_ptr<PasswordLane>> start(EventLoop& loop);
  explicit PasswordLane(Fd bell) : bell_(std::move(bell)) {}
  ~PasswordLane();

  /// `then` runs on the loop, later. False, and nothing done, when too many wait already.
  bool check(std::string password, std::string hash, Then then);

 private:
  struct Job {
    std::string password;
    std::string hash;
    Then then;
    bool matches = false;
  };

  void work(const std::stop_token& stop);
  std::optional<Job> next(const std::stop_token& stop);
  void deliver();

  Fd bell_;
  EventLoop::Watch rung_;
  std::mutex mutex_;  ///< guards both queues
  std::condition_variable_any wake_;
  std::deque<Job> waiting_;
  std::deque<Job> done_;
  std::jthread thread_;  ///< last: ends before what it uses
};

}  // namespace volgrow::control::rest
