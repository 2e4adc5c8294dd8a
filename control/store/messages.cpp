// SPDX-License-Identifier: Apache-2.0
// What users are told of failures.
#include "control/store/pages.h"
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

MessageRow row_of(const Message& message) {
  return {.id = message.id,
          .project_id = message.project_id,
          .request_id = message.request_id,
          .resource_uuid = message.resource_uuid,
          .action_id = message.action_id,
          .detail_id = message.detail_id,
          .created_at = micros(message.created_at),
          .expires_at = micros(message.expires_at)};
}

Message message_of(const MessageRow& row) {
  return {.id = row.id,
          .project_id = row.project_id,
          .request_id = row.request_id,
          .resource_uuid = row.resource_uuid,
          .action_id = row.action_id,
          .detail_id = row.detail_id,
          .created_at = time_of(row.created_at),
          .expires_at = time_of(row.expires_at)};
}

}  // namespace

Result<void> SqliteStore::add_message(const Message& message) {
  return change([&] { tables().messages.insert(row_of(message)); });
}

Result<std::vector<Message>> SqliteStore::messages(const MessagePage& page) {
  return perform([&]() -> Result<std::vector<Message>> {
    if (auto there = require_marker("messages", page); !there)
      return std::unexpected(std::move(there.error()));
    auto query = query_for(page);
    if (!query) return std::unexpected(std::move(query.error()));
    return values_of(rows_of<MessageRow>(sql(), *query), message_of);
  });
}

Result<std::optional<Message>> SqliteStore::message(const std::string& id) {
  return perform([&]() -> Result<std::optional<Message>> {
    const auto row = tables().messages.find(id);
    return row ? std::optional(message_of(*row)) : std::nullopt;
  });
}

Result<void> SqliteStore::remove_message(const std::string& id) {
  return change([&] { tables().messages.remove(id); });
}

}  // namespace volgrow::control
