// SPDX-License-Identifier: Apache-2.0
// When a volume may be attached, connected and detached, and what it is then: Cinder's rules, in
// its words. Pure; who applies them is Attaching.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/settings.h"
#include "control/caller.h"
#include "control/fault.h"
#include "control/model.h"
#include "core/value.h"

namespace volgrow::control {

/// What a volume is because of its attachments.
struct Standing {
  VolumeStatus status = VolumeStatus::available;
  AttachStatus attach_status = AttachStatus::detached;

  bool operator==(const Standing&) const = default;
};
/// Attachments that failed do not count, so a volume may be available and have some.
Standing standing_of(const std::vector<Attachment>& attachments);
/// The volume when one of its attachments is gone; a migration or an upload goes on in its status.
Volume without_one(Volume volume, const std::vector<Attachment>& remaining);

// ---- the actions on a volume. Faults: 400 ----

Outcome<void> may_reserve(const Volume& volume);
/// Whether it becomes `detaching`: one that migrates keeps its status.
Outcome<bool> begins_detaching(const Volume& volume);
Outcome<void> may_attach(const Volume& volume, std::string_view mode);
/// A second time by os-attach, while the first is under way.
Outcome<void> may_attach_as(const Volume& volume, const std::vector<Attachment>& attachments,
                            std::string_view mode);
/// To another instance or host than those that have it.
Outcome<void> may_attach_to_another(const Volume& volume);
Outcome<void> may_connect(const Volume& volume);
/// Bug #2004555: a host must not lose what Nova believes it has. Where Cinder asks Nova whether it
/// does, administrators may, and nobody else. Faults: 409.
Outcome<void> may_end(const Caller& caller, const Attachment& attachment);
/// The same for a volume, when nobody said which of its attachments is meant.
Outcome<void> may_end(const Caller& caller, const std::vector<Attachment>& attachments);
/// The same for the one that was named, if there is one of that name. Faults: also 400.
Outcome<void> may_end(const Caller& caller, const Volume& volume,
                      const std::optional<Attachment>& named);
Outcome<void> may_detach(const Volume& volume);

// ---- attachments ----

/// Whether the volume becomes `reserved`: for another attachment of the same instance, as when it
/// moves, it stays what it is. Faults: 400.
Outcome<bool> reserves(const Volume& volume, const std::vector<Attachment>& attachments,
                       const std::optional<std::string>& instance_uuid);
/// Faults: 400, which an update wraps.
Outcome<void> may_update(const Volume& volume, const std::vector<Attachment>& attachments);

// ---- connections ----

/// It has a connection_info: somewhere it is exported for it. One that was only reserved has {}.
bool is_connected(const Attachment& attachment);
/// Cinder's admin metadata "attached_mode": of os-attach, which knows no connector.
std::optional<std::string> attached_mode(const std::vector<Attachment>& attachments);

/// Whom a connector names, for `attachment_id`. Faults: 400 that names what is missing.
Outcome<Export> export_for(const Volume& volume, const Value& connector, std::string attachment_id,
                           std::optional<backend::DriverKind> driver);
/// "rw" or "ro", as os-attach asked for or the volume says.
std::string_view access_mode_of(const Volume& volume, const std::vector<Attachment>& attachments);
/// What the manager adds to the driver's connection_info (_parse_connection_options).
Value completed(Value connection_info, std::string_view access_mode, bool cacheable);
/// As attachments have it: without the "data" around most of it.
Value flattened(const Value& connection_info, const std::string& attachment_id);

/// What ends for the back end with `gone`, when `remaining` stay.
std::vector<Export> ended_with(const Attachment& gone, const std::vector<Attachment>& remaining,
                               const std::vector<Export>& exports);

/// RFC 952, as Cinder's sanitize_hostname().
std::string sanitized_host_name(std::string_view name);

}  // namespace volgrow::control
