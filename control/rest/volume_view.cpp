// SPDX-License-Identifier: Apache-2.0
// The keys stand in the order in which Cinder writes them.
#include "control/rest/volume_view.h"

#include <algorithm>

#include "control/attach_rules.h"
#include "control/cinder_words.h"
#include "control/rest/paging.h"

namespace volgrow::control::rest {
namespace {

Value text_or_null(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}
Value time_or_null(const std::optional<WallTime>& time) {
  return time ? Value(cinder_time(*time)) : Value();
}

/// A volume's own metadata, and what everybody may see of Cinder's.
Value metadata_of(const Volume& volume, const std::vector<Attachment>& attachments) {
  Value::Object shown;
  for (const auto& [key, value] : volume.metadata)
    shown.emplace_back(key, value);
  const auto put = [&](const std::string& key, const std::string& value) {
    const auto same = std::ranges::find(shown, key, &std::pair<std::string, Value>::first);
    if (same == shown.end())
      shown.emplace_back(key, value);
    else
      same->second = value;
  };
  const auto mode = attached_mode(attachments);
  if (volume.readonly || mode) put("readonly", volume.readonly ? "True" : "False");
  if (mode) put("attached_mode", *mode);
  return shown;
}

}  // namespace

std::string_view shown_status(VolumeStatus status) {
  if (status == VolumeStatus::managing) return "creating";
  if (status == VolumeStatus::error_managing) return "error";
  return name_of(status);
}

Value VolumeView::summary(const Volume& volume) const {
  return Value::Object{{"id", volume.id},
                       {"name", text_or_null(volume.name)},
                       {"links", links_to(call_.place, "volumes", volume.id)}};
}

Outcome<Value> VolumeView::plain(const Volume& volume) {
  auto object = shown(volume);
  if (!object) return fault_of(object);
  return Value(std::move(*object));
}

Outcome<Value> VolumeView::detail(const Volume& volume) {
  auto object = shown(volume);
  if (!object) return fault_of(object);
  add_extensions(*object, volume);
  return Value(std::move(*object));
}

Outcome<Value::Object> VolumeView::shown(const Volume& volume) {
  auto attachments = attachments_of(volume);
  if (!attachments) return fault_of(attachments);
  auto type = type_name(volume.type_id);
  if (!type) return fault_of(type);
  Value::Array attached;
  for (const auto& one : *attachments)
    if (one.attach_status == AttachStatus::attached) attached.push_back(attachment(one));
  Value::Object object{
      {"id", volume.id},
      {"status", shown_status(volume.status)},
      {"size", volume.size},
      {"availability_zone", volume.availability_zone},
      {"created_at", cinder_time(volume.created_at)},
      {"updated_at", time_or_null(volume.updated_at)},
      {"name", text_or_null(volume.name)},
      {"description", text_or_null(volume.description)},
      {"volume_type", std::move(*type)},
      {"snapshot_id", nullptr},
      {"source_volid", nullptr},
      {"metadata", metadata_of(volume, *attachments)},
      {"links", links_to(call_.place, "volumes", volume.id)},
      {"user_id", volume.user_id},
      {"bootable", volume.bootable ? "true" : "false"},
      {"encrypted", false},
      {"replication_status", nullptr},
      {"consistencygroup_id", nullptr},
      {"multiattach", volume.multiattach},
      {"attachments", std::move(attached)},
  };
  add_by_version(object, volume);
  return object;
}

void VolumeView::add_by_version(Value::Object& shown, const Volume& volume) const {
  const bool admin = call_.caller.is_admin;
  const auto since = [this](std::uint32_t minor) { return call_.version >= Version{3, minor}; };
  if (admin) shown.emplace_back("migration_status", text_or_null(volume.migration_status));
  if (since(13)) shown.emplace_back("group_id", nullptr);
  if (admin && since(21)) shown.emplace_back("provider_id", nullptr);
  const bool placed = !volume.backend.empty();
  if (since(48)) shown.emplace_back("shared_targets", !placed);  // as long as nobody knows
  if (since(48))
    shown.emplace_back("service_uuid",
                       placed ? Value(service_uuid(work_.config.host, volume.backend)) : Value());
  if (admin && since(61)) shown.emplace_back("cluster_name", nullptr);
  if (since(63)) shown.emplace_back("volume_type_id", volume.type_id);
  if (since(65)) shown.emplace_back("consumes_quota", true);
}

void VolumeView::add_extensions(Value::Object& shown, const Volume& volume) const {
  const auto may = [&](std::string_view rule) {
    return work_.policy.allows(rule, call_.caller, volume.project_id);
  };
  if (may("volume_extension:volume_tenant_attribute"))
    shown.emplace_back("os-vol-tenant-attr:tenant_id", volume.project_id);
  if (may("volume_extension:volume_mig_status_attribute")) {
    shown.emplace_back("os-vol-mig-status-attr:migstat", text_or_null(volume.migration_status));
    shown.emplace_back("os-vol-mig-status-attr:name_id", nullptr);
  }
  if (may("volume_extension:volume_host_attribute"))
    shown.emplace_back(
        "os-vol-host-attr:host",
        volume.backend.empty() ? Value() : Value(cinder_host(work_.config.host, volume.backend)));
}

Value VolumeView::attachment(const Attachment& attachment) const {
  const bool admin = call_.caller.is_admin;
  return Value::Object{
      {"id", attachment.volume_id},
      {"attachment_id", attachment.id},
      {"volume_id", attachment.volume_id},
      {"server_id", text_or_null(attachment.instance_uuid)},
      {"host_name", admin ? text_or_null(attachment.attached_host) : Value()},
      {"device", text_or_null(attachment.mountpoint)},
      {"attached_at", time_or_null(attachment.attach_time)},
  };
}

/// Only an attached volume has any to show; the others are not asked for.
Outcome<std::vector<Attachment>> VolumeView::attachments_of(const Volume& volume) const {
  if (volume.attach_status == AttachStatus::detached) return std::vector<Attachment>();
  return work_.records.checked(work_.records.store().attachments_of(volume.id));
}

Outcome<std::string> VolumeView::type_name(const std::string& id) {
  const auto known = type_names_.find(id);
  if (known != type_names_.end()) return known->second;
  auto type = work_.records.checked(work_.records.store().type(id));
  if (!type) return fault_of(type);
  return type_names_[id] = *type ? (*type)->name : id;
}

}  // namespace volgrow::control::rest
