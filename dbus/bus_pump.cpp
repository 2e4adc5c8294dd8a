// SPDX-License-Identifier: Apache-2.0
// poll(2) data of sd-bus as Watches: one descriptor, one timer, and a look before every sleep.
#include "dbus/bus_pump.h"

#include <sdbus-c++/sdbus-c++.h>

#include <utility>

namespace volgrow::bus {
namespace {

// A peer that floods us gets no more than this before timers, device events and workers have their
// turn.
constexpr int messages_per_turn = 32;

}  // namespace

Result<void> BusPump::start() {
  const auto poll = connection_.getEventLoopPollData();
  events_ = static_cast<std::uint32_t>(poll.events);
  auto ready = loop_.on_ready(poll.fd, events_, [this](std::uint32_t) { turn(); });
  if (!ready) return std::unexpected(std::move(ready.error()));
  auto before_waiting = loop_.before_waiting([this] { prepare(); });
  if (!before_waiting) return std::unexpected(std::move(before_waiting.error()));
  ready_ = std::move(*ready);
  before_waiting_ = std::move(*before_waiting);
  return {};
}

void BusPump::turn() {
  try {
    for (int i = 0; i < messages_per_turn && connection_.processPendingRequest(); ++i)
      callbacks_.after_dispatch();
  } catch (const sdbus::Error&) {
    lost();
  }
  callbacks_.after_dispatch();
}

void BusPump::prepare() {
  try {
    const auto poll = connection_.getEventLoopPollData();
    wait_for(static_cast<std::uint32_t>(poll.events));
    wake_at(poll.timeout_usec);
  } catch (const sdbus::Error&) {
    lost();
  }
}

void BusPump::wait_for(std::uint32_t events) {
  if (events == events_) return;
  events_ = events;
  loop_.change_events(*ready_, events);
}

/// `when`: microseconds of CLOCK_MONOTONIC; 0 when messages are waiting in sd-bus's own queue.
void BusPump::wake_at(std::uint64_t when) {
  if (when == armed_for_) return;
  timer_.reset();
  armed_for_ = when;
  if (when == never) return;
  auto timer = loop_.at(TimePoint(Duration(static_cast<Duration::rep>(when))), [this] {
    armed_for_ = never;
    turn();
  });
  if (timer) timer_ = std::move(*timer);
}

void BusPump::lost() {
  timer_.reset();
  ready_.reset();
  before_waiting_.reset();
  callbacks_.lost();
}

}  // namespace volgrow::bus
