// SPDX-License-Identifier: Apache-2.0
// Blocking work of one back end, in a few threads beside the loop: each volume's one after the
// other, in the order it was asked for. Work that is not back at its deadline is given up, though
// not its thread: until the kernel lets go of that, the volume and one lane stay taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "backend/protocol.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"

namespace volgrow::backend {

class Lanes {
 public:
  /// Runs in a thread: it shares nothing that is not const.
  using Work = std::function<Result<Outcome>()>;
  using Then = std::move_only_function<void(Result<Outcome>)>;

  /// `most`: threads at once. `on_change` is called when stuck() has become another. Errors:
  /// Internal.
  static Result<std::unique_ptr<Lanes>> create(EventLoop& loop, const Clock& clock,
                                               std::size_t most, EventLoop::Callback on_change);
  /// Threads at work are left behind; they hold what they need.
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  /// `what` for messages. `then` runs once, on the loop, at the deadline at the latest; not at all
  /// when this is destroyed first. Errors it may get besides the work's: TimedOut, and Busy when
  /// its turn did not come.
  void submit(std::string volume, std::string what, Work work, Deadline deadline, Then then);

  /// Threads that have not come back by the deadline of their work.
  std::size_t stuck() const { return stuck_; }

 private:
  class Inbox;
  struct Task {
    std::uint64_t number;
    std::string volume;  ///< empty: the back end as a whole, one call at a time as well
    std::string what;
    Work work;
    Then then;  ///< empty when it was answered
    TimePoint since;
    EventLoop::Watch alarm;
    std::optional<std::jthread> thread;
  };
  using Tasks = std::list<Task>;

  Lanes(EventLoop& loop, const Clock& clock, std::size_t most, EventLoop::Callback on_change);
  void start_what_can();
  bool may_start(const Task& task) const;
  void start(Task& task);
  void on_results();
  void finish(std::uint64_t number, Result<Outcome> outcome);
  void on_deadline(std::uint64_t number);
  Error kept_waiting(const Task& task) const;

  EventLoop& loop_;
  const Clock& clock_;
  std::size_t most_;
  EventLoop::Callback on_change_;
  std::shared_ptr<Inbox> inbox_;
  Tasks tasks_;  ///< in the order they came, at work or not
  std::size_t at_work_ = 0;
  std::size_t stuck_ = 0;
  std::uint64_t last_number_ = 0;
  EventLoop::Watch results_;
};

}  // namespace volgrow::backend
