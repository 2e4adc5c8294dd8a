// SPDX-License-Identifier: Apache-2.0
// One row a collection; what Cinder answers where it has none of them.
#include "control/rest/absent.h"

#include <fmt/format.h>

#include <array>

#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/volumes.h"

namespace volgrow::control::rest {
namespace {

struct Absent {
  const char* collection;
  const char* list;    ///< the key of a list
  const char* one;     ///< the key of a request to make one; "" where that is no POST
  const char* plural;  ///< for people
  const char* before;  ///< what stands before the id where one is not found
  const char* behind;
  Version since = first_version;
};

constexpr const char* not_there = " could not be found.";

constexpr std::array absent{
    Absent{"snapshots", "snapshots", "snapshot", "Snapshots", "Snapshot ", not_there},
    Absent{"backups", "backups", "backup", "Backups", "Backup ", not_there},
    Absent{"os-volume-transfer", "transfers", "transfer", "Transfers", "Transfer ", not_there},
    Absent{
        "volume-transfers", "transfers", "transfer", "Transfers", "Transfer ", not_there, {3, 55}},
    Absent{"qos-specs", "qos_specs", "qos_specs", "QoS specs", "No such QoS spec ", "."},
    Absent{"consistencygroups", "consistencygroups", "consistencygroup", "Consistency groups",
           "Group ", not_there},
    Absent{"cgsnapshots", "cgsnapshots", "cgsnapshot", "Consistency group snapshots",
           "GroupSnapshot ", not_there},
    Absent{"groups", "groups", "group", "Groups", "Group ", not_there, {3, 13}},
    Absent{"group_snapshots",
           "group_snapshots",
           "group_snapshot",
           "Group snapshots",
           "GroupSnapshot ",
           not_there,
           {3, 14}},
    Absent{"group_types",
           "group_types",
           "group_type",
           "Group types",
           "Group type ",
           not_there,
           {3, 11}},
    Absent{"clusters", "clusters", "", "Clusters", "Cluster ", not_there, {3, 7}},
};

Operation nothing(const char* key) {
  return at_once([key](const Call& /*call*/) -> Outcome<Content> {
    return Content{.body = Value::Object{{key, Value::Array()}}};
  });
}

Operation not_found_one(const Absent& kind) {
  return at_once([kind](const Call& call) -> Outcome<Content> {
    return not_found(fmt::format("{}{}{}", kind.before, call.at("id"), kind.behind));
  });
}

/// The volume that it would be of, if it names one, is looked for first.
Outcome<Content> refuse(const Workplace& work, const Call& call, const Absent& kind) {
  const Schema schema{type(keyword::Type::object), required({kind.one})};
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  const auto* id = call.body->find(kind.one)->find("volume_id");
  if (id != nullptr && id->text() != nullptr)
    if (auto volume = find_volume(work, call, *id->text()); !volume) return fault_of(volume);
  return std::unexpected(
      Fault{501, fmt::format("{} are not supported by this service.", kind.plural), std::nullopt});
}

// ---- encryption ----

Outcome<Content> no_encryption(const Workplace& work, const Call& call) {
  auto volume = find_volume(work, call, call.at("id"));
  if (!volume) return fault_of(volume);
  constexpr auto rule = "volume_extension:volume_encryption_metadata";
  if (auto may = work.policy.require(rule, call.caller, volume->project_id); !may)
    return fault_of(may);
  return Content{.body = Value::Object{{"encryption_key_id", nullptr}}};
}

// ---- default types of projects: never beneath a project ----

Outcome<Content> no_default_type(const Call& call) {
  return not_found(fmt::format("Default type for project {} not found.", call.at("id")));
}

Outcome<Content> refuse_default_type(const Call& /*call*/) {
  return std::unexpected(
      Fault{501, "Default types of projects are not supported by this service.", std::nullopt});
}

void add_default_types(Api& api) {
  constexpr Version since{3, 62};
  api.add(Route{"GET", "/v3/default-types", nothing("default_types"), since});
  api.add(Route{"GET", "/v3/default-types/{id}", at_once(no_default_type), since});
  api.add(Route{"DELETE", "/v3/default-types/{id}", at_once(no_default_type), since});
  api.add(Route{"PUT", "/v3/default-types/{id}", at_once(refuse_default_type), since});
}

void add_kind(Api& api, const Workplace& work, const Absent& kind) {
  const std::string collection = kind.collection;
  const auto one = collection + "/{id}";
  api.add(Route{"GET", collection, nothing(kind.list), kind.since});
  api.add(Route{"GET", collection + "/detail", nothing(kind.list), kind.since});
  for (const auto* method : {"GET", "PUT", "DELETE"})
    api.add(Route{method, one, not_found_one(kind), kind.since});
  if (*kind.one == '\0') return;
  const auto refused = [kind](const Workplace& at_work, const Call& call) {
    return refuse(at_work, call, kind);
  };
  api.add(Route{"POST", collection, at(work, refused), kind.since});
}

}  // namespace

void add_absent(Api& api, const Workplace& work) {
  for (const auto& kind : absent)
    add_kind(api, work, kind);
  api.add(Route{"GET", "volumes/{id}/encryption", at(work, no_encryption)});
  add_default_types(api);
}

}  // namespace volgrow::control::rest
