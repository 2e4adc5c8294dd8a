// SPDX-License-Identifier: Apache-2.0
// Cinder's user messages: what a project is told that its 202 could not say (cinder/message).
#pragma once

#include <string>
#include <string_view>

#include "control/model.h"

namespace volgrow::control {

/// Why an extend did not end as asked: the last three digits of the message's event_id.
enum class Detail : std::uint8_t {
  unknown_error,         ///< 001
  driver_not_ready,      ///< 002
  no_back_end,           ///< 003
  quota_exceeded,        ///< 006
  notifying_failed,      ///< 009
  driver_failed_extend,  ///< 010
  driver_failed_create,  ///< 012
};
enum class Action : std::uint8_t {
  schedule_allocate_volume,    ///< 001
  extend_volume,               ///< 007
  create_volume_from_back_end  ///< 008
};

inline constexpr Duration message_lifetime = std::chrono::hours(24 * 30);  ///< Cinder's message_ttl

Message make_message(const Volume& volume, const std::string& request_id, Action action,
                     Detail detail, WallTime now);

/// "VOLUME_VOLUME_007_003".
std::string event_id_of(const Message& message);
/// "extend volume:Could not find any available weighted backend."; an id nobody knows is named.
std::string text_of(const Message& message);

}  // namespace volgrow::control
