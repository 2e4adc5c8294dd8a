// SPDX-License-Identifier: Apache-2.0
// What the control plane knows: volumes, attachments, types and messages, in Cinder's words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/value.h"

namespace volgrow::control {

/// Cinder counts volumes, and their quota, in whole GiB.
using Gib = std::int64_t;
constexpr Bytes bytes_of(Gib size) {
  return Bytes(static_cast<std::uint64_t>(size) << 30);
}

enum class VolumeStatus : std::uint8_t {
  creating,
  available,
  deleting,
  error,
  error_deleting,
  error_managing,
  managing,
  attaching,
  in_use,
  detaching,
  maintenance,
  restoring_backup,
  error_restoring,
  reserved,
  awaiting_transfer,
  backing_up,
  error_backing_up,
  error_extending,
  downloading,
  uploading,
  retyping,
  extending,
};

enum class AttachStatus : std::uint8_t {
  attached,
  attaching,
  detached,
  error_attaching,
  error_detaching,
  reserved,
  deleted,
};

struct Volume {
  std::string id;
  std::string project_id;
  std::string user_id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  Gib size = 0;
  VolumeStatus status = VolumeStatus::creating;
  std::optional<VolumeStatus> previous_status;
  AttachStatus attach_status = AttachStatus::detached;
  std::optional<std::string> migration_status;
  std::string type_id;
  std::string backend;  ///< name of its [[backend]]
  std::string availability_zone;
  bool bootable = false;
  bool multiattach = false;
  bool readonly = false;
  std::map<std::string, std::string> metadata;
  WallTime created_at{};
  std::optional<WallTime> updated_at;

  bool operator==(const Volume&) const = default;
};

/// What the control plane knows about the host at the other end of an attachment.
enum class HostState : std::uint8_t {
  none,         ///< nothing was extended since it was attached
  pending,      ///< the event waits to be delivered
  notified,     ///< the receiver took the event
  confirmed,    ///< the host reported the volume's size, measured
  degraded,     ///< so it did, with something left to mend
  failed,       ///< the receiver refused, or the host reported a failure
  unconfirmed,  ///< notified, and no report came in time
};

struct HostView {
  HostState state = HostState::none;
  std::optional<Bytes> bytes;  ///< of the volume, as measured on the host
  std::string reason;
  std::uint32_t renotified = 0;
  std::optional<WallTime> since;  ///< of the state
  /// When silence becomes remarkable; never behind a receiver that need not report.
  std::optional<WallTime> report_due;

  bool operator==(const HostView&) const = default;
};

struct Attachment {
  std::string id;
  std::string volume_id;
  std::string project_id;  ///< of the volume
  std::optional<std::string> instance_uuid;
  std::optional<std::string> attached_host;
  std::optional<std::string> mountpoint;
  AttachStatus attach_status = AttachStatus::reserved;
  std::optional<std::string> attach_mode;
  std::optional<WallTime> attach_time;
  std::optional<WallTime> detach_time;
  Value connector;        ///< null until somebody connects
  Value connection_info;  ///< null until then too; holds no secret
  HostView host;
  WallTime created_at{};
  std::optional<WallTime> updated_at;

  /// The connector's `host`: the hypervisor that maps the volume.
  std::optional<std::string> host_name() const;

  bool operator==(const Attachment&) const = default;
};

/// A host that a volume is exported to, or may be, and for whom: in the database before the back
/// end is asked, and until it has answered that it no longer is. Of several for one host, the last
/// one that ends takes the export with it.
struct Export {
  std::string volume_id;
  std::string host;
  std::optional<std::string> initiator;
  std::string attachment_id;  ///< "" for os-initialize_connection, which has none

  bool operator==(const Export&) const = default;
};

struct VolumeType {
  std::string id;
  std::string name;
  std::optional<std::string> description;
  bool is_public = true;
  std::map<std::string, std::string> extra_specs;
  WallTime created_at{};
  std::optional<WallTime> updated_at;

  bool operator==(const VolumeType&) const = default;
};

/// An accepted extend that has not ended: what is reserved for it, and what to go back to.
struct Extend {
  std::int64_t id = 0;  ///< given by the store
  std::string volume_id;
  std::string project_id;
  std::string type_id;
  std::string user_id;
  std::string request_id;
  VolumeStatus previous_status = VolumeStatus::available;
  Gib old_size = 0;
  Gib new_size = 0;
  bool deferred = false;  ///< the back end has its part; os-extend_volume_completion ends it
  WallTime started_at{};

  bool operator==(const Extend&) const = default;
};

/// Cinder's user messages: what and why, each a row of a table with its words.
struct Message {
  std::string id;
  std::string project_id;
  std::string request_id;
  std::string resource_uuid;
  std::string action_id;  ///< "007"
  std::string detail_id;  ///< "010"
  WallTime created_at{};
  WallTime expires_at{};

  bool operator==(const Message&) const = default;
};

/// One request to one receiver, kept until it is answered for good.
struct Delivery {
  struct Event {
    std::string attachment_id;
    std::string instance_uuid;

    bool operator==(const Event&) const = default;
  };
  std::int64_t id = 0;  ///< given by the store
  std::string receiver;
  std::string volume_id;
  std::string project_id;
  std::string request_id;
  std::vector<Event> events;
  std::uint32_t attempts = 0;
  WallTime due{};
  WallTime created_at{};

  bool operator==(const Delivery&) const = default;
};

/// What a project uses, or may use; by resource: "volumes", "gigabytes", "gigabytes_<type name>", …
struct Usage {
  Gib in_use = 0;
  Gib reserved = 0;

  bool operator==(const Usage&) const = default;
};

std::string_view name_of(VolumeStatus status);
std::optional<VolumeStatus> volume_status_named(std::string_view name);
std::string_view name_of(AttachStatus status);
std::optional<AttachStatus> attach_status_named(std::string_view name);
std::string_view name_of(HostState state);
std::optional<HostState> host_state_named(std::string_view name);

}  // namespace volgrow::control
