// SPDX-License-Identifier: Apache-2.0
// Snapshots, backups, groups and images do not exist here, so that who names one is told that it
// cannot be found.
#include "control/rest/new_volume.h"

#include <fmt/format.h>

#include "control/quota_limits.h"
#include "control/rest/paging.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/volumes.h"
#include "control/rest/words.h"
#include "control/type_limits.h"
#include "core/uuid.h"

namespace volgrow::control::rest {
namespace {

// ---- schema ----

std::vector<keyword::Property> known_properties(Version version) {
  using namespace parameter;
  std::vector<keyword::Property> known{
      {"name", optional_text(true)},
      {"description", optional_text(false)},
      {"display_name", optional_text(true)},
      {"display_description", optional_text(false)},
      {"volume_type", name_allow_zero_min_length()},
      {"metadata", metadata_allows_null()},
      {"snapshot_id", optional_uuid()},
      {"source_volid", optional_uuid()},
      {"consistencygroup_id", optional_uuid()},
      {"size", volume_size_allows_null()},
      {"availability_zone", availability_zone()},
      {"multiattach", optional_boolean()},
      {"image_id", nullable_string()},
      {"imageRef", nullable_string()},
  };
  if (version >= Version{3, 13}) known.push_back({"group_id", nullable_string()});
  if (version >= Version{3, 47}) known.push_back({"backup_id", optional_uuid()});
  return known;
}

Schema schema_for(Version version) {
  using keyword::Type;
  Schema volume{type(Type::object), properties(known_properties(version))};
  if (version >= Version{3, 53}) volume = volume.with(no_others());
  return {type(Type::object),
          properties({{"volume", std::move(volume)},
                      {"OS-SCH-HNT:scheduler_hints", {type({Type::object, Type::null})}}}),
          required({"volume"}), no_others()};
}

Outcome<void> check_body(const Call& call) {
  static const Schema first = schema_for({3, 0});
  static const Schema with_group = schema_for({3, 13});
  static const Schema with_backup = schema_for({3, 47});
  static const Schema strict = schema_for({3, 53});
  if (call.version >= Version{3, 53}) return check(strict, call.body);
  if (call.version >= Version{3, 47}) return check(with_backup, call.body);
  return check(call.version >= Version{3, 13} ? with_group : first, call.body);
}

// ---- what it is made from ----

/// A member that is there and not null.
const std::string* given(const Value& body, std::string_view name) {
  const auto* value = body.find(name);
  return value == nullptr ? nullptr : value->text();
}

Outcome<void> check_group(const Value& body, std::string_view member) {
  const auto* id = given(body, member);
  if (id == nullptr) return {};
  return not_found(fmt::format("Group {} could not be found.", *id));
}

Outcome<void> check_source_volume(const Workplace& work, const Call& call, const Value& body) {
  const auto* id = given(body, "source_volid");
  if (id == nullptr) return {};
  if (auto source = find_volume(work, call, *id); !source) return fault_of(source);
  return std::unexpected(
      Fault{501, "A volume cannot be created from another volume here.", std::nullopt});
}

Outcome<void> check_sources(const Workplace& work, const Call& call, const Value& body) {
  if (const auto* id = given(body, "snapshot_id"))
    return not_found(fmt::format("Snapshot {} could not be found.", *id));
  if (auto none = check_source_volume(work, call, body); !none) return none;
  if (auto none = check_group(body, "consistencygroup_id"); !none) return none;
  if (auto none = check_group(body, "group_id"); !none) return none;
  if (given(body, "imageRef") != nullptr || given(body, "image_id") != nullptr)
    return bad_request("Invalid image identifier or unable to access requested image.");
  const auto* backup = given(body, "backup_id");
  if (backup != nullptr && !backup->empty())
    return not_found(fmt::format("Backup {} could not be found.", *backup));
  return {};
}

Outcome<void> check_multiattach(const Value& body) {
  const auto* value = body.find("multiattach");
  if (value == nullptr) return {};
  const auto* text = value->text();
  const auto flag = text != nullptr               ? boolean_in(*text)
                    : value->boolean() != nullptr ? std::optional(*value->boolean())
                                                  : std::nullopt;
  if (!flag) return bad_request("Value 'None' for 'multiattach' is not a boolean.");
  if (!*flag) return {};
  return bad_request(
      "multiattach parameter has been removed. The default behavior is to use multiattach enabled "
      "volume types. Contact your administrator to create a multiattach enabled volume type and "
      "use it to create multiattach volumes.");
}

// ---- size ----

/// Cinder fails over a size that is missing in a way that looks like a malformed request. A text
/// must be the number as Python writes it: the schema's pattern also takes "01", and a line end.
Outcome<Gib> size_in(const Value& body) {
  const auto* value = body.find("size");
  if (value == nullptr || value->is_null()) return bad_request(std::string(words::malformed));
  if (const auto* text = value->text()) {
    const auto number = integer_in(*text);
    if (number && *text == std::to_string(*number)) return *number;
    return invalid_input(
        fmt::format("Invalid volume size provided for create request: {} (size argument must be an "
                    "integer (or string representation of an integer) and greater than zero).",
                    *text));
  }
  const auto* number = std::get_if<std::uint64_t>(&value->data);
  return static_cast<Gib>(number == nullptr ? 0 : *number);
}

Outcome<std::string> zone_in(const Workplace& work, const Value& body) {
  const auto* zone = given(body, "availability_zone");
  if (zone == nullptr) return work.config.availability_zone;
  if (*zone == work.config.availability_zone) return *zone;
  return bad_request(fmt::format("Availability zone '{}' is invalid.", *zone));
}

// ---- quota ----

struct Budget {
  std::map<std::string, Gib> limits;
  std::map<std::string, Usage> usage;

  Gib limit(const std::string& resource) const {
    const auto found = limits.find(resource);
    return found == limits.end() ? -1 : found->second;
  }
  Gib consumed(const std::string& resource) const {
    const auto found = usage.find(resource);
    return found == usage.end() ? 0 : found->second.in_use + found->second.reserved;
  }
  bool exceeded(const std::string& resource, Gib more) const {
    return limit(resource) >= 0 && consumed(resource) + more > limit(resource);
  }
};

/// Cinder looks at what is exceeded in the order of the alphabet.
Outcome<void> check_quota(const Budget& budget, const std::string& type, Gib size) {
  const auto per_volume = budget.limit("per_volume_gigabytes");
  if (per_volume >= 0 && size > per_volume)
    return over_quota(
        fmt::format("VolumeSizeExceedsLimit: Requested volume size {}G is larger than maximum "
                    "allowed limit {}G.",
                    size, per_volume));
  for (const auto& resource : {std::string("gigabytes"), "gigabytes_" + type})
    if (budget.exceeded(resource, size))
      return over_quota(fmt::format(
          "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {} quota. "
          "Requested {}G, quota is {}G and {}G has been consumed.",
          resource, size, budget.limit(resource), budget.consumed(resource)));
  for (const auto& resource : {std::string("volumes"), "volumes_" + type})
    if (budget.exceeded(resource, 1))
      return over_quota(fmt::format(
          "VolumeLimitExceeded: Maximum number of volumes allowed ({}) exceeded for quota '{}'.",
          budget.limit(resource), resource));
  return {};
}

Outcome<void> check_budget(const Workplace& work, const std::string& project,
                           const VolumeType& type, Gib size) {
  auto& store = work.records.store();
  auto limits = work.records.checked(limits_of(store, work.config, project));
  if (!limits) return fault_of(limits);
  auto usage = work.records.checked(store.usage(project));
  if (!usage) return fault_of(usage);
  return check_quota({std::move(*limits), std::move(*usage)}, type.name, size);
}

Outcome<VolumeType> type_in(const Workplace& work, const Value& body) {
  const auto* name = given(body, "volume_type");
  return name == nullptr || name->empty() ? default_type(work) : find_type(work, *name);
}

Volume volume_from(const Workplace& work, const Call& call, const Value& body) {
  Volume volume;
  volume.id = new_uuid();
  volume.project_id = call.caller.project_id;
  volume.user_id = call.caller.user_id;
  const auto text = [&](std::string_view name, std::string_view old_name) {
    const auto* value = body.find(name);
    if (value == nullptr) value = body.find(old_name);
    return value == nullptr ? std::nullopt : text_in(*value);
  };
  volume.name = text("name", "display_name");
  volume.description = text("description", "display_description");
  if (const auto* metadata = body.find("metadata")) volume.metadata = pairs_in(*metadata);
  volume.created_at = work.clock.wall();
  return volume;
}

bool allows_many(const VolumeType& type) {
  const auto found = type.extra_specs.find("multiattach");
  return found != type.extra_specs.end() && found->second == "<is> True";
}

}  // namespace

std::optional<std::string> text_in(const Value& value) {
  const auto* text = value.text();
  return text == nullptr ? std::nullopt : std::optional(std::string(words::stripped(*text)));
}

std::map<std::string, std::string> pairs_in(const Value& object) {
  std::map<std::string, std::string> pairs;
  if (object.object() != nullptr)
    for (const auto& [key, value] : *object.object())
      if (value.text() != nullptr) pairs.emplace(key, *value.text());
  return pairs;
}

Outcome<VolumeType> find_type(const Workplace& work, const std::string& name_or_id) {
  const bool is_id = is_uuid_like(name_or_id);
  auto& store = work.records.store();
  auto type = work.records.checked(is_id ? store.type(name_or_id) : store.type_named(name_or_id));
  if (!type) return fault_of(type);
  if (*type) return std::move(**type);
  if (is_id) return not_found(fmt::format("Volume type {} could not be found.", name_or_id));
  return not_found(fmt::format("Volume type with name {} could not be found.", name_or_id));
}

Outcome<VolumeType> default_type(const Workplace& work) {
  auto type = work.records.checked(work.records.store().type_named(default_type_name));
  if (!type) return fault_of(type);
  if (*type) return std::move(**type);
  return std::unexpected(
      Fault{500,
            fmt::format("The request cannot be fulfilled as the default volume type {} cannot be "
                        "found.",
                        default_type_name),
            std::nullopt});
}

Outcome<Volume> new_volume(const Workplace& work, const Call& call) {
  if (auto valid = check_body(call); !valid) return fault_of(valid);
  const auto& body = *call.body->find("volume");
  auto type = type_in(work, body);
  if (!type) return fault_of(type);
  if (auto none = check_sources(work, call, body); !none) return fault_of(none);
  if (auto one = check_multiattach(body); !one) return fault_of(one);
  if (auto allowed = work.policy.require("volume:create", call.caller); !allowed)
    return fault_of(allowed);
  auto size = size_in(body);
  if (!size) return fault_of(size);
  if (auto fits = check_type_limits(*type, *size); !fits) return fault_of(fits);
  auto zone = zone_in(work, body);
  if (!zone) return fault_of(zone);
  const bool many = allows_many(*type);
  if (auto allowed = work.policy.require("volume:multiattach", call.caller); many && !allowed)
    return fault_of(allowed);
  if (auto paid = check_budget(work, call.caller.project_id, *type, *size); !paid)
    return fault_of(paid);
  auto volume = volume_from(work, call, body);
  volume.size = *size;
  volume.type_id = type->id;
  volume.multiattach = many;
  volume.availability_zone = *zone;
  return volume;
}

}  // namespace volgrow::control::rest
