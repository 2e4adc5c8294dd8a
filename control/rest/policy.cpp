// SPDX-License-Identifier: Apache-2.0
// The defaults of cinder/policies: those that are rule:admin_api, as far as we serve what they
// guard; all others are the owner's and the administrator's.
#include "control/rest/policy.h"

#include <algorithm>
#include <array>

namespace volgrow::control::rest {
namespace {

constexpr std::array<std::string_view, 42> for_administrators{
    "clusters:get_all",
    "group:group_types_specs:get_all",
    "scheduler_extension:scheduler_stats:get_pools",
    "volume:failover_host",
    "volume:force_delete",
    "volume:freeze_host",
    "volume:thaw_host",
    "volume:update_volume_admin_metadata",
    "volume_extension:access_types_qos_specs_id",
    "volume_extension:capabilities",
    "volume_extension:default_get",
    "volume_extension:default_get_all",
    "volume_extension:default_set_or_update",
    "volume_extension:default_unset",
    "volume_extension:hosts",
    "volume_extension:list_manageable",
    "volume_extension:qos_specs_manage:get",
    "volume_extension:qos_specs_manage:get_all",
    "volume_extension:quota_classes:get",
    "volume_extension:quota_classes:update",
    "volume_extension:quotas:delete",
    "volume_extension:quotas:update",
    "volume_extension:services:index",
    "volume_extension:services:update",
    "volume_extension:type_create",
    "volume_extension:type_delete",
    "volume_extension:type_update",
    "volume_extension:types_extra_specs:create",
    "volume_extension:types_extra_specs:delete",
    "volume_extension:types_extra_specs:read_sensitive",
    "volume_extension:types_extra_specs:update",
    "volume_extension:volume_admin_actions:extend_volume_completion",
    "volume_extension:volume_admin_actions:force_delete",
    "volume_extension:volume_admin_actions:force_detach",
    "volume_extension:volume_admin_actions:reset_status",
    "volume_extension:volume_host_attribute",
    "volume_extension:volume_manage",
    "volume_extension:volume_mig_status_attribute",
    "volume_extension:volume_type_access:addProjectAccess",
    "volume_extension:volume_type_access:get_all_for_type",
    "volume_extension:volume_type_access:removeProjectAccess",
    "volume_extension:volume_type_encryption:get",
};
static_assert(std::ranges::is_sorted(for_administrators));

}  // namespace

PolicyRule Policy::rule_for(std::string_view rule) const {
  if (const auto found = configured_.find(rule); found != configured_.end()) return found->second;
  const bool guarded = std::ranges::binary_search(for_administrators, rule);
  return guarded ? PolicyRule::admin : PolicyRule::allow;
}

bool Policy::allows(std::string_view rule, const Caller& caller, std::string_view project) const {
  switch (rule_for(rule)) {
    case PolicyRule::allow:
      return caller.is_admin || caller.project_id == project;
    case PolicyRule::admin:
      return caller.is_admin;
    case PolicyRule::deny:
      break;
  }
  return false;
}

Outcome<void> Policy::require(std::string_view rule, const Caller& caller,
                              std::string_view project) const {
  if (allows(rule, caller, project)) return {};
  return forbidden(rule);
}

}  // namespace volgrow::control::rest
