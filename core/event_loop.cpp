// SPDX-License-Identifier: Apache-2.0
// The event loop over sd-event. sd-event is C: no exception may pass through its frames, so one
// that leaves a callback ends run() as an error. Not thread safe; the thread that runs the loop
// owns it.
#include "core/event_loop.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <csignal>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

namespace volgrow {
namespace {

struct EventUnref {
  void operator()(sd_event* event) const { sd_event_unref(event); }
};
struct SourceUnref {
  // Disabled first: sd-event may hold a reference of its own while it dispatches the source.
  void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using EventRef = std::unique_ptr<sd_event, EventUnref>;
using SourceRef = std::unique_ptr<sd_event_source, SourceUnref>;

// sd-event's default of 250 ms would group wake-ups at the cost of every deadline; we have no
// periodic timers whose grouping would save anything.
constexpr std::uint64_t timer_accuracy_us = 1;
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// Why run() should return, and what makes it do so. (sd_event_exit would end the loop for good;
/// ours can run again.)
struct Ending {
  // Enabled, it ends a turn of the loop in which nothing else is ready: the end may be asked for
  // from before_waiting.
  SourceRef wake;
  std::optional<int> status;
  std::optional<Error> failure;

  void exit(int with_status) {
    status = with_status;
    sd_event_source_set_enabled(wake.get(), SD_EVENT_ONESHOT);
  }
  void fail(Error error) {
    if (!failure) failure = std::move(error);
    sd_event_source_set_enabled(wake.get(), SD_EVENT_ONESHOT);
  }
};

std::uint64_t microseconds(TimePoint when) {
  const auto count = when.time_since_epoch().count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

int nothing(sd_event_source*, void*) {
  return 0;
}

}  // namespace

/// Shared with the trampoline while a callback runs, so that a callback may destroy its own Watch
/// and still finish on live captures.
class EventLoop::Source {
 public:
  struct Registration {
    Ending& ending;
    FdCallback callback;
    SourceRef source;
  };

  explicit Source(std::shared_ptr<Registration> registration)
      : registration_(std::move(registration)) {
    sd_event_source_set_userdata(get(), &registration_);
  }
  ~Source() { registration_->source.reset(); }

  sd_event_source* get() const { return registration_->source.get(); }

  /// `userdata` is a live Source's pointer: sd-event calls no source that has been disabled.
  static int call(void* userdata, std::uint32_t ready) {
    const auto registration = *static_cast<std::shared_ptr<Registration>*>(userdata);
    try {
      registration->callback(ready);
    } catch (const std::exception& e) {
      fail(*registration, e.what());
    } catch (...) {
      fail(*registration, "no std::exception");
    }
    return 0;
  }

 private:
  static void fail(Registration& registration, const char* what) {
    registration.ending.fail(
        Error{ErrorCode::internal, fmt::format("an event's callback threw: {}", what), {}, 0});
  }

  std::shared_ptr<Registration> registration_;
};

void EventLoop::SourceDeleter::operator()(Source* source) const {
  std::default_delete<Source>()(source);
}

namespace {

int dispatch(sd_event_source*, void* userdata) {
  return EventLoop::Source::call(userdata, 0);
}
int dispatch_io(sd_event_source*, int, std::uint32_t ready, void* userdata) {
  return EventLoop::Source::call(userdata, ready);
}
int dispatch_time(sd_event_source*, std::uint64_t, void* userdata) {
  return EventLoop::Source::call(userdata, 0);
}
int dispatch_signal(sd_event_source*, const signalfd_siginfo*, void* userdata) {
  return EventLoop::Source::call(userdata, 0);
}
int no_time(sd_event_source*, std::uint64_t, void*) {
  return 0;
}

class SdEventLoop final : public EventLoop {
 public:
  SdEventLoop(EventRef event, SourceRef wake) : event_(std::move(event)) {
    ending_.wake = std::move(wake);
  }

  Result<Watch> on_ready(int fd, std::uint32_t events, FdCallback callback) override;
  void change_events(Source& source, std::uint32_t events) override;
  Result<Watch> at(TimePoint when, Callback callback) override;
  Result<Watch> on_signal(int signal, Callback callback) override;
  Result<Watch> before_waiting(Callback callback) override;
  Result<Watch> when_idle(Callback callback) override;
  Result<void> enable_watchdog() override;
  Result<int> run() override;
  void exit(int status) override { ending_.exit(status); }

 private:
  Result<Watch> watch(int added, sd_event_source* source, std::string_view what,
                      FdCallback callback);
  Result<Watch> watch(int added, sd_event_source* source, std::string_view what,
                      Callback callback) {
    return watch(added, source, what, [call = std::move(callback)](std::uint32_t) { call(); });
  }

  EventRef event_;
  Ending ending_;
};

Result<EventLoop::Watch> SdEventLoop::watch(int added, sd_event_source* source,
                                            std::string_view what, FdCallback callback) {
  if (added < 0) return system_failure(-added, what);
  auto registration = std::make_shared<Source::Registration>(
      Source::Registration{ending_, std::move(callback), SourceRef(source)});
  return Watch(std::make_unique<Source>(std::move(registration)).release());
}

Result<EventLoop::Watch> SdEventLoop::on_ready(int fd, std::uint32_t events, FdCallback callback) {
  sd_event_source* source = nullptr;
  const int added = sd_event_add_io(event_.get(), &source, fd, events, dispatch_io, nullptr);
  return watch(added, source, "watch a descriptor", std::move(callback));
}

void SdEventLoop::change_events(Source& source, std::uint32_t events) {
  const int changed = sd_event_source_set_io_events(source.get(), events);
  if (changed >= 0) return;
  // Only a source that is no descriptor, or a descriptor closed under its Watch, gets here.
  ending_.fail(system_failure(-changed, "change the events of a descriptor").error());
}

Result<EventLoop::Watch> SdEventLoop::at(TimePoint when, Callback callback) {
  sd_event_source* source = nullptr;
  const int added = sd_event_add_time(event_.get(), &source, CLOCK_MONOTONIC, microseconds(when),
                                      timer_accuracy_us, dispatch_time, nullptr);
  return watch(added, source, "set a timer", std::move(callback));
}

Result<EventLoop::Watch> SdEventLoop::on_signal(int signal, Callback callback) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr))
    return system_failure(error, "block a signal");
  sd_event_source* source = nullptr;
  const int added = sd_event_add_signal(event_.get(), &source, signal, dispatch_signal, nullptr);
  return watch(added, source, "watch a signal", std::move(callback));
}

Result<EventLoop::Watch> SdEventLoop::before_waiting(Callback callback) {
  // sd-event prepares enabled sources only, so the carrier is one that never becomes ready: a timer
  // at the end of time, which costs neither a descriptor nor a turn of the loop.
  sd_event_source* source = nullptr;
  int added = sd_event_add_time(event_.get(), &source, CLOCK_MONOTONIC, never, timer_accuracy_us,
                                no_time, nullptr);
  if (added >= 0) added = sd_event_source_set_prepare(source, dispatch);
  return watch(added, source, "prepare for waiting", std::move(callback));
}

Result<EventLoop::Watch> SdEventLoop::when_idle(Callback callback) {
  sd_event_source* source = nullptr;
  int added = sd_event_add_defer(event_.get(), &source, dispatch, nullptr);
  if (added >= 0) added = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
  return watch(added, source, "defer work", std::move(callback));
}

Result<void> SdEventLoop::enable_watchdog() {
  const int enabled = sd_event_set_watchdog(event_.get(), 1);
  if (enabled < 0) return system_failure(-enabled, "enable the watchdog");
  return {};
}

Result<int> SdEventLoop::run() {
  while (!ending_.status && !ending_.failure) {
    const int turned = sd_event_run(event_.get(), never);
    if (turned < 0) return system_failure(-turned, "wait for events");
  }
  sd_event_source_set_enabled(ending_.wake.get(), SD_EVENT_OFF);
  const auto status = std::exchange(ending_.status, std::nullopt);
  if (auto failed = std::exchange(ending_.failure, std::nullopt)) return std::unexpected(*failed);
  return *status;
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  sd_event* event = nullptr;
  if (const int made = sd_event_new(&event); made < 0)
    return system_failure(-made, "make an event loop");
  EventRef owned(event);
  sd_event_source* wake = nullptr;
  int added = sd_event_add_defer(event, &wake, nothing, nullptr);
  SourceRef owned_wake(wake);
  if (added >= 0) added = sd_event_source_set_enabled(wake, SD_EVENT_OFF);
  if (added < 0) return system_failure(-added, "make an event loop");
  return std::make_unique<SdEventLoop>(std::move(owned), std::move(owned_wake));
}

void notify_service_manager(const char* state) {
  sd_notify(0, state);
}

}  // namespace volgrow
