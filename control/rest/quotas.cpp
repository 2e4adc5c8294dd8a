// SPDX-License-Identifier: Apache-2.0
// cinder/api/contrib/quotas.py, quota_classes.py and used_limits.py. Snapshots, backups and groups
// have Cinder's default limits, and no use.
#include "control/rest/quotas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "control/quota_limits.h"
#include "control/rest/paging.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/words.h"
#include "core/python_repr.h"

namespace volgrow::control::rest {
namespace {

constexpr Gib unlimited = -1;

struct Limit {
  std::string resource;
  Gib most = unlimited;
  Usage usage{};
  bool set = false;  ///< for the project, not by default
};

/// In the order in which Cinder shows them: by type between the last two.
std::vector<Limit> default_limits(const Config& config, const std::vector<VolumeType>& types) {
  std::vector<Limit> limits{{"volumes", config.quota_volumes},
                            {"per_volume_gigabytes", config.quota_per_volume_gigabytes},
                            {"snapshots", 10},
                            {"gigabytes", config.quota_gigabytes},
                            {"backups", 10},
                            {"backup_gigabytes", 1000}};
  for (const auto& type : types)
    for (const auto* kind : {"volumes_", "gigabytes_", "snapshots_"})
      limits.push_back({kind + type.name});
  limits.push_back({"groups", 10});
  return limits;
}

Outcome<std::vector<Limit>> defaults(const Workplace& work) {
  auto types = work.records.checked(work.records.store().types());
  if (!types) return fault_of(types);
  return default_limits(work.config, *types);
}

Outcome<std::vector<Limit>> limits_for(const Workplace& work, const std::string& project) {
  auto limits = defaults(work);
  if (!limits) return limits;
  auto& store = work.records.store();
  auto set = work.records.checked(store.quota_limits(project));
  if (!set) return fault_of(set);
  auto usage = work.records.checked(store.usage(project));
  if (!usage) return fault_of(usage);
  for (auto& limit : *limits) {
    const auto own = set->find(limit.resource);
    limit.set = own != set->end();
    if (limit.set) limit.most = own->second;
    if (const auto found = usage->find(limit.resource); found != usage->end())
      limit.usage = found->second;
  }
  return limits;
}

Value::Object shown(const std::vector<Limit>& limits, bool with_usage) {
  Value::Object object;
  for (const auto& limit : limits)
    object.emplace_back(limit.resource,
                        with_usage ? Value(Value::Object{{"limit", limit.most},
                                                         {"in_use", limit.usage.in_use},
                                                         {"reserved", limit.usage.reserved}})
                                   : Value(limit.most));
  return object;
}

// ---- os-quota-sets ----

Outcome<Content> show(const Workplace& work, const Call& call) {
  const auto& project = call.at("id");
  constexpr auto rule = "volume_extension:quotas:show";
  if (auto allowed = work.policy.require(rule, call.caller, project); !allowed)
    return fault_of(allowed);
  auto with_usage = flag_asked(call, "usage");
  if (!with_usage) return fault_of(with_usage);
  auto limits = limits_for(work, project);
  if (!limits) return fault_of(limits);
  auto object = shown(*limits, *with_usage);
  object.emplace_back("id", project);
  return Content{.body = Value::Object{{"quota_set", std::move(object)}}};
}

Outcome<Content> show_defaults(const Workplace& work, const Call& call) {
  const auto& project = call.at("id");
  constexpr auto rule = "volume_extension:quotas:show";
  if (auto allowed = work.policy.require(rule, call.caller, project); !allowed)
    return fault_of(allowed);
  auto limits = defaults(work);
  if (!limits) return fault_of(limits);
  auto object = shown(*limits, false);
  object.emplace_back("id", project);
  return Content{.body = Value::Object{{"quota_set", std::move(object)}}};
}

/// strutils.validate_integer(value, key, -1, largest_number), of which str() comes first.
Outcome<Gib> limit_in(const std::string& key, const Value& value) {
  const auto number = integer_in(python_str(value));
  if (!number) return bad_request(fmt::format("{} must be an integer", key));
  if (*number < unlimited) return bad_request(fmt::format("{} must be >= -1", key));
  if (*number > largest_number)
    return bad_request(fmt::format("{} must be <= {}", key, largest_number));
  return *number;
}

bool is_no_quota(std::string_view key) {
  return key == "tenant_id" || key == "id";
}

/// The values first that are wrong, then the keys that are none, as Cinder's format does.
Outcome<void> check_set(const Value& set, const std::vector<Limit>& known) {
  std::vector<std::string> bad;
  for (const auto& [key, value] : *set.object()) {
    if (is_no_quota(key)) continue;
    if (std::ranges::find(known, key, &Limit::resource) == known.end()) {
      bad.push_back(key);
    } else if (auto number = limit_in(key, value); !number) {
      return fault_of(number);
    }
  }
  if (bad.empty()) return {};
  return invalid_input(fmt::format("Bad key(s) in quota set: {}", fmt::join(bad, ", ")));
}

/// A limit below what is used already is refused, if there was one set before: Cinder looks no
/// further. A text cannot be compared there, and fails.
Outcome<void> check_usage(const Limit& limit, const Value& value) {
  if (limit.resource == "per_volume_gigabytes") return {};
  if (value.text() != nullptr) return bad_request(std::string(words::malformed));
  const auto asked = *limit_in(limit.resource, value);
  const auto used = limit.set ? limit.usage.in_use + limit.usage.reserved : 0;
  if (asked == unlimited || asked >= used) return {};
  return bad_request(
      fmt::format("Quota {} limit must be equal or greater than existing resources. Current usage "
                  "is {} and the requested limit is {}.",
                  limit.resource, used, asked));
}

Outcome<void> store_limits(const Workplace& work, const std::string& project, const Value& set) {
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  for (const auto& [key, value] : *set.object()) {
    if (is_no_quota(key)) continue;
    const auto stored = (*store)->set_quota_limit(project, key, *limit_in(key, value));
    if (auto done = work.records.checked(stored); !done) return done;
  }
  return {};
}

Outcome<void> check_body(const Call& call) {
  using keyword::Type;
  static const Schema schema =
      parameter::body_of("quota_set", {type(Type::object), min_properties(1)});
  return check(schema, call.body);
}

Outcome<Content> update(const Workplace& work, const Call& call) {
  const auto& project = call.at("id");
  if (auto valid = check_body(call); !valid) return fault_of(valid);
  const auto& set = *call.body->find("quota_set");
  auto limits = limits_for(work, project);
  if (!limits) return fault_of(limits);
  if (auto valid = check_set(set, *limits); !valid) return fault_of(valid);
  constexpr auto rule = "volume_extension:quotas:update";
  if (auto allowed = work.policy.require(rule, call.caller, project); !allowed)
    return fault_of(allowed);
  for (const auto& limit : *limits)
    if (const auto* value = set.find(limit.resource))
      if (auto enough = check_usage(limit, *value); !enough) return fault_of(enough);
  if (auto stored = store_limits(work, project, set); !stored) return fault_of(stored);
  limits = limits_for(work, project);
  if (!limits) return fault_of(limits);
  return Content{.body = Value::Object{{"quota_set", shown(*limits, false)}}};
}

Outcome<Content> remove(const Workplace& work, const Call& call) {
  const auto& project = call.at("id");
  constexpr auto rule = "volume_extension:quotas:delete";
  if (auto allowed = work.policy.require(rule, call.caller, project); !allowed)
    return fault_of(allowed);
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto gone = work.records.checked((*store)->remove_quota_limits(project)); !gone)
    return fault_of(gone);
  return Content{};
}

// ---- os-quota-class-sets: the one class is the configuration's ----

Outcome<Content> show_class(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:quota_classes:get";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  auto limits = defaults(work);
  if (!limits) return fault_of(limits);
  auto object = shown(*limits, false);
  object.emplace_back("id", call.at("id"));
  return Content{.body = Value::Object{{"quota_class_set", std::move(object)}}};
}

Schema class_schema() {
  using keyword::Type;
  const Schema limit{type({Type::integer, Type::string}), pattern("^[0-9]*$"), minimum(-1),
                     min_length(1), maximum(largest_number)};
  return parameter::body_of(
      "quota_class_set",
      {type(Type::object), pattern_properties("^[a-zA-Z0-9-_:. ]{1,255}$", limit), no_others()});
}

Outcome<Content> update_class(const Workplace& work, const Call& call) {
  static const Schema schema = class_schema();
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  constexpr auto rule = "volume_extension:quota_classes:update";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  return std::unexpected(
      Fault{501, "Default quotas are set in control.toml, section [quota].", std::nullopt});
}

// ---- limits ----

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> totals{{
    {"volumes", "maxTotalVolumes"},
    {"snapshots", "maxTotalSnapshots"},
    {"gigabytes", "maxTotalVolumeGigabytes"},
    {"backups", "maxTotalBackups"},
    {"backup_gigabytes", "maxTotalBackupGigabytes"},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> used{{
    {"volumes", "totalVolumesUsed"},
    {"gigabytes", "totalGigabytesUsed"},
    {"snapshots", "totalSnapshotsUsed"},
    {"backups", "totalBackupsUsed"},
    {"backup_gigabytes", "totalBackupGigabytesUsed"},
}};

/// An administrator may ask for another project's from 3.39 on.
std::string project_of_limits(const Call& call) {
  if (call.version < Version{3, 39} || !call.caller.is_admin) return call.caller.project_id;
  for (const auto* name : {"project_id", "tenant_id"})
    if (const auto* project = call.parameter(name)) return *project;
  return call.caller.project_id;
}

Outcome<Content> show_limits(const Workplace& work, const Call& call) {
  auto limits = limits_for(work, project_of_limits(call));
  if (!limits) return fault_of(limits);
  const auto* reserved = call.parameter("reserved");
  const bool with_reserved = reserved != nullptr && boolean_in(*reserved).value_or(false);
  const auto find = [&](std::string_view resource) {
    return *std::ranges::find(*limits, resource, &Limit::resource);
  };
  Value::Object absolute;
  for (const auto& [resource, name] : totals)
    absolute.emplace_back(name, find(resource).most);
  if (work.policy.allows("limits_extension:used_limits", call.caller))
    for (const auto& [resource, name] : used) {
      const auto usage = find(resource).usage;
      absolute.emplace_back(name, usage.in_use + (with_reserved ? usage.reserved : 0));
    }
  Value::Object all{{"rate", Value::Array()}, {"absolute", std::move(absolute)}};
  return Content{.body = Value::Object{{"limits", std::move(all)}}};
}

}  // namespace

void add_quotas(Api& api, const Workplace& work) {
  api.add(Route{"GET", "os-quota-sets/{id}", at(work, show)});
  api.add(Route{"PUT", "os-quota-sets/{id}", at(work, update)});
  api.add(Route{"DELETE", "os-quota-sets/{id}", at(work, remove)});
  api.add(Route{"GET", "os-quota-sets/{id}/defaults", at(work, show_defaults)});
  api.add(Route{"GET", "os-quota-class-sets/{id}", at(work, show_class)});
  api.add(Route{"PUT", "os-quota-class-sets/{id}", at(work, update_class)});
  api.add(Route{"GET", "limits", at(work, show_limits)});
}

}  // namespace volgrow::control::rest
