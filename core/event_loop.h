// SPDX-License-Identifier: Apache-2.0
// One thread's event loop over sd-event: descriptors, moments, signals, and work for when nothing
// else is pending. Every registration is a Watch: destroy it to end it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

class EventLoop {
 public:
  class Source;
  struct SourceDeleter {
    void operator()(Source* source) const;
  };
  /// An active registration. Destroying it, even from inside its own callback, ends it.
  using Watch = std::unique_ptr<Source, SourceDeleter>;
  using Callback = std::function<void()>;
  /// poll(2)-like EPOLLIN, EPOLLOUT … bits.
  using FdCallback = std::function<void(std::uint32_t ready)>;

  /// Errors: Internal with errno.
  static Result<std::unique_ptr<EventLoop>> create();
  virtual ~EventLoop() = default;

  /// The descriptor stays the caller's and must outlive the Watch.
  virtual Result<Watch> on_ready(int fd, std::uint32_t events, FdCallback callback) = 0;
  virtual void change_events(Source& source, std::uint32_t events) = 0;
  /// Once, at `when` (CLOCK_MONOTONIC) or as soon after it as the loop turns.
  virtual Result<Watch> at(TimePoint when, Callback callback) = 0;
  /// `signal` is blocked in this thread and delivered here from now on.
  virtual Result<Watch> on_signal(int signal, Callback callback) = 0;
  /// Before the loop goes to sleep, every time.
  virtual Result<Watch> before_waiting(Callback callback) = 0;
  /// Once, when no other source is ready: the place to group work that many events asked for.
  virtual Result<Watch> when_idle(Callback callback) = 0;

  /// Pings systemd's watchdog from the loop itself, if the unit asks for one (WatchdogSec=).
  virtual Result<void> enable_watchdog() = 0;

  /// Runs until exit(). Returns what exit() was given. Errors: Internal with errno.
  virtual Result<int> run() = 0;
  virtual void exit(int status) = 0;
};

/// sd_notify(3), e.g. "READY=1"; nothing happens outside systemd.
void notify_service_manager(const char* state);

}  // namespace volgrow
