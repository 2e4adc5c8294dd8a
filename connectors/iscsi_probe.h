// SPDX-License-Identifier: Apache-2.0
// Asks an iSCSI target for the size and identity of a logical unit, in a session of its own, with
// nothing of the kernel's in between. It changes nothing: two commands are sent, both only ask.
#pragma once

#include <optional>
#include <string>

#include "connectors/iscsi_url.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/identity.h"
#include "core/secret.h"

namespace volgrow {

struct IscsiProbe {
  IscsiUrl url;
  /// Targets let initiators in by name. A session that the kernel has under the same name is not
  /// disturbed: the other half of a session's identity (the ISID) is random here.
  std::string initiator;
  const Secret* secret = nullptr;  ///< of `url.user`; nullptr: no CHAP
};

struct IscsiAnswer {
  std::string portal;  ///< which answered, after redirections
  Bytes size;
  Bytes block_length;
  std::optional<Wwid> identity;  ///< none: the target reports no designator we trust

  bool operator==(const IscsiAnswer&) const = default;
};

/// Errors: Unreachable, TimedOut, NotAuthorized (the target refuses this initiator or its secret),
/// NoSuchDevice (no such target or LUN), NoUsablePath (everything else the target says).
Result<IscsiAnswer> probe_iscsi(const IscsiProbe& probe, Deadline deadline, const Clock& clock);

}  // namespace volgrow
