// SPDX-License-Identifier: Apache-2.0
// cinder/volume/api.py and manager.py, db/sqlalchemy/api.py (volume_detached), as pure functions.
#include "control/attach_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace volgrow::control {
namespace {

bool is_error(AttachStatus status) {
  return name_of(status).starts_with("error_");
}

bool is_error(VolumeStatus status) {
  return name_of(status).find("error") != std::string_view::npos;
}

VolumeStatus status_with(AttachStatus status) {
  switch (status) {
    case AttachStatus::attached:
      return VolumeStatus::in_use;
    case AttachStatus::attaching:
      return VolumeStatus::attaching;
    case AttachStatus::reserved:
      return VolumeStatus::reserved;
    case AttachStatus::detached:
    case AttachStatus::deleted:
    case AttachStatus::error_attaching:
    case AttachStatus::error_detaching:
      break;
  }
  return VolumeStatus::available;
}

bool migrates(const Volume& volume) {
  const auto& status = volume.migration_status;
  return status && status != "deleting" && status != "error" && status != "success";
}

/// Of os-attach, which knows no connector.
bool is_old_style(const Attachment& attachment) {
  return attachment.connector.is_null() && attachment.attach_time.has_value();
}

std::unexpected<Fault> used_by_nova(std::string_view instance) {
  return conflict(
      fmt::format("ConflictNovaUsingAttachment: Detach volume from instance {} using the Compute "
                  "API",
                  instance));
}

std::unexpected<Fault> in_error(const Volume& volume, std::string_view what) {
  return invalid_volume(
      fmt::format("Volume attachments can not be {} if the volume is in an error state. The Volume "
                  "{} currently has a status of: {} ",
                  what, volume.id, name_of(volume.status)));
}

const std::string* text_in(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* text = member == nullptr ? nullptr : member->text();
  return text == nullptr || text->empty() ? nullptr : text;
}

std::unexpected<Fault> missing(std::string_view what) {
  return invalid_input(fmt::format("Connector doesn't have required information: {}", what));
}

void set(Value::Object& object, std::string_view key, Value value) {
  const auto found = std::ranges::find(
      object, key, [](const auto& member) { return std::string_view(member.first); });
  if (found != object.end()) return static_cast<void>(found->second = std::move(value));
  object.emplace_back(key, std::move(value));
}

bool is_on(const std::vector<Attachment>& attachments, const std::string& host) {
  return std::ranges::any_of(
      attachments, [&](const Attachment& attachment) { return attachment.host_name() == host; });
}

}  // namespace

// ---- what a volume is ----

/// The first one by name: attached, attaching, detached, reserved.
Standing standing_of(const std::vector<Attachment>& attachments) {
  auto first = AttachStatus::detached;
  std::string_view first_name;
  for (const auto& attachment : attachments) {
    const auto name = name_of(attachment.attach_status);
    if (is_error(attachment.attach_status)) continue;
    if (first_name.empty() || name < first_name) {
      first = attachment.attach_status;
      first_name = name;
    }
  }
  return {status_with(first), first};
}

Volume without_one(Volume volume, const std::vector<Attachment>& remaining) {
  const auto standing = standing_of(remaining);
  volume.attach_status = standing.attach_status;
  const auto& migration = volume.migration_status;
  const bool busy_otherwise = migration ? migration != "success" && migration != "error"
                                        : volume.status == VolumeStatus::uploading;
  if (standing.attach_status != AttachStatus::detached || !busy_otherwise)
    volume.status = standing.status;
  return volume;
}

// ---- actions ----

Outcome<void> may_reserve(const Volume& volume) {
  const bool more = volume.multiattach && volume.status == VolumeStatus::in_use;
  if (volume.status == VolumeStatus::available || more) return {};
  return invalid_volume(fmt::format("Volume status must be {} to reserve, but the status is {}.",
                                    volume.multiattach ? "available or in-use" : "available",
                                    name_of(volume.status)));
}

Outcome<bool> begins_detaching(const Volume& volume) {
  if (migrates(volume)) return false;
  if (volume.status == VolumeStatus::in_use && volume.attach_status == AttachStatus::attached)
    return true;
  return invalid_volume(
      "Unable to detach volume. Volume status must be 'in-use' and attach_status must be "
      "'attached' to detach.");
}

Outcome<void> may_attach(const Volume& volume, std::string_view mode) {
  if (volume.status == VolumeStatus::maintenance)
    return invalid_volume("The volume cannot be attached in maintenance mode.");
  if (volume.readonly && mode != "ro")
    return bad_request(fmt::format("Invalid attaching mode '{}' for volume {}.", mode, volume.id));
  return {};
}

Outcome<void> may_attach_as(const Volume& volume, const std::vector<Attachment>& attachments,
                            std::string_view mode) {
  const auto other = attached_mode(attachments);
  if (volume.status == VolumeStatus::attaching && other && other != mode)
    return invalid_volume("being attached by different mode");
  return {};
}

Outcome<void> may_attach_to_another(const Volume& volume) {
  if (volume.status != VolumeStatus::in_use || volume.multiattach || volume.migration_status)
    return {};
  return invalid_volume("volume is already attached and multiple attachments are not enabled");
}

Outcome<void> may_connect(const Volume& volume) {
  if (volume.status != VolumeStatus::maintenance) return {};
  return invalid_volume("The volume connection cannot be initialized in maintenance mode.");
}

Outcome<void> may_end(const Caller& caller, const Attachment& attachment) {
  if (caller.is_admin || !attachment.instance_uuid || !is_connected(attachment)) return {};
  return used_by_nova(*attachment.instance_uuid);
}

Outcome<void> may_end(const Caller& caller, const std::vector<Attachment>& attachments) {
  if (attachments.empty()) return {};
  if (attachments.size() > 1) return used_by_nova("");
  return may_end(caller, attachments.front());
}

Outcome<void> may_end(const Caller& caller, const Volume& volume,
                      const std::optional<Attachment>& named) {
  if (!named) return used_by_nova("");
  if (named->volume_id != volume.id) return invalid_input("Mismatched volume and attachment");
  return may_end(caller, *named);
}

Outcome<void> may_detach(const Volume& volume) {
  if (volume.status != VolumeStatus::maintenance) return {};
  return invalid_volume("The volume cannot be detached in maintenance mode.");
}

// ---- attachments ----

Outcome<bool> reserves(const Volume& volume, const std::vector<Attachment>& attachments,
                       const std::optional<std::string>& instance_uuid) {
  if (is_error(volume.status)) return in_error(volume, "created");
  const bool another = volume.multiattach && volume.status == VolumeStatus::in_use;
  if (volume.status == VolumeStatus::available || volume.status == VolumeStatus::downloading ||
      another)
    return true;
  const bool taken =
      volume.status == VolumeStatus::in_use || volume.status == VolumeStatus::reserved;
  const auto same = [&](const Attachment& one) { return one.instance_uuid == instance_uuid; };
  if (taken && instance_uuid && std::ranges::any_of(attachments, same)) return false;
  return invalid_volume(fmt::format(
      "Volume {} status must be {} to reserve, but the current status is {}.", volume.id,
      volume.multiattach ? "available or in-use or downloading" : "available or downloading",
      name_of(volume.status)));
}

Outcome<void> may_update(const Volume& volume, const std::vector<Attachment>& attachments) {
  if (is_error(volume.status)) return in_error(volume, "updated");
  if (attachments.size() < 2 || volume.multiattach ||
      std::ranges::none_of(attachments, is_connected))
    return {};
  return invalid_volume(fmt::format("duplicate connectors detected on volume {}", volume.id));
}

// ---- connections ----

bool is_connected(const Attachment& attachment) {
  const auto* members = attachment.connection_info.object();
  return members != nullptr && !members->empty();
}

std::optional<std::string> attached_mode(const std::vector<Attachment>& attachments) {
  std::optional<std::string> mode;
  for (const auto& attachment : attachments)
    if (is_old_style(attachment)) mode = attachment.attach_mode;
  return mode;
}

Outcome<Export> export_for(const Volume& volume, const Value& connector, std::string attachment_id,
                           std::optional<backend::DriverKind> driver) {
  const auto* host = text_in(connector, "host");
  const auto* initiator = text_in(connector, "initiator");
  if (host == nullptr) return missing("host");
  if (driver == backend::DriverKind::tgt && initiator == nullptr) return missing("initiator");
  return Export{.volume_id = volume.id,
                .host = *host,
                .initiator = initiator ? std::optional(*initiator) : std::nullopt,
                .attachment_id = std::move(attachment_id)};
}

std::string_view access_mode_of(const Volume& volume, const std::vector<Attachment>& attachments) {
  const auto mode = attached_mode(attachments);
  const bool read_only = mode ? mode == "ro" : volume.readonly;
  return read_only ? "ro" : "rw";
}

Value completed(Value connection_info, std::string_view access_mode, bool cacheable) {
  auto* members = std::get_if<Value::Object>(&connection_info.data);
  if (members == nullptr) return connection_info;
  for (auto& [name, value] : *members)
    if (auto* data = std::get_if<Value::Object>(&value.data); data != nullptr && name == "data") {
      set(*data, "access_mode", access_mode);
      set(*data, "cacheable", cacheable);
    }
  return connection_info;
}

Value flattened(const Value& connection_info, const std::string& attachment_id) {
  const auto* data = connection_info.find("data");
  auto flat = data != nullptr && data->object() != nullptr ? *data->object() : Value::Object{};
  if (const auto* members = connection_info.object())
    for (const auto& [name, value] : *members)
      if (name != "data") set(flat, name, value);
  set(flat, "attachment_id", attachment_id);
  return flat;
}

std::vector<Export> ended_with(const Attachment& gone, const std::vector<Attachment>& remaining,
                               const std::vector<Export>& exports) {
  if (remaining.empty()) return exports;
  const auto host = gone.host_name();
  std::vector<Export> ended;
  for (const auto& one : exports) {
    const bool of_old_style = one.attachment_id.empty() && is_old_style(gone) && one.host == host &&
                              !is_on(remaining, one.host);
    if (one.attachment_id == gone.id || of_old_style) ended.push_back(one);
  }
  return ended;
}

std::string sanitized_host_name(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ' || c == '_') clean.push_back('-');
    if (std::isalnum(byte) != 0 || c == '.' || c == '-')
      clean.push_back(static_cast<char>(std::tolower(byte)));
  }
  const auto first = clean.find_first_not_of(".-");
  if (first == std::string::npos) return {};
  return clean.substr(first, clean.find_last_not_of(".-") - first + 1);
}

}  // namespace volgrow::control
