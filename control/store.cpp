// SPDX-License-Identifier: Apache-2.0
// The store in SQLite: rows become values here, and usage is counted where volumes are written.
#include "control/store.h"

#include <algorithm>
#include <array>

#include "core/json.h"
#include "service/database.h"

namespace volgrow::control {
namespace {

using namespace rows;

// Times are microseconds since the epoch, sizes GiB as Cinder counts them; bytes are 64-bit
// patterns. `serial` orders what was made in the same microsecond.
const DatabaseKind control_kind{
    .what = "database",
    .program = "volgrow-control",
    .loss = "volumes stay on their back ends, and what the control plane knew of them is lost",
    .application_id = 0x766f6c63,  // "volc"
    .schema =
        {"create table volumes (id text primary key, project_id text not null,"
         " user_id text not null, name text, description text, size integer not null,"
         " status text not null, previous_status text, attach_status text not null,"
         " migration_status text, volume_type_id text not null, backend text not null,"
         " availability_zone text not null, bootable integer not null,"
         " multiattach integer not null, readonly integer not null, metadata text not null,"
         " created_at integer not null, updated_at integer) strict, without rowid",
         "create index volumes_of_project on volumes (project_id, created_at, id)",
         "create index volumes_by_age on volumes (created_at, id)",
         "create index volumes_unfinished on volumes (status)"
         " where status in ('creating', 'deleting')",
         "create table usages (project_id text not null, volume_type_id text not null,"
         " volumes integer not null, gigabytes integer not null,"
         " primary key (project_id, volume_type_id)) strict, without rowid",
         "create table attachments (id text primary key,"
         " volume_id text not null references volumes (id), project_id text not null,"
         " instance_uuid text, attached_host text, mountpoint text, attach_status text not null,"
         " attach_mode text, attach_time integer, detach_time integer, connector text not null,"
         " connection_info text not null, host_state text not null, host_bytes integer,"
         " host_reason text not null, renotified integer not null, host_since integer,"
         " report_due integer,"
         " created_at integer not null, updated_at integer) strict, without rowid",
         "create index attachments_of_volume on attachments (volume_id, created_at)",
         "create index attachments_by_age on attachments (project_id, created_at, id)",
         "create index attachments_unsettled on attachments (host_since, id)"
         " where host_state not in ('none', 'confirmed')",
         "create index attachments_awaited on attachments (report_due)"
         " where report_due is not null",
         "create table exports (volume_id text not null references volumes (id),"
         " host text not null, attachment_id text not null, initiator text,"
         " primary key (volume_id, host, attachment_id)) strict, without rowid",
         "create table extends (id integer primary key autoincrement,"
         " volume_id text not null unique references volumes (id), project_id text not null,"
         " volume_type_id text not null, user_id text not null, request_id text not null,"
         " previous_status text not null, old_size integer not null, new_size integer not null,"
         " deferred integer not null, started_at integer not null) strict",
         "create index extends_of_project on extends (project_id)",
         "create table quota_limits (project_id text not null, resource text not null,"
         " hard_limit integer not null, primary key (project_id, resource))"
         " strict, without rowid",
         "create table types (id text primary key, name text not null unique, description text,"
         " is_public integer not null, extra_specs text not null, created_at integer not null,"
         " updated_at integer) strict, without rowid",
         "create table messages (id text primary key, project_id text not null,"
         " request_id text not null, resource_uuid text not null, action_id text not null,"
         " detail_id text not null, created_at integer not null, expires_at integer not null)"
         " strict, without rowid",
         "create index messages_of_project on messages (project_id, created_at, id)",
         "create table deliveries (id integer primary key autoincrement, receiver text not null,"
         " volume_id text not null, project_id text not null, request_id text not null,"
         " events text not null, attempts integer not null, due integer not null,"
         " created_at integer not null) strict",
         "create table reports (host text not null, journal text not null,"
         " sequence integer not null, volume_id text not null, attachment_id text not null,"
         " result text not null, received_at integer not null,"
         " primary key (host, journal, sequence)) strict, without rowid",
         "create index reports_of_attachment on reports (attachment_id, received_at)",
         "create index reports_of_volume on reports (volume_id)"},
    .additions = {},
    .seed = {}};

constexpr JsonLimits stored_json{.size = Bytes(std::uint64_t{16} << 20), .depth = 64};

// ---- optional and structured columns ----

using Text = Nullable<std::string>;
using Number = Nullable<long long>;

Number nullable(const std::optional<WallTime>& time) {
  return Number(time ? std::optional(micros(*time)) : std::nullopt);
}
std::optional<WallTime> time_in(const Number& column) {
  const auto stored = column.get();
  return stored ? std::optional(time_of(*stored)) : std::nullopt;
}

std::string text_of(const std::map<std::string, std::string>& pairs) {
  Value::Object object;
  for (const auto& [key, value] : pairs)
    object.emplace_back(key, value);
  return to_json(Value(std::move(object)));
}

std::map<std::string, std::string> pairs_in(const std::string& json) {
  std::map<std::string, std::string> pairs;
  const auto value = parse_json(json, stored_json);
  if (!value || !value->object()) return pairs;
  for (const auto& [key, member] : *value->object())
    if (const auto* text = member.text()) pairs.emplace(key, *text);
  return pairs;
}

Value value_in(const std::string& json) {
  auto value = parse_json(json, stored_json);
  return value ? std::move(*value) : Value();
}

// ---- rows ----

struct VolumeRow {
  using Key = std::string;
  std::string id, project_id, user_id;
  Text name, description;
  long long size = 0;
  std::string status;
  Text previous_status;
  std::string attach_status;
  Text migration_status;
  std::string type_id, backend, availability_zone;
  int bootable = 0, multiattach = 0, readonly = 0;
  std::string metadata;
  long long created_at = 0;
  Number updated_at;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each("project_id", project_id);
    each("user_id", user_id);
    each("name", name.value, name.state);
    each("description", description.value, description.state);
    each("size", size);
    each("status", status);
    each("previous_status", previous_status.value, previous_status.state);
    each("attach_status", attach_status);
    each("migration_status", migration_status.value, migration_status.state);
    each("volume_type_id", type_id);
    each("backend", backend);
    each("availability_zone", availability_zone);
    each("bootable", bootable);
    each("multiattach", multiattach);
    each("readonly", readonly);
    each("metadata", metadata);
    each("created_at", created_at);
    each("updated_at", updated_at.value, updated_at.state);
  }
};

VolumeRow row_of(const Volume& volume) {
  VolumeRow row;
  row.id = volume.id;
  row.project_id = volume.project_id;
  row.user_id = volume.user_id;
  row.name = Text(volume.name);
  row.description = Text(volume.description);
  row.size = volume.size;
  row.status = name_of(volume.status);
  if (volume.previous_status)
    row.previous_status = Text(std::string(name_of(*volume.previous_status)));
  row.attach_status = name_of(volume.attach_status);
  row.migration_status = Text(volume.migration_status);
  row.type_id = volume.type_id;
  row.backend = volume.backend;
  row.availability_zone = volume.availability_zone;
  row.bootable = volume.bootable ? 1 : 0;
  row.multiattach = volume.multiattach ? 1 : 0;
  row.readonly = volume.readonly ? 1 : 0;
  row.metadata = text_of(volume.metadata);
  row.created_at = micros(volume.created_at);
  row.updated_at = nullable(volume.updated_at);
  return row;
}

/// A word that is not ours (a newer version's) reads as error: an operator must look at it.
Volume volume_of(const VolumeRow& row) {
  const auto previous = row.previous_status.get();
  return {.id = row.id,
          .project_id = row.project_id,
          .user_id = row.user_id,
          .name = row.name.get(),
          .description = row.description.get(),
          .size = row.size,
          .status = volume_status_named(row.status).value_or(VolumeStatus::error),
          .previous_status = previous ? volume_status_named(*previous) : std::nullopt,
          .attach_status = attach_status_named(row.attach_status).value_or(AttachStatus::detached),
          .migration_status = row.migration_status.get(),
          .type_id = row.type_id,
          .backend = row.backend,
          .availability_zone = row.availability_zone,
          .bootable = row.bootable != 0,
          .multiattach = row.multiattach != 0,
          .readonly = row.readonly != 0,
          .metadata = pairs_in(row.metadata),
          .created_at = time_of(row.created_at),
          .updated_at = time_in(row.updated_at)};
}

struct AttachmentRow {
  using Key = std::string;
  std::string id, volume_id, project_id;
  Text instance_uuid, attached_host, mountpoint;
  std::string attach_status;
  Text attach_mode;
  Number attach_time, detach_time;
  std::string connector, connection_info, host_state;
  Number host_bytes;
  std::string host_reason;
  long long renotified = 0;
  Number host_since, report_due;
  long long created_at = 0;
  Number updated_at;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each("volume_id", volume_id);
    each("project_id", project_id);
    each("instance_uuid", instance_uuid.value, instance_uuid.state);
    each("attached_host", attached_host.value, attached_host.state);
    each("mountpoint", mountpoint.value, mountpoint.state);
    each("attach_status", attach_status);
    each("attach_mode", attach_mode.value, attach_mode.state);
    each("attach_time", attach_time.value, attach_time.state);
    each("detach_time", detach_time.value, detach_time.state);
    each("connector", connector);
    each("connection_info", connection_info);
    each("host_state", host_state);
    each("host_bytes", host_bytes.value, host_bytes.state);
    each("host_reason", host_reason);
    each("renotified", renotified);
    each("host_since", host_since.value, host_since.state);
    each("report_due", report_due.value, report_due.state);
    each("created_at", created_at);
    each("updated_at", updated_at.value, updated_at.state);
  }
};

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

struct ExportRow {
  std::string volume_id, host, attachment_id;
  Text initiator;

  template <class Each>
  void each(Each each) {
    each("volume_id", volume_id);
    each("host", host);
    each("attachment_id", attachment_id);
    each("initiator", initiator.value, initiator.state);
  }
};

Export export_of(const ExportRow& row) {
  return {.volume_id = row.volume_id,
          .host = row.host,
          .initiator = row.initiator.get(),
          .attachment_id = row.attachment_id};
}

struct ExtendRow {
  using Key = long long;
  long long id = 0;
  std::string volume_id, project_id, type_id, user_id, request_id, previous_status;
  long long old_size = 0, new_size = 0;
  int deferred = 0;
  long long started_at = 0;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each_opened(each);
  }
  template <class Each>
  void each_opened(Each each) {
    each("volume_id", volume_id);
    each("project_id", project_id);
    each("volume_type_id", type_id);
    each("user_id", user_id);
    each("request_id", request_id);
    each("previous_status", previous_status);
    each("old_size", old_size);
    each("new_size", new_size);
    each("deferred", deferred);
    each("started_at", started_at);
  }
};
/// A new row, whose id the database gives.
struct NewExtendRow : ExtendRow {
  using Key = std::string;
  template <class Each>
  void each(Each each) {
    each_opened(each);
  }
};

template <class Row>
Row row_of(const Extend& extend) {
  Row row;
  row.id = extend.id;
  row.volume_id = extend.volume_id;
  row.project_id = extend.project_id;
  row.type_id = extend.type_id;
  row.user_id = extend.user_id;
  row.request_id = extend.request_id;
  row.previous_status = name_of(extend.previous_status);
  row.old_size = extend.old_size;
  row.new_size = extend.new_size;
  row.deferred = extend.deferred ? 1 : 0;
  row.started_at = micros(extend.started_at);
  return row;
}

Extend extend_of_row(const ExtendRow& row) {
  return {
      .id = row.id,
      .volume_id = row.volume_id,
      .project_id = row.project_id,
      .type_id = row.type_id,
      .user_id = row.user_id,
      .request_id = row.request_id,
      .previous_status = volume_status_named(row.previous_status).value_or(VolumeStatus::available),
      .old_size = row.old_size,
      .new_size = row.new_size,
      .deferred = row.deferred != 0,
      .started_at = time_of(row.started_at)};
}

struct TypeRow {
  using Key = std::string;
  std::string id, name;
  Text description;
  int is_public = 1;
  std::string extra_specs;
  long long created_at = 0;
  Number updated_at;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each("name", name);
    each("description", description.value, description.state);
    each("is_public", is_public);
    each("extra_specs", extra_specs);
    each("created_at", created_at);
    each("updated_at", updated_at.value, updated_at.state);
  }
};

TypeRow row_of(const VolumeType& type) {
  TypeRow row;
  row.id = type.id;
  row.name = type.name;
  row.description = Text(type.description);
  row.is_public = type.is_public ? 1 : 0;
  row.extra_specs = text_of(type.extra_specs);
  row.created_at = micros(type.created_at);
  row.updated_at = nullable(type.updated_at);
  return row;
}

VolumeType type_of(const TypeRow& row) {
  return {.id = row.id,
          .name = row.name,
          .description = row.description.get(),
          .is_public = row.is_public != 0,
          .extra_specs = pairs_in(row.extra_specs),
          .created_at = time_of(row.created_at),
          .updated_at = time_in(row.updated_at)};
}

struct MessageRow {
  using Key = std::string;
  std::string id, project_id, request_id, resource_uuid, action_id, detail_id;
  long long created_at = 0, expires_at = 0;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each("project_id", project_id);
    each("request_id", request_id);
    each("resource_uuid", resource_uuid);
    each("action_id", action_id);
    each("detail_id", detail_id);
    each("created_at", created_at);
    each("expires_at", expires_at);
  }
};

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

struct DeliveryRow {
  using Key = long long;
  long long id = 0;
  std::string receiver, volume_id, project_id, request_id, events;
  long long attempts = 0, due = 0, created_at = 0;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each_added(each);
  }
  template <class Each>
  void each_added(Each each) {
    each("receiver", receiver);
    each("volume_id", volume_id);
    each("project_id", project_id);
    each("request_id", request_id);
    each("events", events);
    each("attempts", attempts);
    each("due", due);
    each("created_at", created_at);
  }
};
struct NewDeliveryRow : DeliveryRow {
  using Key = std::string;
  template <class Each>
  void each(Each each) {
    each_added(each);
  }
};

std::string text_of(const std::vector<Delivery::Event>& events) {
  Value::Array array;
  for (const auto& event : events)
    array.push_back(Value::Array{event.attachment_id, event.instance_uuid});
  return to_json(Value(std::move(array)));
}

std::vector<Delivery::Event> events_in(const std::string& json) {
  std::vector<Delivery::Event> events;
  const auto value = value_in(json);
  if (!value.array()) return events;
  for (const auto& pair : *value.array())
    if (const auto* parts = pair.array(); parts && parts->size() == 2)
      events.push_back({*parts->at(0).text(), *parts->at(1).text()});
  return events;
}

template <class Row>
Row row_of(const Delivery& delivery) {
  Row row;
  row.id = delivery.id;
  row.receiver = delivery.receiver;
  row.volume_id = delivery.volume_id;
  row.project_id = delivery.project_id;
  row.request_id = delivery.request_id;
  row.events = text_of(delivery.events);
  row.attempts = delivery.attempts;
  row.due = micros(delivery.due);
  row.created_at = micros(delivery.created_at);
  return row;
}

Delivery delivery_of(const DeliveryRow& row) {
  return {.id = row.id,
          .receiver = row.receiver,
          .volume_id = row.volume_id,
          .project_id = row.project_id,
          .request_id = row.request_id,
          .events = events_in(row.events),
          .attempts = static_cast<std::uint32_t>(row.attempts),
          .due = time_of(row.due),
          .created_at = time_of(row.created_at)};
}

struct ReportRow {
  using Key = std::string;
  std::string host, journal;
  long long sequence = 0;
  std::string volume_id, attachment_id, result;
  long long received_at = 0;

  template <class Each>
  void each(Each each) {
    each("host", host);
    each("journal", journal);
    each("sequence", sequence);
    each("volume_id", volume_id);
    each("attachment_id", attachment_id);
    each("result", result);
    each("received_at", received_at);
  }
};

struct UsageRow {
  std::string name;
  long long volumes = 0, gigabytes = 0;

  template <class Each>
  void each(Each each) {
    each("coalesce(t.name, u.volume_type_id)", name);
    each("u.volumes", volumes);
    each("u.gigabytes", gigabytes);
  }
};

struct LimitRow {
  std::string resource;
  long long hard_limit = 0;

  template <class Each>
  void each(Each each) {
    each("resource", resource);
    each("hard_limit", hard_limit);
  }
};

// ---- pages: conditions, order and marker become one query ----

struct SortColumn {
  std::string_view key;
  std::string_view column;  ///< nulls sort as the empty text, as the marker's do
};
constexpr std::array sort_columns{
    SortColumn{"id", "id"},
    SortColumn{"name", "coalesce(name, '')"},
    SortColumn{"display_name", "coalesce(name, '')"},
    SortColumn{"description", "coalesce(description, '')"},
    SortColumn{"size", "size"},
    SortColumn{"status", "status"},
    SortColumn{"attach_status", "attach_status"},
    SortColumn{"created_at", "created_at"},
    SortColumn{"updated_at", "coalesce(updated_at, 0)"},
    SortColumn{"availability_zone", "availability_zone"},
    SortColumn{"bootable", "bootable"},
    SortColumn{"volume_type_id", "volume_type_id"},
    SortColumn{"user_id", "user_id"},
    SortColumn{"project_id", "project_id"},
};

Result<std::string_view> column_for(std::string_view key) {
  for (const auto& row : sort_columns)
    if (row.key == key) return row.column;
  return failure(ErrorCode::invalid_args, fmt::format("no such sort key: {}", key));
}

class PageQuery {
 public:
  PageQuery(std::string_view table, const Page& page) : table_(table), page_(page) {
    where("project_id = :project", page.project_id);
  }

  void where(std::string_view condition, const std::optional<std::string>& value) {
    if (value) add(condition, *value);
  }
  void where(std::string_view condition, std::optional<bool> value) {
    if (value) add(condition, static_cast<long long>(*value));
  }
  void where(std::string_view condition, std::optional<Gib> value) {
    if (value) add(condition, static_cast<long long>(*value));
  }
  /// A metadata pair: two values for one condition.
  void where_pair(const std::string& key, const std::string& value) {
    const auto n = query_.bound.size();  // a name of its own for each: a repeated one is one value
    add(fmt::format("exists (select 1 from json_each(metadata) as m"
                    " where m.key = :k{0} and m.value = :v{0})",
                    n),
        key);
    query_.bound.emplace_back(value);
  }

  void where_moment(std::string_view column, std::string_view compared, WallTime time) {
    add(fmt::format("{} {} :t{}", column, compared, query_.bound.size()), micros(time));
  }

  Query counted() {
    query_.rest = fmt::format("from (select count(*) as number from {}{})", table_, conditions());
    return query_;
  }

  Result<Query> sorted() {
    std::vector<std::string> order;
    std::vector<std::pair<std::string_view, bool>> columns;
    for (const auto& sort : page_.sort) {
      const auto column = column_for(sort.key);
      if (!column) return std::unexpected(column.error());
      columns.emplace_back(*column, sort.ascending);
      order.push_back(fmt::format("{} {}", *column, sort.ascending ? "asc" : "desc"));
    }
    if (page_.marker) start_behind(columns);
    query_.rest = fmt::format("from {}{} order by {} limit {} offset {}", table_, conditions(),
                              fmt::join(order, ", "), limit(), page_.offset);
    return query_;
  }

 private:
  void add(std::string_view condition, std::variant<std::string, long long> value) {
    conditions_.emplace_back(condition);
    query_.bound.push_back(std::move(value));
  }
  std::string conditions() const {
    return conditions_.empty() ? std::string()
                               : fmt::format(" where {}", fmt::join(conditions_, " and "));
  }
  std::string limit() const { return page_.limit ? fmt::to_string(*page_.limit) : "-1"; }

  /// (a, b) behind the marker's: a beyond, or a the same and b beyond. What stands before the
  /// marker is found in the index and not read.
  void start_behind(const std::vector<std::pair<std::string_view, bool>>& columns) {
    const auto same_direction = std::ranges::all_of(
        columns, [&](const auto& column) { return column.second == columns.front().second; });
    if (same_direction) return start_behind_row(columns);
    std::vector<std::string> either;
    std::string equal;
    for (const auto& [column, ascending] : columns) {
      const auto of_marker = marker_value(column);
      either.push_back(
          fmt::format("({}{} {} {})", equal, column, ascending ? ">" : "<", of_marker));
      equal += fmt::format("{} = {} and ", column, of_marker);
    }
    conditions_.push_back(fmt::format("({})", fmt::join(either, " or ")));
    bind_marker(columns.size());  // SQLite takes a name that is repeated for one value
  }
  void start_behind_row(const std::vector<std::pair<std::string_view, bool>>& columns) {
    std::vector<std::string_view> left;
    for (const auto& column : columns)
      left.push_back(column.first);
    conditions_.push_back(fmt::format("({0}) {1} (select {0} from {2} where id = :marker)",
                                      fmt::join(left, ", "), columns.front().second ? ">" : "<",
                                      table_));
    bind_marker(1);
  }
  std::string marker_value(std::string_view column) {
    return fmt::format("(select {} from {} where id = :marker{})", column, table_, ++markers_);
  }
  void bind_marker(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i)
      query_.bound.emplace_back(*page_.marker);
  }

  std::string_view table_;
  const Page& page_;
  Query query_;
  std::vector<std::string> conditions_;
  int markers_ = 0;
};

std::string_view operator_of(Moment::Compared compared) {
  switch (compared) {
    case Moment::Compared::after:
      return ">";
    case Moment::Compared::not_before:
      return ">=";
    case Moment::Compared::same:
      return "=";
    case Moment::Compared::other:
      return "<>";
    case Moment::Compared::before:
      return "<";
    case Moment::Compared::not_after:
      return "<=";
  }
  return "=";
}

PageQuery query_for(const VolumePage& page) {
  PageQuery query("volumes", page);
  query.where("id = :id", page.id);
  query.where("project_id = :of_project", page.of_project);
  query.where("user_id = :user", page.user_id);
  query.where("volume_type_id = :type", page.type_id);
  query.where("backend = :backend", page.backend);
  query.where("name = :name", page.name);
  query.where("instr(lower(name), lower(:part)) > 0", page.name_part);
  query.where("status = :status", page.status);
  query.where("attach_status = :attach_status", page.attach_status);
  query.where("migration_status = :migration_status", page.migration_status);
  query.where("availability_zone = :zone", page.availability_zone);
  query.where("bootable = :bootable", page.bootable);
  query.where("multiattach = :multiattach", page.multiattach);
  query.where("size = :size", page.size);
  for (const auto& [key, value] : page.metadata)
    query.where_pair(key, value);
  for (const auto& moment : page.moments)
    query.where_moment(moment.created ? "created_at" : "updated_at", operator_of(moment.compared),
                       moment.time);
  return query;
}

PageQuery query_for(const MessagePage& page) {
  PageQuery query("messages", page);
  query.where("resource_uuid = :resource", page.resource_uuid);
  query.where("request_id = :request", page.request_id);
  query.where("action_id = :action", page.action_id);
  query.where("detail_id = :detail", page.detail_id);
  return query;
}

PageQuery query_for(const AttachmentPage& page) {
  PageQuery query("attachments", page);
  query.where("volume_id = :volume", page.volume_id);
  query.where("instance_uuid = :instance", page.instance_uuid);
  query.where("attach_status = :status", page.attach_status);
  return query;
}

template <class Row, class Convert>
auto values_of(const std::vector<Row>& rows, Convert convert) {
  std::vector<decltype(convert(rows.front()))> values;
  values.reserve(rows.size());
  for (const auto& row : rows)
    values.push_back(convert(row));
  return values;
}

/// The statements that are run for every request, prepared once.
struct Tables {
  explicit Tables(soci::session& sql)
      : volumes(sql, "volumes"),
        attachments(sql, "attachments"),
        extends(sql, "extends"),
        new_extends(sql, "extends"),
        types(sql, "types"),
        messages(sql, "messages"),
        deliveries(sql, "deliveries"),
        new_deliveries(sql, "deliveries"),
        reports(sql, "reports") {}

  Table<VolumeRow> volumes;
  Table<AttachmentRow> attachments;
  Table<ExtendRow> extends;
  Table<NewExtendRow> new_extends;
  Table<TypeRow> types;
  Table<MessageRow> messages;
  Table<DeliveryRow> deliveries;
  Table<NewDeliveryRow> new_deliveries;
  Table<ReportRow> reports;
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<Database> database) : database_(std::move(database)) {
    database_->on_failure([this] { tables_.reset(); });
  }

  Result<void> begin() override { return database_->begin(); }
  Result<void> commit() override { return database_->commit(); }

  Result<void> add_volume(const Volume& volume) override;
  Result<std::optional<Volume>> volume(const std::string& id) override;
  Result<std::vector<Volume>> volumes(const VolumePage& page) override;
  Result<std::uint64_t> count_volumes(const VolumePage& page) override;
  Result<void> change_volume(const Volume& volume) override;
  Result<void> remove_volume(const std::string& id) override;
  Result<std::vector<Volume>> unfinished_volumes() override;
  Result<void> add_attachment(const Attachment& attachment) override;
  Result<std::optional<Attachment>> attachment(const std::string& id) override;
  Result<std::vector<Attachment>> attachments_of(const std::string& volume_id) override;
  Result<std::vector<Attachment>> attachments(const AttachmentPage& page) override;
  Result<void> change_attachment(const Attachment& attachment) override;
  Result<void> remove_attachment(const std::string& id) override;
  Result<std::vector<Attachment>> overdue(WallTime now) override;
  Result<std::optional<WallTime>> next_report_due() override;
  Result<std::vector<Attachment>> unsettled() override;
  Result<void> add_export(const Export& one) override;
  Result<std::vector<Export>> exports_of(const std::string& volume_id) override;
  Result<void> remove_export(const Export& one) override;
  Result<std::int64_t> open_extend(const Extend& extend) override;
  Result<void> change_extend(const Extend& extend) override;
  Result<void> close_extend(std::int64_t id) override;
  Result<std::optional<Extend>> extend_of(const std::string& volume_id) override;
  Result<std::vector<Extend>> open_extends() override;
  Result<std::map<std::string, Usage>> usage(const std::string& project_id) override;
  Result<std::map<std::string, Gib>> quota_limits(const std::string& project_id) override;
  Result<void> set_quota_limit(const std::string& project_id, const std::string& resource,
                               Gib limit) override;
  Result<void> remove_quota_limits(const std::string& project_id) override;
  Result<void> add_type(const VolumeType& type) override;
  Result<std::vector<VolumeType>> types() override;
  Result<std::optional<VolumeType>> type(const std::string& id) override;
  Result<std::optional<VolumeType>> type_named(const std::string& name) override;
  Result<void> change_type(const VolumeType& type) override;
  Result<void> remove_type(const std::string& id) override;
  Result<bool> type_in_use(const std::string& id) override;
  Result<void> add_message(const Message& message) override;
  Result<std::vector<Message>> messages(const MessagePage& page) override;
  Result<std::optional<Message>> message(const std::string& id) override;
  Result<void> remove_message(const std::string& id) override;
  Result<std::int64_t> add_delivery(const Delivery& delivery) override;
  Result<std::vector<Delivery>> deliveries() override;
  Result<void> change_delivery(const Delivery& delivery) override;
  Result<void> remove_delivery(std::int64_t id) override;
  Result<bool> add_report(const StoredReport& report) override;
  Result<std::optional<StoredReport>> last_report(const std::string& attachment_id) override;
  Result<std::uint64_t> count_reports(const std::string& volume_id) override;
  Result<void> expire(WallTime before) override;

 private:
  soci::session& sql() { return database_->sql(); }
  Tables& tables() {
    if (!tables_) tables_.emplace(sql());
    return *tables_;
  }
  template <class Work>
  auto perform(Work work) -> decltype(work()) {
    return database_->perform(std::move(work));
  }
  /// One change, which a group commits or which is whole by itself.
  template <class Work>
  Result<void> change(Work work) {
    return perform([&]() -> Result<void> {
      Database::Whole whole(*database_);
      work();
      whole.commit();
      return {};
    });
  }
  /// The same, giving the id of the row it made.
  template <class Work>
  Result<std::int64_t> add(const char* table, Work work) {
    return perform([&]() -> Result<std::int64_t> {
      Database::Whole whole(*database_);
      work();
      long long id = 0;
      sql().get_last_insert_id(table, id);
      whole.commit();
      return id;
    });
  }
  void count(const std::string& project_id, const std::string& type_id, long long volumes,
             long long gigabytes);
  void take_back(const VolumeRow& row);
  void add_used(const std::string& project_id, std::map<std::string, Usage>& usage);
  void add_reserved(const std::string& project_id, std::map<std::string, Usage>& usage);
  bool has_report(const StoredReport& report);
  Result<void> require_marker(std::string_view table, const Page& page);

  std::unique_ptr<Database> database_;
  std::optional<Tables> tables_;
};

// ---- volumes ----

void SqliteStore::count(const std::string& project_id, const std::string& type_id,
                        long long volumes, long long gigabytes) {
  sql() << "insert into usages (project_id, volume_type_id, volumes, gigabytes)"
           " values (:project, :type, :volumes, :gigabytes)"
           " on conflict (project_id, volume_type_id) do update set"
           " volumes = volumes + excluded.volumes, gigabytes = gigabytes + excluded.gigabytes",
      soci::use(project_id), soci::use(type_id), soci::use(volumes), soci::use(gigabytes);
}

void SqliteStore::take_back(const VolumeRow& row) {
  count(row.project_id, row.type_id, -1, -row.size);
}

Result<void> SqliteStore::add_volume(const Volume& volume) {
  return change([&] {
    tables().volumes.insert(row_of(volume));
    count(volume.project_id, volume.type_id, 1, volume.size);
  });
}

Result<std::optional<Volume>> SqliteStore::volume(const std::string& id) {
  return perform([&]() -> Result<std::optional<Volume>> {
    const auto row = tables().volumes.find(id);
    return row ? std::optional(volume_of(*row)) : std::nullopt;
  });
}

Result<void> SqliteStore::require_marker(std::string_view table, const Page& page) {
  if (!page.marker) return {};
  const auto found = number_of(
      sql(), fmt::format("count(*) as number from {} where id = :id", table), *page.marker);
  if (found > 0) return {};
  return failure(ErrorCode::no_such_volume, *page.marker);
}

Result<std::vector<Volume>> SqliteStore::volumes(const VolumePage& page) {
  return perform([&]() -> Result<std::vector<Volume>> {
    if (auto there = require_marker("volumes", page); !there)
      return std::unexpected(std::move(there.error()));
    auto query = query_for(page).sorted();
    if (!query) return std::unexpected(std::move(query.error()));
    return values_of(rows_of<VolumeRow>(sql(), *query), volume_of);
  });
}

Result<std::uint64_t> SqliteStore::count_volumes(const VolumePage& page) {
  return perform([&]() -> Result<std::uint64_t> {
    return unsigned_of(rows_of<NumberRow>(sql(), query_for(page).counted()).front().number);
  });
}

Result<void> SqliteStore::change_volume(const Volume& volume) {
  return change([&] {
    const auto before = tables().volumes.find(volume.id);
    if (!before) return;
    tables().volumes.update(row_of(volume));
    if (before->size == volume.size && before->type_id == volume.type_id) return;
    take_back(*before);
    count(volume.project_id, volume.type_id, 1, volume.size);
  });
}

Result<void> SqliteStore::remove_volume(const std::string& id) {
  return change([&] {
    const auto before = tables().volumes.find(id);
    if (!before) return;
    sql() << "delete from extends where volume_id = :id", soci::use(id);
    sql() << "delete from attachments where volume_id = :id", soci::use(id);
    sql() << "delete from exports where volume_id = :id", soci::use(id);
    sql() << "delete from deliveries where volume_id = :id", soci::use(id);
    tables().volumes.remove(id);
    take_back(*before);
  });
}

Result<std::vector<Volume>> SqliteStore::unfinished_volumes() {
  return perform([&]() -> Result<std::vector<Volume>> {
    return values_of(
        rows_of<VolumeRow>(sql(), "from volumes where status in ('creating', 'deleting')"),
        volume_of);
  });
}

// ---- attachments ----

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
    auto query = query_for(page).sorted();
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

// ---- exports ----

Result<void> SqliteStore::add_export(const Export& one) {
  return change([&] {
    Text initiator(one.initiator);
    sql() << "insert into exports (volume_id, host, attachment_id, initiator)"
             " values (:volume, :host, :attachment, :initiator)"
             " on conflict (volume_id, host, attachment_id)"
             " do update set initiator = excluded.initiator",
        soci::use(one.volume_id), soci::use(one.host), soci::use(one.attachment_id),
        soci::use(initiator.value, initiator.state);
  });
}

Result<std::vector<Export>> SqliteStore::exports_of(const std::string& volume_id) {
  return perform([&]() -> Result<std::vector<Export>> {
    return values_of(
        rows_of<ExportRow>(sql(), "from exports where volume_id = :id order by host, attachment_id",
                           volume_id),
        export_of);
  });
}

Result<void> SqliteStore::remove_export(const Export& one) {
  return change([&] {
    sql() << "delete from exports where volume_id = :volume and host = :host"
             " and attachment_id = :attachment",
        soci::use(one.volume_id), soci::use(one.host), soci::use(one.attachment_id);
  });
}

// ---- extends ----

Result<std::int64_t> SqliteStore::open_extend(const Extend& extend) {
  return add("extends", [&] { tables().new_extends.insert(row_of<NewExtendRow>(extend)); });
}

Result<void> SqliteStore::change_extend(const Extend& extend) {
  return change([&] { tables().extends.update(row_of<ExtendRow>(extend)); });
}

Result<void> SqliteStore::close_extend(std::int64_t id) {
  return change([&] { tables().extends.remove(id); });
}

Result<std::optional<Extend>> SqliteStore::extend_of(const std::string& volume_id) {
  return perform([&]() -> Result<std::optional<Extend>> {
    const auto rows = rows_of<ExtendRow>(sql(), "from extends where volume_id = :id", volume_id);
    return rows.empty() ? std::nullopt : std::optional(extend_of_row(rows.front()));
  });
}

Result<std::vector<Extend>> SqliteStore::open_extends() {
  return perform([&]() -> Result<std::vector<Extend>> {
    return values_of(rows_of<ExtendRow>(sql(), "from extends order by id"), extend_of_row);
  });
}

// ---- quota ----

Result<std::map<std::string, Usage>> SqliteStore::usage(const std::string& project_id) {
  return perform([&]() -> Result<std::map<std::string, Usage>> {
    std::map<std::string, Usage> usage{{"volumes", {}}, {"gigabytes", {}}};
    add_used(project_id, usage);
    add_reserved(project_id, usage);
    return usage;
  });
}

void SqliteStore::add_used(const std::string& project_id, std::map<std::string, Usage>& usage) {
  for (const auto& row :
       rows_of<UsageRow>(sql(),
                         "from usages u left join types t on t.id = u.volume_type_id"
                         " where u.project_id = :project",
                         project_id)) {
    usage["volumes"].in_use += row.volumes;
    usage["gigabytes"].in_use += row.gigabytes;
    usage["volumes_" + row.name].in_use += row.volumes;
    usage["gigabytes_" + row.name].in_use += row.gigabytes;
  }
}

void SqliteStore::add_reserved(const std::string& project_id, std::map<std::string, Usage>& usage) {
  for (const auto& row : rows_of<UsageRow>(sql(),
                                           "from (select volume_type_id, 0 as volumes,"
                                           " new_size - old_size as gigabytes from extends"
                                           " where project_id = :project) u"
                                           " left join types t on t.id = u.volume_type_id",
                                           project_id)) {
    usage["gigabytes"].reserved += row.gigabytes;
    usage["gigabytes_" + row.name].reserved += row.gigabytes;
  }
}

Result<std::map<std::string, Gib>> SqliteStore::quota_limits(const std::string& project_id) {
  return perform([&]() -> Result<std::map<std::string, Gib>> {
    std::map<std::string, Gib> limits;
    for (const auto& row :
         rows_of<LimitRow>(sql(), "from quota_limits where project_id = :project", project_id))
      limits[row.resource] = row.hard_limit;
    return limits;
  });
}

Result<void> SqliteStore::set_quota_limit(const std::string& project_id,
                                          const std::string& resource, Gib limit) {
  return change([&] {
    sql() << "insert into quota_limits (project_id, resource, hard_limit)"
             " values (:project, :resource, :limit) on conflict (project_id, resource)"
             " do update set hard_limit = excluded.hard_limit",
        soci::use(project_id), soci::use(resource), soci::use(limit);
  });
}

Result<void> SqliteStore::remove_quota_limits(const std::string& project_id) {
  return change([&] {
    sql() << "delete from quota_limits where project_id = :project", soci::use(project_id);
  });
}

// ---- types ----

Result<void> SqliteStore::add_type(const VolumeType& type) {
  return change([&] { tables().types.insert(row_of(type)); });
}

Result<std::vector<VolumeType>> SqliteStore::types() {
  return perform([&]() -> Result<std::vector<VolumeType>> {
    return values_of(rows_of<TypeRow>(sql(), "from types order by created_at desc, id desc"),
                     type_of);
  });
}

Result<std::optional<VolumeType>> SqliteStore::type(const std::string& id) {
  return perform([&]() -> Result<std::optional<VolumeType>> {
    const auto row = tables().types.find(id);
    return row ? std::optional(type_of(*row)) : std::nullopt;
  });
}

Result<std::optional<VolumeType>> SqliteStore::type_named(const std::string& name) {
  return perform([&]() -> Result<std::optional<VolumeType>> {
    const auto rows = rows_of<TypeRow>(sql(), "from types where name = :name", name);
    return rows.empty() ? std::nullopt : std::optional(type_of(rows.front()));
  });
}

Result<void> SqliteStore::change_type(const VolumeType& type) {
  return change([&] { tables().types.update(row_of(type)); });
}

Result<void> SqliteStore::remove_type(const std::string& id) {
  return change([&] { tables().types.remove(id); });
}

Result<bool> SqliteStore::type_in_use(const std::string& id) {
  return perform([&]() -> Result<bool> {
    return number_of(sql(),
                     "count(*) as number from usages where volume_type_id = :id and volumes > 0",
                     id) > 0;
  });
}

// ---- messages ----

Result<void> SqliteStore::add_message(const Message& message) {
  return change([&] { tables().messages.insert(row_of(message)); });
}

Result<std::vector<Message>> SqliteStore::messages(const MessagePage& page) {
  return perform([&]() -> Result<std::vector<Message>> {
    if (auto there = require_marker("messages", page); !there)
      return std::unexpected(std::move(there.error()));
    auto query = query_for(page).sorted();
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

// ---- deliveries ----

Result<std::int64_t> SqliteStore::add_delivery(const Delivery& delivery) {
  return add("deliveries",
             [&] { tables().new_deliveries.insert(row_of<NewDeliveryRow>(delivery)); });
}

Result<std::vector<Delivery>> SqliteStore::deliveries() {
  return perform([&]() -> Result<std::vector<Delivery>> {
    return values_of(rows_of<DeliveryRow>(sql(), "from deliveries order by due, id"), delivery_of);
  });
}

Result<void> SqliteStore::change_delivery(const Delivery& delivery) {
  return change([&] { tables().deliveries.update(row_of<DeliveryRow>(delivery)); });
}

Result<void> SqliteStore::remove_delivery(std::int64_t id) {
  return change([&] { tables().deliveries.remove(id); });
}

// ---- reports ----

Result<bool> SqliteStore::add_report(const StoredReport& report) {
  return perform([&]() -> Result<bool> {
    Database::Whole whole(*database_);
    if (has_report(report)) return false;
    tables().reports.insert({report.host, report.journal, bits(report.sequence), report.volume_id,
                             report.attachment_id, report.result, micros(report.received_at)});
    whole.commit();
    return true;
  });
}

bool SqliteStore::has_report(const StoredReport& report) {
  return number_of(sql(),
                   "count(*) as number from reports"
                   " where host = :host and journal = :journal and sequence = :sequence",
                   report.host, report.journal, bits(report.sequence)) > 0;
}

Result<std::optional<StoredReport>> SqliteStore::last_report(const std::string& attachment_id) {
  return perform([&]() -> Result<std::optional<StoredReport>> {
    const auto rows = rows_of<ReportRow>(
        sql(),
        "from reports where attachment_id = :id order by received_at desc, sequence desc limit 1",
        attachment_id);
    if (rows.empty()) return std::nullopt;
    const auto& row = rows.front();
    return StoredReport{row.host,          row.journal, unsigned_of(row.sequence), row.volume_id,
                        row.attachment_id, row.result,  time_of(row.received_at)};
  });
}

Result<std::uint64_t> SqliteStore::count_reports(const std::string& volume_id) {
  return perform([&]() -> Result<std::uint64_t> {
    return unsigned_of(
        number_of(sql(), "count(*) as number from reports where volume_id = :id", volume_id));
  });
}

Result<void> SqliteStore::expire(WallTime before) {
  return change([&] {
    const auto time = micros(before);
    sql() << "delete from messages where expires_at <= :time", soci::use(time);
    sql() << "delete from reports where received_at <= :time", soci::use(time);
  });
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path) {
  auto database = Database::open(path, control_kind);
  if (!database) return std::unexpected(std::move(database.error()));
  return std::make_unique<SqliteStore>(std::move(*database));
}

Result<std::unique_ptr<Store>> Store::look(const std::filesystem::path& path) {
  auto database = Database::look(path, control_kind);
  if (!database) return std::unexpected(std::move(database.error()));
  return std::make_unique<SqliteStore>(std::move(*database));
}

}  // namespace volgrow::control
