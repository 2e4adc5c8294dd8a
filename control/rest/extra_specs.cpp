// SPDX-License-Identifier: Apache-2.0
// types/{type_id}/extra_specs: cinder/api/contrib/types_extra_specs.py.
#include <fmt/format.h>

#include "control/rest/new_volume.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/types.h"

namespace volgrow::control::rest {
namespace {

/// A type in use cannot be changed: its volumes were placed by what it said.
Outcome<void> require_unused(const Workplace& work, const Call& call) {
  auto used = work.records.checked(work.records.store().type_in_use(call.at("type_id")));
  if (!used) return fault_of(used);
  if (*used) return bad_request("Volume Type is currently in use.");
  return {};
}

Outcome<VolumeType> type_to_change(const Workplace& work, const Call& call, std::string_view rule) {
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  if (auto unused = require_unused(work, call); !unused) return fault_of(unused);
  return type_with_id(work, call, call.at("type_id"));
}

Outcome<void> store(const Workplace& work, VolumeType& type) {
  type.updated_at = work.clock.wall();
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  return work.records.checked((*store)->change_type(type));
}

std::unexpected<Fault> no_key(const Call& call) {
  return not_found(fmt::format("Volume Type {} has no extra specs with key {}.", call.at("type_id"),
                               call.at("id")));
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:types_extra_specs:index";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  auto type = type_with_id(work, call, call.at("type_id"));
  if (!type) return fault_of(type);
  return Content{.body = Value::Object{{"extra_specs", visible_specs(work, call, *type)}}};
}

Outcome<Content> show(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:types_extra_specs:show";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  auto type = type_with_id(work, call, call.at("type_id"));
  if (!type) return fault_of(type);
  const auto specs = visible_specs(work, call, *type);
  const auto* value = specs.find(call.at("id"));
  if (value == nullptr) return no_key(call);
  return Content{.body = Value::Object{{call.at("id"), *value}}};
}

Outcome<Content> add(const Workplace& work, const Call& call) {
  static const Schema schema =
      parameter::body_of("extra_specs", parameter::extra_specs_with_no_spaces_key());
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  auto type = type_to_change(work, call, "volume_extension:types_extra_specs:create");
  if (!type) return fault_of(type);
  for (auto& [key, value] : pairs_in(*call.body->find("extra_specs")))
    type->extra_specs[key] = value;
  if (auto stored = store(work, *type); !stored) return fault_of(stored);
  return Content{.body = call.body};
}

Outcome<Content> change_one(const Workplace& work, const Call& call) {
  static const Schema schema =
      parameter::extra_specs_with_no_spaces_key().with(min_properties(1)).with(max_properties(1));
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  auto type = type_to_change(work, call, "volume_extension:types_extra_specs:update");
  if (!type) return fault_of(type);
  if (call.body->find(call.at("id")) == nullptr)
    return bad_request("Request body and URI mismatch");
  for (auto& [key, value] : pairs_in(*call.body))
    type->extra_specs[key] = value;
  if (auto stored = store(work, *type); !stored) return fault_of(stored);
  return Content{.body = call.body};
}

Outcome<Content> remove(const Workplace& work, const Call& call) {
  auto type = type_with_id(work, call, call.at("type_id"));
  if (!type) return fault_of(type);
  constexpr auto rule = "volume_extension:types_extra_specs:delete";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  if (auto unused = require_unused(work, call); !unused) return fault_of(unused);
  if (type->extra_specs.erase(call.at("id")) == 0) return no_key(call);
  if (auto stored = store(work, *type); !stored) return fault_of(stored);
  return Content{.status = 202};
}

}  // namespace

void add_extra_specs(Api& api, const Workplace& work) {
  api.add(Route{"GET", "types/{type_id}/extra_specs", at(work, list)});
  api.add(Route{"POST", "types/{type_id}/extra_specs", at(work, add)});
  api.add(Route{"GET", "types/{type_id}/extra_specs/{id}", at(work, show)});
  api.add(Route{"PUT", "types/{type_id}/extra_specs/{id}", at(work, change_one)});
  api.add(Route{"DELETE", "types/{type_id}/extra_specs/{id}", at(work, remove)});
}

}  // namespace volgrow::control::rest
