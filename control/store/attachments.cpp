// SPDX-License-Identifier: Apache-2.0
// Attachments, and what is believed of their hosts.
#include "control/store/columns.h"
#include "control/store/pages.h"
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

AttachmentRow row_of(const Attachment& attachment) {
  AttachmentRow row;
  row.id = attachment.id;
  row.volume_id = attachment.volume_id;
  row.project_id = attachment.project_id;
  row.instance_uuid = Text(attachment.instance_uuid);
  row.attached_host = Text(attachment.attached_host);
  row.mountpoint = Text(attachment.mountpoint);
  row.attach_status = name_of(attachment.attach_status);
  row.attach_mode = Text(attachment.attach_mode);
  row.attach_time = nullable(attachment.attach_time);
  row.detach_time = nullable(attachment.detach_time);
  row.connector = to_json(attachment.connector);
  row.connection_info = to_json(attachment.connection_info);
  row.host_state = name_of(attachment.host.state);
  if (attachment.host.bytes) row.host_bytes = Number(bits(attachment.host.bytes->count()));
  row.host_reason = attachment.host.reason;
  row.renotified = attachment.host.renotified;
  row.host_since = nullable(attachment.host.since);
  row.report_due = nullable(attachment.host.report_due);
  row.created_at = micros(attachment.created_at);
  row.updated_at = nullable(attachment.updated_at);
  return row;
}

HostView host_of(const AttachmentRow& row) {
  const auto bytes = row.host_bytes.get();
  return {.state = host_state_named(row.host_state).value_or(HostState::none),
          .bytes = bytes ? std::optional(Bytes(unsigned_of(*bytes))) : std::nullopt,
          .reason = row.host_reason,
          .renotified = static_cast<std::uint32_t>(row.renotified),
          .since = time_in(row.host_since),
          .report_due = time_in(row.report_due)};
}

Attachment attachment_of(const AttachmentRow& row) {
  return {.id = row.id,
          .volume_id = row.volume_id,
          .project_id = row.project_id,
          .instance_uuid = row.instance_uuid.get(),
          .attached_host = row.attached_host.get(),
          .mountpoint = row.mountpoint.get(),
          .attach_status = attach_status_named(row.attach_status).value_or(AttachStatus::detached),
          .attach_mode = row.attach_mode.get(),
          .attach_time = time_in(row.attach_time),
          .detach_time = time_in(row.detach_time),
          .connector = value_in(row.connector),
          .connection_info = value_in(row.connection_info),
          .host = host_of(row),
          .created_at = time_of(row.created_at),
          .updated_at = time_in(row.updated_at)};
}

}  // namespace

Result<void> SqliteStore::add_attachment(const Attachment& attachment) {
  return change([&] { tables().attachments.insert(row_of(attachment)); });
}

Result<std::optional<Attachment>> SqliteStore::attachment(const std::string& id) {
  return perform([&]() -> Result<std::optional<Attachment>> {
    const auto row = tables().attachments.find(id);
    return row ? std::optional(attachment_of(*row)) : std::nullopt;
  });
}

Result<std::vector<Attachment>> SqliteStore::attachments_of(const std::string& volume_id) {
  return perform([&]() -> Result<std::vector<Attachment>> {
    return values_of(
        rows_of<AttachmentRow>(
            sql(), "from attachments where volume_id = :id order by created_at, id", volume_id),
        attachment_of);
  });
}

Result<std::vector<Attachment>> SqliteStore::attachments(const AttachmentPage& page) {
  return perform([&]() -> Result<std::vector<Attachment>> {
    if (auto there = require_marker("attachments", page); !there)
      return std::unexpected(std::move(there.error()));
    auto query = query_for(page);
    if (!query) return std::unexpected(std::move(query.error()));
    return values_of(rows_of<AttachmentRow>(sql(), *query), attachment_of);
  });
}

Result<void> SqliteStore::change_attachment(const Attachment& attachment) {
  return change([&] { tables().attachments.update(row_of(attachment)); });
}

Result<void> SqliteStore::remove_attachment(const std::string& id) {
  return change([&] { tables().attachments.remove(id); });
}

Result<std::vector<Attachment>> SqliteStore::overdue(WallTime now) {
  return perform([&]() -> Result<std::vector<Attachment>> {
    return values_of(
        rows_of<AttachmentRow>(
            sql(), "from attachments where report_due <= :now order by report_due", micros(now)),
        attachment_of);
  });
}

Result<std::optional<WallTime>> SqliteStore::next_report_due() {
  return perform([&]() -> Result<std::optional<WallTime>> {
    const auto rows = rows_of<NumberRow>(
        sql(),
        "from (select report_due as number from attachments where report_due is not null"
        " order by report_due limit 1)");
    return rows.empty() ? std::nullopt : std::optional(time_of(rows.front().number));
  });
}

Result<std::vector<Attachment>> SqliteStore::unsettled() {
  return perform([&]() -> Result<std::vector<Attachment>> {
    return values_of(rows_of<AttachmentRow>(sql(),
                                            "from attachments where host_state not in"
                                            " ('none', 'confirmed') order by host_since, id"),
                     attachment_of);
  });
}

}  // namespace volgrow::control
