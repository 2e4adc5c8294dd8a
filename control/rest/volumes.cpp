// SPDX-License-Identifier: Apache-2.0
// cinder/api/v3/volumes.py and the parts of cinder/volume/api.py behind it that decide.
#include "control/rest/volumes.h"

#include <fmt/format.h>

#include "control/rest/new_volume.h"
#include "control/rest/paging.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/volume_query.h"
#include "control/rest/volume_view.h"
#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

constexpr Version strict_bodies{3, 53};

// ---- show ----

Outcome<Content> show(const Workplace& work, const Call& call) {
  auto volume = find_volume(work, call, call.at("id"));
  if (!volume) return fault_of(volume);
  auto shown = VolumeView(work, call).detail(*volume);
  if (!shown) return fault_of(shown);
  return Content{.body = Value::Object{{"volume", std::move(*shown)}}};
}

// ---- lists ----

struct Found {
  std::vector<Volume> volumes;
  std::optional<std::uint64_t> count;
};

/// A marker that is no volume, and a key that is none to sort by, are the client's.
Outcome<std::vector<Volume>> read_page(const Workplace& work, const VolumePage& page) {
  auto volumes = work.records.store().volumes(page);
  if (volumes) return std::move(*volumes);
  if (volumes.error().code == ErrorCode::no_such_volume)
    return not_found(fmt::format("Volume {} could not be found.", *page.marker));
  if (volumes.error().code == ErrorCode::invalid_args) return invalid_input("Invalid sort key");
  return work.records.checked(std::move(volumes));
}

Outcome<Found> find(const Workplace& work, const Call& call) {
  if (auto allowed = work.policy.require("volume:get_all", call.caller); !allowed)
    return fault_of(allowed);
  auto query = volumes_asked(work, call);
  if (!query) return fault_of(query);
  Found found;
  if (query->with_count) found.count = 0;
  if (!query->page) return found;
  auto volumes = read_page(work, *query->page);
  if (!volumes) return fault_of(volumes);
  found.volumes = std::move(*volumes);
  if (!query->with_count) return found;
  auto count = work.records.checked(work.records.store().count_volumes(*query->page));
  if (!count) return fault_of(count);
  found.count = *count;
  return found;
}

/// Cinder's rule: there may be more when as many came as were asked for.
bool has_next(const Workplace& work, const Call& call, const Found& found) {
  const auto page = page_asked(call, work.config.page_limit);
  const auto items = found.count.value_or(0) > 0 ? *found.count : found.volumes.size();
  return !found.volumes.empty() && page && *page->limit <= items;
}

Content list_of(const Workplace& work, const Call& call, const Found& found,
                std::string_view collection, Value::Array shown) {
  Value::Object body{{"volumes", std::move(shown)}};
  if (has_next(work, call, found))
    body.emplace_back("volumes_links", next_link(call, collection, found.volumes.back().id));
  if (found.count) body.emplace_back("count", *found.count);
  return {.body = std::move(body)};
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  auto found = find(work, call);
  if (!found) return fault_of(found);
  const VolumeView view(work, call);
  Value::Array shown;
  for (const auto& volume : found->volumes)
    shown.push_back(view.summary(volume));
  return list_of(work, call, *found, "volumes", std::move(shown));
}

Outcome<Content> list_in_detail(const Workplace& work, const Call& call) {
  auto found = find(work, call);
  if (!found) return fault_of(found);
  VolumeView view(work, call);
  Value::Array shown;
  for (const auto& volume : found->volumes) {
    auto one = view.detail(volume);
    if (!one) return fault_of(one);
    shown.push_back(std::move(*one));
  }
  return list_of(work, call, *found, "volumes/detail", std::move(shown));
}

// ---- summary ----

/// Each key with its different values.
Value distinct_metadata(const std::vector<Volume>& volumes) {
  std::map<std::string, std::vector<std::string>> distinct;
  for (const auto& volume : volumes)
    for (const auto& [key, value] : volume.metadata) {
      auto& values = distinct[key];
      if (std::ranges::find(values, value) == values.end()) values.push_back(value);
    }
  Value::Object shown;
  for (auto& [key, values] : distinct)
    shown.emplace_back(key, Value::Array(values.begin(), values.end()));
  return shown;
}

Outcome<Content> summary(const Workplace& work, const Call& call) {
  if (auto allowed = work.policy.require("volume:get_all", call.caller); !allowed)
    return fault_of(allowed);
  auto project = project_asked(call);
  if (!project) return fault_of(project);
  VolumePage page;
  page.project_id = std::move(*project);
  page.sort = {{"created_at", true}, {"id", true}};
  auto volumes = work.records.checked(work.records.store().volumes(page));
  if (!volumes) return fault_of(volumes);
  Gib size = 0;
  for (const auto& volume : *volumes)
    size += volume.size;
  Value::Object shown{{"total_count", std::uint64_t{volumes->size()}}, {"total_size", size}};
  if (call.version >= Version{3, 36}) shown.emplace_back("metadata", distinct_metadata(*volumes));
  return Content{.body = Value::Object{{"volume-summary", std::move(shown)}}};
}

// ---- create ----

Outcome<Content> create(const Workplace& work, const Call& call) {
  auto volume = new_volume(work, call);
  if (!volume) return fault_of(volume);
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto stored = work.records.checked((*store)->add_volume(*volume)); !stored)
    return fault_of(stored);
  work.provisioning.create(*volume, call.caller.request_id);
  auto shown = VolumeView(work, call).plain(*volume);
  if (!shown) return fault_of(shown);
  return Content{.status = 202, .body = Value::Object{{"volume", std::move(*shown)}}};
}

// ---- update ----

Schema update_schema(bool strict) {
  const Schema inner{
      type(keyword::Type::object),
      properties({{"name", parameter::optional_text(true)},
                  {"description", parameter::optional_text(false)},
                  {"display_name", parameter::optional_text(true)},
                  {"display_description", parameter::optional_text(false)},
                  {"metadata", parameter::extra_specs()}}),
      no_others(),
  };
  if (!strict) return parameter::body_of("volume", inner);
  std::vector<Schema> one_of_them;
  for (const auto* name :
       {"name", "description", "display_name", "display_description", "metadata"})
    one_of_them.push_back({required({name})});
  return parameter::body_of("volume", inner.with(any_of(std::move(one_of_them))));
}

Outcome<void> check_update(const Call& call) {
  static const Schema lenient = update_schema(false);
  static const Schema strict = update_schema(true);
  return check(call.version >= strict_bodies ? strict : lenient, call.body);
}

/// `name` wins over `display_name`. Absent: it is not to be changed.
std::optional<std::optional<std::string>> new_text(const Value& body, std::string_view name,
                                                   std::string_view old_name) {
  const auto* value = body.find(name);
  if (value == nullptr) value = body.find(old_name);
  if (value == nullptr) return std::nullopt;
  return text_in(*value);
}

void apply_update(Volume& volume, const Value& body) {
  if (auto name = new_text(body, "name", "display_name")) volume.name = std::move(*name);
  if (auto text = new_text(body, "description", "display_description"))
    volume.description = std::move(*text);
  if (const auto* metadata = body.find("metadata")) volume.metadata = pairs_in(*metadata);
}

Outcome<Content> update(const Workplace& work, const Call& call) {
  if (auto valid = check_update(call); !valid) return fault_of(valid);
  auto volume = find_volume(work, call, call.at("id"));
  if (!volume) return fault_of(volume);
  if (auto allowed = work.policy.require("volume:update", call.caller, volume->project_id);
      !allowed)
    return fault_of(allowed);
  if (volume->status == VolumeStatus::maintenance)
    return invalid_volume("The volume cannot be updated during maintenance.");
  const auto before = *volume;
  apply_update(*volume, *call.body->find("volume"));
  if (*volume != before) volume->updated_at = work.clock.wall();
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto stored = work.records.checked((*store)->change_volume(*volume)); !stored)
    return fault_of(stored);
  auto shown = VolumeView(work, call).plain(*volume);
  if (!shown) return fault_of(shown);
  return Content{.body = Value::Object{{"volume", std::move(*shown)}}};
}

// ---- delete ----

bool may_be_deleted(const Volume& volume, bool force) {
  using enum VolumeStatus;
  const auto& migration = volume.migration_status;
  const bool migrating =
      migration && *migration != "deleting" && *migration != "error" && *migration != "success";
  if (volume.attach_status == AttachStatus::attached || migrating) return false;
  return force || volume.status == available || volume.status == error ||
         volume.status == error_restoring || volume.status == error_extending ||
         volume.status == error_managing;
}

Outcome<Content> remove(const Workplace& work, const Call& call, Volume volume, bool force) {
  if (auto allowed = work.policy.require("volume:delete", call.caller, volume.project_id); !allowed)
    return fault_of(allowed);
  if (!may_be_deleted(volume, force))
    return invalid_volume(fmt::format(
        "Volume {} must not be migrating, attached, belong to a group, have snapshots, awaiting a "
        "transfer, or be disassociated from snapshots after volume transfer.",
        force ? ""
              : "status must be available or error or error_restoring or error_extending or "
                "error_managing and"));
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  volume.status = VolumeStatus::deleting;
  volume.updated_at = work.clock.wall();
  if (auto stored = work.records.checked((*store)->change_volume(volume)); !stored)
    return fault_of(stored);
  work.provisioning.remove(volume);
  return Content{.status = 202, .by_hand = true};
}

Outcome<Content> delete_one(const Workplace& work, const Call& call) {
  if (auto cascade = flag_asked(call, "cascade"); !cascade) return fault_of(cascade);
  Outcome<bool> force = false;
  if (call.version >= Version{3, 23}) force = flag_asked(call, "force");
  if (!force) return fault_of(force);
  auto volume = find_volume(work, call, call.at("id"));
  if (!volume) return fault_of(volume);
  if (*force)
    if (auto allowed = work.policy.require("volume:force_delete", call.caller, volume->project_id);
        !allowed)
      return fault_of(allowed);
  return remove(work, call, std::move(*volume), *force);
}

Outcome<Content> force_delete(const Workplace& work, const Call& call) {
  auto volume = find_volume(work, call, call.at("id"));
  if (!volume) return fault_of(volume);
  constexpr auto rule = "volume_extension:volume_admin_actions:force_delete";
  if (auto allowed = work.policy.require(rule, call.caller, volume->project_id); !allowed)
    return fault_of(allowed);
  auto removed = remove(work, call, std::move(*volume), true);
  if (removed) removed->by_hand = false;  // an action, unlike DELETE
  return removed;
}

}  // namespace

Outcome<Volume> find_volume(const Workplace& work, const Call& call, const std::string& id) {
  auto volume = work.records.checked(work.records.store().volume(id));
  if (!volume) return fault_of(volume);
  // One that a caller may not see is not there: a refusal would tell that it is.
  if (*volume && work.policy.allows("volume:get", call.caller, (*volume)->project_id))
    return std::move(**volume);
  return not_found(fmt::format("Volume {} could not be found.", id));
}

void add_volumes(Api& api, const Workplace& work) {
  api.add(Route{"GET", "volumes", at(work, list)});
  api.add(Route{"POST", "volumes", at(work, create)});
  api.add(Route{"GET", "volumes/detail", at(work, list_in_detail)});
  api.add(Route{"GET", "volumes/summary", at(work, summary), {3, 12}});
  api.add(Route{"GET", "volumes/{id}", at(work, show)});
  api.add(Route{"PUT", "volumes/{id}", at(work, update)});
  api.add(Route{"DELETE", "volumes/{id}", at(work, delete_one)});
  api.add(Action{"volumes", "os-force_delete", at(work, force_delete)});
}

}  // namespace volgrow::control::rest
