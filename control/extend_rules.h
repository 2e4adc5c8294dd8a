// SPDX-License-Identifier: Apache-2.0
// What an extend changes, and when it may begin: the state machine, as a table and a few checks.
// Pure; who applies it is Extends.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config.h"
#include "control/fault.h"
#include "control/model.h"
#include "control/user_messages.h"

namespace volgrow::control {

/// What the back end, or whoever completes for it, says of an extend under way.
enum class ExtendEvent : std::uint8_t {
  grew,
  grew_deferred,    ///< the back end's part is done; os-extend_volume_completion will follow
  completed,        ///< os-extend_volume_completion, without error
  failed,           ///< by the back end, or os-extend_volume_completion with an error
  not_initialised,  ///< the back end is not there
  no_capacity,      ///< no room, or no back end that may do it
};

enum class Notification : std::uint8_t { none, end, error, scheduler_error };

/// One row of the state machine; what it says is one transaction.
struct Transition {
  bool ends = true;    ///< the extend is closed: its reservation becomes usage, or nothing
  bool grown = false;  ///< the volume has its new size
  bool tells_hosts = false;
  std::optional<Detail> message{};
  Notification notification = Notification::none;
  /// What the volume becomes; for one that grew it depends on its attachments.
  enum class To : std::uint8_t { extending, by_attachments, previous, error_extending };
  To to = To::error_extending;

  bool operator==(const Transition&) const = default;
};

Transition transition(ExtendEvent event);

/// The status a transition leads to, for a volume with these attachments.
VolumeStatus status_after(const Transition& transition, const Extend& extend,
                          const std::vector<Attachment>& attachments);

/// What an os-extend needs to know of the project and the type.
struct ExtendRequest {
  Volume volume;
  Gib new_size = 0;
  bool in_use_allowed = false;  ///< microversion 3.42 or later
  bool capable = false;         ///< the back end may extend in use, or another will say no later
  bool under_way = false;       ///< one is open, whatever os-reset_status made of the status
  std::string back_end_driver;
  std::optional<VolumeType> type;
  std::map<std::string, Usage> usage;
  std::map<std::string, Gib> limits;  ///< by resource; -1 is unlimited

  std::string_view type_name() const { return type ? std::string_view(type->name) : ""; }
};

/// In Cinder's order and words. Faults: 400, 413.
Outcome<void> check(const ExtendRequest& request);

}  // namespace volgrow::control
