// SPDX-License-Identifier: Apache-2.0
// Who may do what on the bus (contracts §1, authorisation). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/request.h"
#include "dbus/service.h"

namespace volgrow::agent {

enum class Verb : std::uint8_t {
  volume_changed,
  extend,
  plan,
  explain,
  rescan,
  register_volume,
  unregister_volume,
  wait,
  cancel,
  outbox,
};

class AccessRules {
 public:
  /// Names (looked up once, now) or decimal numbers; one that does not exist on this host grants
  /// nothing to anybody.
  static AccessRules lookup(const std::string& group, const std::string& relay_user);
  AccessRules(std::optional<std::uint32_t> group, std::optional<std::uint32_t> relay_uid)
      : group_(group), relay_uid_(relay_uid) {}

  /// Errors: NotAuthorized that says who may.
  Result<void> allow(const bus::Caller& caller, Verb verb, const RequestOptions& options) const;

 private:
  std::optional<std::uint32_t> group_;
  std::optional<std::uint32_t> relay_uid_;
};

}  // namespace volgrow::agent
