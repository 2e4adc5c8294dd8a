// SPDX-License-Identifier: Apache-2.0
// Nova's os-server-external-events: what a request may hold, and what an answer says
// (nova/api/openstack/compute/server_external_events.py and its schema). Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "http/message.h"
#include "relay/nova_fault.h"
#include "relay/nova_version.h"

namespace volgrow::relay {

struct Event {
  std::string name;
  std::optional<std::string> tag;  ///< of volume-extended: the volume's id
  Value::Object as_sent;           ///< the answer repeats it

  bool operator==(const Event&) const = default;
};

inline constexpr std::string_view volume_extended = "volume-extended";

/// `body` as it came. Faults: 400 in the words of Nova's schema check.
std::expected<std::vector<Event>, NovaFault> parse_events(std::string_view body,
                                                          NovaVersion version);

/// What became of one event.
struct EventVerdict {
  int code = 200;      ///< 200, 400, 404, 422, 500
  std::string reason;  ///< for people; Nova's own refusals have none

  bool operator==(const EventVerdict&) const = default;
};

/// 200, or 207 when any was refused. As many verdicts as events, in their order.
http::Response answer_of(std::vector<Event> events, const std::vector<EventVerdict>& verdicts);

}  // namespace volgrow::relay
