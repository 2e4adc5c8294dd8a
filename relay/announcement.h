// SPDX-License-Identifier: Apache-2.0
// One request's volumes on their way to the agent: first control is asked for all their sizes, then
// the agent is told of each. One after another, because a request names one volume as a rule; so it
// has one call under way at most.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "dbus/async_client.h"
#include "relay/control_plane.h"
#include "relay/nova_events.h"
#include "service/log.h"

namespace volgrow::relay {

class Announcement {
 public:
  struct Needs {
    ControlPlane& control;
    bus::AsyncClient& agent;
    Log& log;
  };
  struct Order {
    std::vector<std::string> volumes;  ///< ids, each once
    std::string request_id;
    std::string global_request_id;  ///< of whoever started it all; may be empty
    Deadline deadline;
  };
  /// One verdict for each volume, in their order. An error means that the whole request may pass
  /// later: a size could not be learnt, and then nobody was told anything, or the agent cannot take
  /// a job now. The announcement may be destroyed from within.
  using Then = std::move_only_function<void(Result<std::vector<EventVerdict>>)>;

  Announcement(Needs needs, Order order, Then then)
      : needs_(needs), order_(std::move(order)), then_(std::move(then)) {}
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;

  /// Once. May end, and destroy this, before it returns.
  void start() { ask_for_size(); }

 private:
  void ask_for_size();
  void got_size(Result<Bytes> size);
  void tell_agent();
  void agent_told(const Result<JobId>& job);
  void log(LogLevel level, const std::string& volume, std::string_view sentence,
           std::optional<JobId> job = std::nullopt);
  void end(Result<std::vector<EventVerdict>> result);

  Needs needs_;
  Order order_;
  Then then_;
  std::vector<Bytes> sizes_;
  std::vector<EventVerdict> verdicts_;
  ControlPlane::Pending asking_;
};

/// What an agent's refusal means for an event; nullopt when the same may pass later.
std::optional<EventVerdict> verdict_of(const Error& error);

}  // namespace volgrow::relay
