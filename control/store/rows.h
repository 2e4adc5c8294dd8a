// SPDX-License-Identifier: Apache-2.0
// The tables' rows, each with its columns beside the fields that hold them. What a row is as a
// value is said in the file of its kind.
#pragma once

#include <string>

#include "service/database.h"

namespace volgrow::control {

using Text = rows::Nullable<std::string>;
using Number = rows::Nullable<long long>;

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

struct LimitRow {
  std::string resource;
  long long hard_limit = 0;

  template <class Each>
  void each(Each each) {
    each("resource", resource);
    each("hard_limit", hard_limit);
  }
};

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

}  // namespace volgrow::control
