// SPDX-License-Identifier: Apache-2.0
// Carries the agent's reports to control and acknowledges what control stored, or refused for good.
// Woken when reports wait; what cannot be delivered stays with the agent and is tried again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/event_loop.h"
#include "dbus/async_client.h"
#include "relay/config.h"
#include "relay/control_plane.h"
#include "service/log.h"

namespace volgrow::relay {

class Courier {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    const Config& config;
    bus::AsyncClient& agent;
    ControlPlane& control;
    Log& log;
    std::function<double()> random;  ///< in [0, 1)
  };

  explicit Courier(Needs needs) : needs_(std::move(needs)) {}
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// Reports wait, or may wait. Does not shorten the pause after a failure: many reports are no
  /// reason to ask a control that is down more often.
  void wake();

 private:
  using Reports = std::vector<bus::OutboxEntry>;

  void fetch();
  void fetched(Result<Reports> reports);
  void deliver(Reports reports);
  void delivered(const Reports& reports, const Result<DeliveredReports>& outcome);
  void find_malformed(const Reports& reports, const Error& error);
  void acknowledge(const std::vector<std::uint64_t>& sequences);
  void acknowledged(const Result<void>& done);
  void rest();
  void pause(const Error& error);
  void log_once(const Error& error);
  void log_refused(const Reports& reports, const RefusedReport& refused);
  void fetch_at(TimePoint when);
  Deadline answer_deadline() const;

  Needs needs_;
  bool resting_ = true;
  std::uint32_t failures_ = 0;  ///< in a row
  std::string told_;            ///< the failure that the log knows of
  EventLoop::Watch next_;
  ControlPlane::Pending sending_;
};

/// As many as fit into one request, and one at least; in their order.
std::vector<bus::OutboxEntry> fitting(std::vector<bus::OutboxEntry> reports, Bytes most);

/// Those of the delivered reports that the agent need not keep: what control was not given is left.
std::vector<std::uint64_t> settled(const std::vector<bus::OutboxEntry>& reports,
                                   const DeliveredReports& delivered);

}  // namespace volgrow::relay
