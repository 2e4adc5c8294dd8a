// SPDX-License-Identifier: Apache-2.0
// The tables of cinder/message/message_field.py, as far as we say any of it.
#include "control/user_messages.h"

#include <fmt/format.h>

#include <array>

#include "core/uuid.h"

namespace volgrow::control {
namespace {

template <class E>
struct Words {
  E value;
  std::string_view id;
  std::string_view text;
};

constexpr std::array actions{
    Words<Action>{Action::schedule_allocate_volume, "001", "schedule allocate volume"},
    Words<Action>{Action::extend_volume, "007", "extend volume"},
    Words<Action>{Action::create_volume_from_back_end, "008", "create volume from backend storage"},
};

constexpr std::array details{
    Words<Detail>{Detail::unknown_error, "001", "An unknown error occurred."},
    Words<Detail>{Detail::driver_not_ready, "002", "Driver is not initialized at present."},
    Words<Detail>{Detail::no_back_end, "003", "Could not find any available weighted backend."},
    Words<Detail>{Detail::quota_exceeded, "006", "Not enough quota resource for operation."},
    Words<Detail>{Detail::notifying_failed, "009", "Compute service failed to extend volume."},
    Words<Detail>{Detail::driver_failed_extend, "010", "Volume Driver failed to extend volume."},
    Words<Detail>{Detail::driver_failed_create, "012", "Driver failed to create the volume."},
};

template <class Table, class E>
std::string_view id_of(const Table& table, E value) {
  for (const auto& row : table)
    if (row.value == value) return row.id;
  return "001";
}

template <class Table>
std::string_view text_for(const Table& table, std::string_view id) {
  for (const auto& row : table)
    if (row.id == id) return row.text;
  return "unknown";
}

}  // namespace

Message make_message(const Volume& volume, const std::string& request_id, Action action,
                     Detail detail, WallTime now) {
  return {.id = new_uuid(),
          .project_id = volume.project_id,
          .request_id = request_id,
          .resource_uuid = volume.id,
          .action_id = std::string(id_of(actions, action)),
          .detail_id = std::string(id_of(details, detail)),
          .created_at = now,
          .expires_at = now + message_lifetime};
}

std::string event_id_of(const Message& message) {
  return fmt::format("VOLUME_VOLUME_{}_{}", message.action_id, message.detail_id);
}

std::string text_of(const Message& message) {
  return fmt::format("{}:{}", text_for(actions, message.action_id),
                     text_for(details, message.detail_id));
}

}  // namespace volgrow::control
