// SPDX-License-Identifier: Apache-2.0
// The names of states, which are Cinder's.
#include "control/model.h"

#include "core/names.h"

namespace volgrow::control {
namespace {

constexpr std::array volume_statuses{
    Named{VolumeStatus::creating, "creating"},
    Named{VolumeStatus::available, "available"},
    Named{VolumeStatus::deleting, "deleting"},
    Named{VolumeStatus::error, "error"},
    Named{VolumeStatus::error_deleting, "error_deleting"},
    Named{VolumeStatus::error_managing, "error_managing"},
    Named{VolumeStatus::managing, "managing"},
    Named{VolumeStatus::attaching, "attaching"},
    Named{VolumeStatus::in_use, "in-use"},
    Named{VolumeStatus::detaching, "detaching"},
    Named{VolumeStatus::maintenance, "maintenance"},
    Named{VolumeStatus::restoring_backup, "restoring-backup"},
    Named{VolumeStatus::error_restoring, "error_restoring"},
    Named{VolumeStatus::reserved, "reserved"},
    Named{VolumeStatus::awaiting_transfer, "awaiting-transfer"},
    Named{VolumeStatus::backing_up, "backing-up"},
    Named{VolumeStatus::error_backing_up, "error_backing-up"},
    Named{VolumeStatus::error_extending, "error_extending"},
    Named{VolumeStatus::downloading, "downloading"},
    Named{VolumeStatus::uploading, "uploading"},
    Named{VolumeStatus::retyping, "retyping"},
    Named{VolumeStatus::extending, "extending"},
};

constexpr std::array attach_statuses{
    Named{AttachStatus::attached, "attached"},
    Named{AttachStatus::attaching, "attaching"},
    Named{AttachStatus::detached, "detached"},
    Named{AttachStatus::error_attaching, "error_attaching"},
    Named{AttachStatus::error_detaching, "error_detaching"},
    Named{AttachStatus::reserved, "reserved"},
    Named{AttachStatus::deleted, "deleted"},
};

constexpr std::array host_states{
    Named{HostState::none, "none"},
    Named{HostState::pending, "pending"},
    Named{HostState::notified, "notified"},
    Named{HostState::confirmed, "confirmed"},
    Named{HostState::degraded, "degraded"},
    Named{HostState::failed, "failed"},
    Named{HostState::unconfirmed, "unconfirmed"},
};

}  // namespace

std::optional<std::string> Attachment::host_name() const {
  const auto* named = connector.find("host");
  if (named && named->text()) return *named->text();
  return attached_host;
}

std::string_view name_of(VolumeStatus status) {
  return name_in(volume_statuses, status);
}
std::optional<VolumeStatus> volume_status_named(std::string_view name) {
  return value_in(volume_statuses, name);
}
std::string_view name_of(AttachStatus status) {
  return name_in(attach_statuses, status);
}
std::optional<AttachStatus> attach_status_named(std::string_view name) {
  return value_in(attach_statuses, name);
}
std::string_view name_of(HostState state) {
  return name_in(host_states, state);
}
std::optional<HostState> host_state_named(std::string_view name) {
  return value_in(host_states, name);
}

}  // namespace volgrow::control
