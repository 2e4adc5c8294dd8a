// SPDX-License-Identifier: Apache-2.0
// A real event loop whose timers follow a FakeClock: descriptors and signals are the kernel's, but
// a deadline passes only when the test says so.
#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/event_loop.h"
#include "core/fd.h"
#include "tests/fakes/fake_clock.h"

namespace volgrow {

class FakeTimeLoop final : public EventLoop {
 public:
  /// Moves the clock; timers due by then are called when the loop turns next.
  void advance(Duration by) {
    clock_.advance(by);
    for (const auto& weak : timers_)
      if (const auto timer = weak.lock()) timer->ring_if_due(clock_.now());
  }
  const Clock& clock() const { return clock_; }
  /// Timers set, not called and not destroyed: 0 means that no time will wake this loop.
  std::size_t timers() const {
    return static_cast<std::size_t>(std::ranges::count_if(timers_, [](const auto& weak) {
      const auto timer = weak.lock();
      return timer && !timer->called;
    }));
  }
  /// A timer is due and was not called yet.
  bool ringing() const {
    return std::ranges::any_of(timers_, [this](const auto& weak) {
      const auto timer = weak.lock();
      return timer && !timer->called && timer->when <= clock_.now();
    });
  }
  /// Turns the loop until `condition` holds before it would wait.
  template <class Condition>
  Result<int> run_until(Condition condition) {
    const auto check = before_waiting([&] {
      if (condition()) exit(0);
    });
    return run();
  }

  Result<Watch> on_ready(int fd, std::uint32_t events, FdCallback callback) override {
    return real_->on_ready(fd, events, std::move(callback));
  }
  void change_events(Source& source, std::uint32_t events) override {
    real_->change_events(source, events);
  }
  Result<Watch> at(TimePoint when, Callback callback) override {
    auto timer = std::make_shared<Timer>(when);
    std::erase_if(timers_, [](const auto& weak) { return weak.expired(); });
    timers_.push_back(timer);
    timer->ring_if_due(clock_.now());
    const int fd = timer->bell.get();
    return real_->on_ready(fd, EPOLLIN, [timer, call = std::move(callback)](std::uint32_t) {
      timer->silence();
      call();
    });
  }
  Result<Watch> on_signal(int signal, Callback callback) override {
    return real_->on_signal(signal, std::move(callback));
  }
  Result<Watch> before_waiting(Callback callback) override {
    return real_->before_waiting(std::move(callback));
  }
  Result<Watch> when_idle(Callback callback) override {
    return real_->when_idle(std::move(callback));
  }
  Result<void> enable_watchdog() override { return real_->enable_watchdog(); }
  Result<int> run() override { return real_->run(); }
  void exit(int status) override { real_->exit(status); }

 private:
  struct Timer {
    explicit Timer(TimePoint due) : when(due) {}
    void ring_if_due(TimePoint now) {
      if (now >= when && !called) ::eventfd_write(bell.get(), 1);
    }
    void silence() {
      called = true;
      eventfd_t rings = 0;
      ::eventfd_read(bell.get(), &rings);
    }

    TimePoint when;
    bool called = false;
    Fd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  };

  FakeClock clock_;
  std::unique_ptr<EventLoop> real_ = EventLoop::create().value();
  std::vector<std::weak_ptr<Timer>> timers_;
};

}  // namespace volgrow
