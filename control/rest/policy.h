// SPDX-License-Identifier: Apache-2.0
// Who may do what: Cinder's rules by their names, with its defaults and what [policy] says instead.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "control/caller.h"
#include "control/config.h"
#include "control/fault.h"

namespace volgrow::control::rest {

class Policy {
 public:
  using Rules = std::map<std::string, PolicyRule, std::less<>>;

  explicit Policy(Rules configured) : configured_(std::move(configured)) {}

  /// For a [policy] that was read again.
  void replace(Rules configured) { configured_ = std::move(configured); }

  /// Whether `caller` may do it to what belongs to `project`. "allow" lets in everybody of that
  /// project, and administrators; "admin" these alone; "deny" nobody.
  bool allows(std::string_view rule, const Caller& caller, std::string_view project) const;
  /// The same for what is the caller's own.
  bool allows(std::string_view rule, const Caller& caller) const {
    return allows(rule, caller, caller.project_id);
  }

  /// Faults: 403 that names the rule.
  Outcome<void> require(std::string_view rule, const Caller& caller,
                        std::string_view project) const;
  Outcome<void> require(std::string_view rule, const Caller& caller) const {
    return require(rule, caller, caller.project_id);
  }

 private:
  PolicyRule rule_for(std::string_view rule) const;

  Rules configured_;
};

}  // namespace volgrow::control::rest
