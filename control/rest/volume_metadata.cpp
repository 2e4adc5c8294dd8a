// SPDX-License-Identifier: Apache-2.0
// volumes/{id}/metadata: cinder/api/v2/volume_metadata.py. Without the ETags of 3.15.
#include "control/rest/volume_metadata.h"

#include <fmt/format.h>

#include "control/rest/new_volume.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/volumes.h"

namespace volgrow::control::rest {
namespace {

using Pairs = std::map<std::string, std::string>;

Value shown(const Pairs& metadata) {
  Value::Object object;
  for (const auto& [key, value] : metadata)
    object.emplace_back(key, value);
  return object;
}

std::unexpected<Fault> no_key(const Call& call) {
  return not_found(
      fmt::format("Volume {} has no metadata with key {}.", call.at("volume_id"), call.at("id")));
}

Outcome<Volume> volume_for(const Workplace& work, const Call& call, std::string_view rule) {
  auto volume = find_volume(work, call, call.at("volume_id"));
  if (!volume) return volume;
  if (auto allowed = work.policy.require(rule, call.caller, volume->project_id); !allowed)
    return fault_of(allowed);
  return volume;
}

Outcome<void> store(const Workplace& work, Volume& volume, Pairs metadata) {
  volume.metadata = std::move(metadata);
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  return work.records.checked((*store)->change_volume(volume));
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  auto volume = volume_for(work, call, "volume:get_volume_metadata");
  if (!volume) return fault_of(volume);
  return Content{.body = Value::Object{{"metadata", shown(volume->metadata)}}};
}

Outcome<Content> show(const Workplace& work, const Call& call) {
  auto volume = volume_for(work, call, "volume:get_volume_metadata");
  if (!volume) return fault_of(volume);
  const auto found = volume->metadata.find(call.at("id"));
  if (found == volume->metadata.end()) return no_key(call);
  return Content{.body =
                     Value::Object{{"meta", Value::Object{{found->first, Value(found->second)}}}}};
}

Outcome<Content> change_all(const Workplace& work, const Call& call, bool keep_others) {
  static const Schema schema = parameter::body_of("metadata", parameter::extra_specs());
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  const auto* rule =
      keep_others ? "volume:create_volume_metadata" : "volume:update_volume_metadata";
  auto volume = volume_for(work, call, rule);
  if (!volume) return fault_of(volume);
  auto metadata = pairs_in(*call.body->find("metadata"));
  if (keep_others) metadata.insert(volume->metadata.begin(), volume->metadata.end());
  if (auto stored = store(work, *volume, std::move(metadata)); !stored) return fault_of(stored);
  return Content{.body = Value::Object{{"metadata", shown(volume->metadata)}}};
}

Outcome<Content> add(const Workplace& work, const Call& call) {
  return change_all(work, call, true);
}

Outcome<Content> replace(const Workplace& work, const Call& call) {
  return change_all(work, call, false);
}

Outcome<Content> change_one(const Workplace& work, const Call& call) {
  static const Schema schema = parameter::body_of(
      "meta", parameter::extra_specs().with(min_properties(1)).with(max_properties(1)));
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  auto meta = pairs_in(*call.body->find("meta"));
  if (!meta.contains(call.at("id"))) return bad_request("Request body and URI mismatch");
  auto volume = volume_for(work, call, "volume:update_volume_metadata");
  if (!volume) return fault_of(volume);
  auto shown_meta = shown(meta);
  meta.insert(volume->metadata.begin(), volume->metadata.end());
  if (auto stored = store(work, *volume, std::move(meta)); !stored) return fault_of(stored);
  return Content{.body = Value::Object{{"meta", std::move(shown_meta)}}};
}

Outcome<Content> remove(const Workplace& work, const Call& call) {
  auto volume = volume_for(work, call, "volume:delete_volume_metadata");
  if (!volume) return fault_of(volume);
  auto metadata = volume->metadata;
  if (metadata.erase(call.at("id")) == 0) return no_key(call);
  if (auto stored = store(work, *volume, std::move(metadata)); !stored) return fault_of(stored);
  return Content{.by_hand = true};
}

}  // namespace

void add_volume_metadata(Api& api, const Workplace& work) {
  api.add(Route{"GET", "volumes/{volume_id}/metadata", at(work, list)});
  api.add(Route{"POST", "volumes/{volume_id}/metadata", at(work, add)});
  api.add(Route{"PUT", "volumes/{volume_id}/metadata", at(work, replace)});
  api.add(Route{"GET", "volumes/{volume_id}/metadata/{id}", at(work, show)});
  api.add(Route{"PUT", "volumes/{volume_id}/metadata/{id}", at(work, change_one)});
  api.add(Route{"DELETE", "volumes/{volume_id}/metadata/{id}", at(work, remove)});
}

}  // namespace volgrow::control::rest
