// SPDX-License-Identifier: Apache-2.0
// The client half for a program with an event loop: what the relay calls. Nothing waits, every call
// ends at its deadline, and a bus or a daemon that went away is found again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/model.h"
#include "dbus/service.h"

namespace volgrow::bus {

class AsyncClient {
 public:
  struct Options {
    std::string address{};  ///< empty: the system bus
    /// From one attempt to reach a bus that is not there to the next, doubled up to the slowest.
    /// `first_retry` is also the most that the bus daemon may take to note what we listen for: for
    /// that alone the loop waits.
    Duration first_retry = std::chrono::seconds(1);
    Duration slowest_retry = std::chrono::minutes(1);
    /// Reports wait, or may wait: there are more of them, or volgrowd or the bus is back.
    std::function<void()> on_outbox = [] {};
  };

  /// Connects now, and again whenever there is no connection. The loop and the clock must outlive
  /// it.
  static std::unique_ptr<AsyncClient> create(EventLoop& loop, const Clock& clock, Options options);
  /// Calls that are not answered yet never are.
  virtual ~AsyncClient() = default;

  /// Each reply comes once, now or later, from the loop. Errors: what the daemon answered; or
  /// Unreachable: no bus, no daemon, or no answer at the deadline.
  virtual void volume_changed(const std::string& volume_id, Bytes expected, Deadline deadline,
                              Reply<JobId> reply) = 0;
  virtual void list_outbox(std::uint32_t max, Deadline deadline,
                           Reply<std::vector<OutboxEntry>> reply) = 0;
  virtual void acknowledge(const std::vector<std::uint64_t>& sequences, Deadline deadline,
                           Reply<void> reply) = 0;
};

}  // namespace volgrow::bus
