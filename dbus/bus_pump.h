// SPDX-License-Identifier: Apache-2.0
// Runs an sdbus connection from our event loop. sd-bus wants to be asked before every sleep what it
// waits for; it has no wake-up for other threads and needs none here.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "core/error.h"
#include "core/event_loop.h"

namespace sdbus {
class IConnection;
}

namespace volgrow::bus {

class BusPump {
 public:
  struct Callbacks {
    /// After every message, outside sd-bus: here its objects may be removed.
    std::function<void()> after_dispatch = [] {};
    /// The connection is gone; nothing is called any more. Must not destroy the pump.
    std::function<void()> lost;
  };

  /// The loop and the connection must outlive it.
  BusPump(EventLoop& loop, sdbus::IConnection& connection, Callbacks callbacks)
      : loop_(loop), connection_(connection), callbacks_(std::move(callbacks)) {}

  /// Errors: Internal with errno. Throws what sdbus-c++ throws when the connection is not usable.
  Result<void> start();

 private:
  void turn();
  void prepare();
  void wait_for(std::uint32_t events);
  void wake_at(std::uint64_t when);
  void lost();

  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  EventLoop& loop_;
  sdbus::IConnection& connection_;
  Callbacks callbacks_;
  std::uint32_t events_ = 0;
  std::uint64_t armed_for_ = never;
  EventLoop::Watch ready_;
  EventLoop::Watch timer_;
  EventLoop::Watch before_waiting_;
};

}  // namespace volgrow::bus
