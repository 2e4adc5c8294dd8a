// SPDX-License-Identifier: Apache-2.0
// The order of the keywords is Cinder's: it decides which of two mistakes a client is told.
#include "control/rest/volume_action_schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/model.h"
#include "control/rest/parameter_types.h"
#include "control/rest/words.h"

namespace volgrow::control::rest::volume_action {
namespace {

using keyword::Type;

Schema object_with(std::vector<keyword::Property> members, std::vector<std::string> needed) {
  return {type(Type::object), properties(std::move(members)), required(std::move(needed)),
          no_others()};
}

// ---- the formats of os-reset_status ----

constexpr std::string_view volume_statuses =
    "('creating', 'available', 'deleting', 'error', 'error_deleting', 'error_managing', "
    "'managing', 'attaching', 'in-use', 'detaching', 'maintenance', 'restoring-backup', "
    "'error_restoring', 'reserved', 'awaiting-transfer', 'backing-up', 'error_backing-up', "
    "'error_extending', 'downloading', 'uploading', 'retyping', 'extending')";

constexpr std::array<std::string_view, 6> migration_statuses{"migrating",  "error", "success",
                                                             "completing", "none",  "starting"};

/// bool(value) of Python, for what JSON can say.
bool is_truthy(const Value* value) {
  if (value == nullptr || value->is_null()) return false;
  if (const auto* text = value->text()) return !text->empty();
  if (const auto* items = value->array()) return !items->empty();
  if (const auto* members = value->object()) return !members->empty();
  if (const auto* flag = value->boolean()) return *flag;
  return *value != Value(0) && *value != Value(0U) && *value != Value(0.0);
}

Outcome<bool> has_something_to_reset(const Value& body) {
  for (const auto* key : {"status", "attach_status", "migration_status"})
    if (is_truthy(body.find(key))) return true;
  return bad_request("Must specify 'status', 'attach_status' or 'migration_status' for update.");
}

/// A format of a text that may be null or empty; everything else is of a wrong type already.
Outcome<bool> is_known(const Value& value, std::string_view what, std::string_view valid,
                       bool (*known)(std::string_view)) {
  const auto* text = value.text();
  if (text == nullptr || text->empty() || known(words::lower(*text))) return true;
  return bad_request(
      fmt::format("Volume {}: {} is invalid, valid statuses are: {}.", what, *text, valid));
}

Outcome<bool> is_volume_status(const Value& value) {
  return is_known(value, "status", volume_statuses,
                  [](std::string_view name) { return volume_status_named(name).has_value(); });
}

Outcome<bool> is_attach_status(const Value& value) {
  return is_known(value, "attach status", "['attached', 'detached']",
                  [](std::string_view name) { return name == "attached" || name == "detached"; });
}

Outcome<bool> is_migration_status(const Value& value) {
  return is_known(value, "migration status",
                  "('migrating', 'error', 'success', 'completing', 'none', 'starting')",
                  [](std::string_view name) {
                    return std::ranges::find(migration_statuses, name) != migration_statuses.end();
                  });
}

}  // namespace

const Schema& extend() {
  static const Schema schema = parameter::body_of(
      "os-extend", object_with({{"new_size", parameter::volume_size()}}, {"new_size"}));
  return schema;
}

const Schema& extend_volume_completion() {
  static const Schema schema = parameter::body_of(
      "os-extend_volume_completion",
      object_with({{"error", {type({Type::string, Type::null, Type::boolean})}}}, {}));
  return schema;
}

const Schema& attach() {
  static const Schema schema = parameter::body_of(
      "os-attach", {type(Type::object),
                    properties({{"instance_uuid", parameter::uuid()},
                                {"mountpoint", parameter::short_text()},
                                {"host_name", {type(Type::string), max_length(255)}},
                                {"mode", {type(Type::string), one_of_values({"rw", "ro"})}}}),
                    required({"mountpoint"}),
                    any_of({Schema{required({"instance_uuid"})}, Schema{required({"host_name"})}}),
                    no_others()});
  return schema;
}

const Schema& detach() {
  static const Schema id{any_of({parameter::uuid(), Schema{type(Type::null)}})};
  static const Schema schema = parameter::body_of(
      "os-detach",
      {type({Type::object, Type::null}), properties({{"attachment_id", id}}), no_others()});
  return schema;
}

const Schema& initialize_connection() {
  static const Schema schema = parameter::body_of(
      "os-initialize_connection",
      object_with({{"connector", {type({Type::object, Type::string})}}}, {"connector"}));
  return schema;
}

const Schema& terminate_connection() {
  static const Schema schema = parameter::body_of(
      "os-terminate_connection",
      object_with({{"connector", {type({Type::string, Type::object, Type::null})}}},
                  {"connector"}));
  return schema;
}

const Schema& force_detach() {
  static const Schema schema = parameter::body_of(
      "os-force_detach",
      object_with({{"connector", {type({Type::string, Type::object, Type::null})}},
                   {"attachment_id", {type({Type::string, Type::null})}}},
                  {}));
  return schema;
}

const Schema& set_bootable() {
  static const Schema schema = parameter::body_of(
      "os-set_bootable", object_with({{"bootable", parameter::boolean()}}, {"bootable"}));
  return schema;
}

const Schema& update_readonly_flag() {
  static const Schema schema = parameter::body_of(
      "os-update_readonly_flag", object_with({{"readonly", parameter::boolean()}}, {"readonly"}));
  return schema;
}

const Schema& reset_status() {
  const auto word = [](std::string name, Outcome<bool> (*fits)(const Value&)) {
    return Schema{type({Type::string, Type::null}), format(std::move(name), fits)};
  };
  static const Schema schema = parameter::body_of(
      "os-reset_status",
      {type(Type::object), format("validate_volume_reset_body", has_something_to_reset),
       properties({{"status", word("volume_status", is_volume_status)},
                   {"attach_status", word("volume_attach_status", is_attach_status)},
                   {"migration_status", word("volume_migration_status", is_migration_status)}}),
       no_others()});
  return schema;
}

const Schema& any() {
  static const Schema schema;
  return schema;
}

}  // namespace volgrow::control::rest::volume_action
