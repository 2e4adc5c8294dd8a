// SPDX-License-Identifier: Apache-2.0
// What is found often and in an order has an index that gives it so.
#include "control/store/schema.h"

namespace volgrow::control {

// Times are microseconds since the epoch, sizes GiB as Cinder counts them, bytes 64-bit patterns.
const DatabaseKind control_kind{
    .what = "database",
    .program = "volgrow-control",
    .loss = "volumes stay on their back ends, and what the control plane knew of them is lost",
    .application_id = 0x766f6c63,  // "volc"
    .schema = {R"(create table volumes (
                 id text primary key, project_id text not null, user_id text not null, name text,
                 description text, size integer not null, status text not null,
                 previous_status text, attach_status text not null, migration_status text,
                 volume_type_id text not null, backend text not null,
                 availability_zone text not null, bootable integer not null,
                 multiattach integer not null, readonly integer not null, metadata text not null,
                 created_at integer not null, updated_at integer
               ) strict, without rowid)",
               "create index volumes_of_project on volumes (project_id, created_at, id)",
               "create index volumes_by_age on volumes (created_at, id)",
               R"(create index volumes_unfinished on volumes (status)
                 where status in ('creating', 'deleting'))",
               R"(create table usages (
                 project_id text not null, volume_type_id text not null, volumes integer not null,
                 gigabytes integer not null, primary key (project_id, volume_type_id)
               ) strict, without rowid)",
               R"(create table attachments (
                 id text primary key, volume_id text not null references volumes (id),
                 project_id text not null, instance_uuid text, attached_host text, mountpoint text,
                 attach_status text not null, attach_mode text, attach_time integer,
                 detach_time integer, connector text not null, connection_info text not null,
                 host_state text not null, host_bytes integer, host_reason text not null,
                 renotified integer not null, host_since integer, report_due integer,
                 created_at integer not null, updated_at integer
               ) strict, without rowid)",
               "create index attachments_of_volume on attachments (volume_id, created_at)",
               "create index attachments_by_age on attachments (project_id, created_at, id)",
               R"(create index attachments_unsettled on attachments (host_since, id)
                 where host_state not in ('none', 'confirmed'))",
               R"(create index attachments_awaited on attachments (report_due)
                 where report_due is not null)",
               R"(create table exports (
                 volume_id text not null references volumes (id), host text not null,
                 attachment_id text not null, initiator text,
                 primary key (volume_id, host, attachment_id)
               ) strict, without rowid)",
               R"(create table extends (
                 id integer primary key autoincrement,
                 volume_id text not null unique references volumes (id), project_id text not null,
                 volume_type_id text not null, user_id text not null, request_id text not null,
                 previous_status text not null, old_size integer not null,
                 new_size integer not null, deferred integer not null, started_at integer not null
               ) strict)",
               // All that a sum of what is reserved needs: with thousands open it is asked for at
               // every request.
               R"(create index extends_of_project on extends
                 (project_id, volume_type_id, new_size, old_size))",
               R"(create table quota_limits (
                 project_id text not null, resource text not null, hard_limit integer not null,
                 primary key (project_id, resource)
               ) strict, without rowid)",
               R"(create table types (
                 id text primary key, name text not null unique, description text,
                 is_public integer not null, extra_specs text not null, created_at integer not null,
                 updated_at integer
               ) strict, without rowid)",
               R"(create table messages (
                 id text primary key, project_id text not null, request_id text not null,
                 resource_uuid text not null, action_id text not null, detail_id text not null,
                 created_at integer not null, expires_at integer not null
               ) strict, without rowid)",
               "create index messages_of_project on messages (project_id, created_at, id)",
               R"(create table deliveries (
                 id integer primary key autoincrement, receiver text not null,
                 volume_id text not null, project_id text not null, request_id text not null,
                 events text not null, attempts integer not null, due integer not null,
                 created_at integer not null
               ) strict)",
               R"(create table reports (
                 host text not null, journal text not null, sequence integer not null,
                 volume_id text not null, attachment_id text not null, result text not null,
                 received_at integer not null, primary key (host, journal, sequence)
               ) strict, without rowid)",
               "create index reports_of_attachment on reports (attachment_id, received_at)",
               "create index reports_of_volume on reports (volume_id)"},
    .additions = {},
    .seed = {}};

}  // namespace volgrow::control
