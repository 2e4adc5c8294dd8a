// SPDX-License-Identifier: Apache-2.0
// There are few types: they are read together, and sorted and paged here.
#include "control/rest/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/rest/new_volume.h"
#include "control/rest/paging.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/words.h"
#include "core/text.h"
#include "core/uuid.h"

namespace volgrow::control::rest {
namespace {

constexpr const char* is_public_key = "os-volume-type-access:is_public";

Value text_or_null(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

// ---- what is shown ----

Value::Object shown(const Workplace& work, const Call& call, const VolumeType& type) {
  Value::Object object{{"id", type.id},
                       {"name", type.name},
                       {"is_public", type.is_public},
                       {"description", text_or_null(type.description)}};
  if (work.policy.allows("volume_extension:access_types_extra_specs", call.caller))
    object.emplace_back("extra_specs", visible_specs(work, call, type));
  if (work.policy.allows("volume_extension:access_types_qos_specs_id", call.caller))
    object.emplace_back("qos_specs_id", nullptr);
  return object;
}

void add_is_public(const Workplace& work, const Call& call, const VolumeType& type,
                   Value::Object& object) {
  if (work.policy.allows("volume_extension:volume_type_access", call.caller))
    object.emplace_back(is_public_key, type.is_public);
}

/// What create and update answer, in an older order.
Value::Object shown_changed(const VolumeType& type) {
  Value::Object specs;
  for (const auto& [key, value] : type.extra_specs)
    specs.emplace_back(key, value);
  return {{"id", type.id},
          {"name", type.name},
          {"is_public", type.is_public},
          {"extra_specs", std::move(specs)},
          {"description", text_or_null(type.description)}};
}

// ---- lists ----

/// None is both.
Outcome<std::optional<bool>> is_public_asked(const Call& call) {
  const auto* text = call.parameter("is_public");
  if (!call.caller.is_admin || text == nullptr) return true;
  if (words::lower(*text) == "none") return std::nullopt;
  const auto flag = boolean_in(words::stripped(*text));
  if (flag) return *flag;
  return bad_request(fmt::format("Invalid is_public filter [{}]", *text));
}

using Compare = int (*)(const VolumeType& a, const VolumeType& b);

template <auto Member>
int compared(const VolumeType& a, const VolumeType& b) {
  const auto order = a.*Member <=> b.*Member;
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

struct SortRow {
  std::string_view key;
  Compare compare;
};
constexpr std::array sort_rows{
    SortRow{"created_at", compared<&VolumeType::created_at>},
    SortRow{"updated_at", compared<&VolumeType::updated_at>},
    SortRow{"id", compared<&VolumeType::id>},
    SortRow{"name", compared<&VolumeType::name>},
    SortRow{"description", compared<&VolumeType::description>},
    SortRow{"is_public", compared<&VolumeType::is_public>},
};

Outcome<void> sort_types(std::vector<VolumeType>& types, const std::vector<Sort>& sort) {
  for (const auto& [key, ascending] : std::vector<Sort>(sort.rbegin(), sort.rend())) {
    const auto* row = std::ranges::find(sort_rows, key, &SortRow::key);
    if (row == sort_rows.end()) return invalid_input("Invalid sort key");
    std::ranges::stable_sort(types, [compare = row->compare, up = ascending](auto& a, auto& b) {
      return up ? compare(a, b) < 0 : compare(a, b) > 0;
    });
  }
  return {};
}

/// A marker that is none is overlooked, as Cinder does here and nowhere else.
void cut_to_page(std::vector<VolumeType>& types, const Page& page) {
  if (page.marker) {
    const auto marker = std::ranges::find(types, *page.marker, &VolumeType::id);
    if (marker != types.end()) types.erase(types.begin(), marker + 1);
  }
  types.erase(types.begin(), types.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(
                                                 page.offset, types.size())));
  if (types.size() > *page.limit) types.resize(*page.limit);
}

/// Cinder compares any column for an administrator, and leaves others' filters out.
bool is_found(const VolumeType& type, const Call& call) {
  if (!call.caller.is_admin) return true;
  const auto is = [&](std::string_view key, const std::optional<std::string>& value) {
    const auto* wanted = call.parameter(key);
    return wanted == nullptr || value == *wanted;
  };
  return is("name", type.name) && is("description", type.description);
}

Outcome<std::vector<VolumeType>> types_asked(const Workplace& work, const Call& call,
                                             const Page& page) {
  auto is_public = is_public_asked(call);
  if (!is_public) return fault_of(is_public);
  auto sort = sort_asked(call);
  if (!sort) return fault_of(sort);
  auto types = work.records.checked(work.records.store().types());
  if (!types) return types;
  if (*is_public)
    std::erase_if(*types, [&](const auto& type) { return type.is_public != **is_public; });
  std::erase_if(*types, [&](const auto& type) { return !is_found(type, call); });
  if (auto sorted = sort_types(*types, *sort); !sorted) return fault_of(sorted);
  cut_to_page(*types, page);
  return types;
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  if (auto allowed = work.policy.require("volume_extension:type_get_all", call.caller); !allowed)
    return fault_of(allowed);
  auto page = page_asked(call, work.config.page_limit);
  if (!page) return fault_of(page);
  auto types = types_asked(work, call, *page);
  if (!types) return fault_of(types);
  Value::Array all;
  for (const auto& type : *types) {
    auto one = shown(work, call, type);
    add_is_public(work, call, type, one);
    all.emplace_back(std::move(one));
  }
  Value::Object body{{"volume_types", std::move(all)}};
  if (!types->empty() && *page->limit <= types->size())
    body.emplace_back("volume_type_links", next_link(call, "types", types->back().id));
  return Content{.body = std::move(body)};
}

Outcome<Content> show(const Workplace& work, const Call& call) {
  const auto& id = call.at("id");
  const bool is_default = id == "default";
  auto type = is_default ? default_type(work) : type_with_id(work, call, id);
  if (!type) return fault_of(type);
  if (auto allowed = work.policy.require("volume_extension:type_get", call.caller); !allowed)
    return fault_of(allowed);
  auto object = shown(work, call, *type);
  if (!is_default) add_is_public(work, call, *type, object);
  return Content{.body = Value::Object{{"volume_type", std::move(object)}}};
}

// ---- changes ----

Outcome<bool> is_printable_text(const Value& value) {
  return value.text() == nullptr || printable(*value.text()) == *value.text();
}

Schema description() {
  using keyword::Type;
  return {type({Type::string, Type::null}), min_length(0), max_length(255),
          format("printable text", is_printable_text)};
}

/// Cinder's InvalidName is told as it is, without the field.
Outcome<bool> is_name(const Value& value) {
  const auto* text = value.text();
  if (text == nullptr || !words::stripped(*text).empty()) return true;
  return bad_request("An invalid 'name' value was provided. The 'name' can not be empty.");
}

Schema creation() {
  using keyword::Type;
  return parameter::body_of(
      "volume_type", {type(Type::object),
                      properties({{"name", parameter::short_text().with(format("name", is_name))},
                                  {"description", description()},
                                  {"extra_specs", parameter::extra_specs_with_null()},
                                  {is_public_key, parameter::boolean()}}),
                      required({"name"}), no_others()});
}

Schema changing() {
  using keyword::Type;
  return parameter::body_of(
      "volume_type",
      {type(Type::object),
       properties({{"name", {type({Type::string, Type::null}), min_length(1), max_length(255)}},
                   {"description", description()},
                   {"is_public", parameter::boolean()}}),
       no_others()});
}

bool flag_in(const Value& value) {
  if (const auto* flag = value.boolean()) return *flag;
  return boolean_in(*value.text()).value_or(false);
}

Outcome<void> require_free_name(const Workplace& work, const std::string& name,
                                const std::string& id) {
  auto same = work.records.checked(work.records.store().type_named(name));
  if (!same) return fault_of(same);
  if (!*same || (*same)->id == id) return {};
  return conflict(fmt::format("Volume Type {} already exists.", name));
}

VolumeType type_from(const Value& body, WallTime now) {
  VolumeType made;
  made.id = new_uuid();
  made.name = *body.find("name")->text();
  if (const auto* text = body.find("description"); text != nullptr && text->text() != nullptr)
    made.description = *text->text();
  if (const auto* specs = body.find("extra_specs")) made.extra_specs = pairs_in(*specs);
  if (const auto* flag = body.find(is_public_key)) made.is_public = flag_in(*flag);
  made.created_at = now;
  return made;
}

Outcome<Content> create(const Workplace& work, const Call& call) {
  static const Schema schema = creation();
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  if (auto allowed = work.policy.require("volume_extension:type_create", call.caller); !allowed)
    return fault_of(allowed);
  const auto made = type_from(*call.body->find("volume_type"), work.clock.wall());
  if (auto free = require_free_name(work, made.name, made.id); !free) return fault_of(free);
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto stored = work.records.checked((*store)->add_type(made)); !stored)
    return fault_of(stored);
  auto object = shown_changed(made);
  add_is_public(work, call, made, object);
  return Content{.body = Value::Object{{"volume_type", std::move(object)}}};
}

/// What is null is as if it were not there.
Outcome<void> apply(const Value& body, VolumeType& type) {
  const auto* name = body.find("name");
  const auto* text = body.find("description");
  const auto* flag = body.find("is_public");
  if (name != nullptr && name->text() != nullptr && words::stripped(*name->text()).empty())
    return bad_request("Volume type name can not be empty.");
  if ((name == nullptr || name->is_null()) && (text == nullptr || text->is_null()) &&
      flag == nullptr)
    return bad_request(
        "Specify volume type name, description, is_public or a combination thereof.");
  if (name != nullptr && name->text() != nullptr) type.name = *name->text();
  if (text != nullptr && text->text() != nullptr) type.description = *text->text();
  if (flag != nullptr) type.is_public = flag_in(*flag);
  return {};
}

Outcome<Content> update(const Workplace& work, const Call& call) {
  static const Schema schema = changing();
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  if (auto allowed = work.policy.require("volume_extension:type_update", call.caller); !allowed)
    return fault_of(allowed);
  VolumeType changes;
  if (auto some = apply(*call.body->find("volume_type"), changes); !some) return fault_of(some);
  auto type = type_with_id(work, call, call.at("id"));
  if (!type) return fault_of(type);
  if (auto done = apply(*call.body->find("volume_type"), *type); !done) return fault_of(done);
  if (auto free = require_free_name(work, type->name, type->id); !free) return fault_of(free);
  type->updated_at = work.clock.wall();
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto stored = work.records.checked((*store)->change_type(*type)); !stored)
    return fault_of(stored);
  return Content{.body = Value::Object{{"volume_type", shown_changed(*type)}}};
}

Outcome<Content> remove(const Workplace& work, const Call& call) {
  if (auto allowed = work.policy.require("volume_extension:type_delete", call.caller); !allowed)
    return fault_of(allowed);
  auto type = type_with_id(work, call, call.at("id"));
  if (!type) return fault_of(type);
  if (type->name == default_type_name)
    return bad_request(fmt::format(
        "The volume type {} is a default volume type and cannot be deleted.", type->id));
  auto used = work.records.checked(work.records.store().type_in_use(type->id));
  if (!used) return fault_of(used);
  if (*used) return bad_request("Target volume type is still in use.");
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto gone = work.records.checked((*store)->remove_type(type->id)); !gone)
    return fault_of(gone);
  return Content{.status = 202, .by_hand = true};
}

// ---- who may use a private one ----

Outcome<Content> list_access(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:volume_type_access:get_all_for_type";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  auto type = type_with_id(work, call, call.at("type_id"));
  if (!type) return fault_of(type);
  if (type->is_public) return not_found("Access list not available for public volume types.");
  return Content{.body = Value::Object{{"volume_type_access", Value::Array()}}};
}

Outcome<Content> refuse_access(const Workplace& work, const Call& call) {
  auto type = type_with_id(work, call, call.at("id"));
  if (!type) return fault_of(type);
  return std::unexpected(Fault{
      501, "A private volume type is for administrators; access for projects is not kept here.",
      std::nullopt});
}

Outcome<Content> encryption(const Workplace& work, const Call& call) {
  auto type = type_with_id(work, call, call.at("type_id"));
  if (!type) return fault_of(type);
  return Content{.body = Value::Object()};
}

}  // namespace

Value visible_specs(const Workplace& work, const Call& call, const VolumeType& type) {
  constexpr std::array<std::string_view, 3> for_all{"RESKEY:availability_zones", "multiattach",
                                                    "replication_enabled"};
  const bool all =
      work.policy.allows("volume_extension:types_extra_specs:read_sensitive", call.caller);
  Value::Object specs;
  for (const auto& [key, value] : type.extra_specs)
    if (all || std::ranges::find(for_all, key) != for_all.end()) specs.emplace_back(key, value);
  return specs;
}

Outcome<VolumeType> type_with_id(const Workplace& work, const Call& call, const std::string& id) {
  auto type = work.records.checked(work.records.store().type(id));
  if (!type) return fault_of(type);
  if (*type && ((*type)->is_public || call.caller.is_admin)) return std::move(**type);
  return not_found(fmt::format("Volume type {} could not be found.", id));
}

Result<void> ensure_default_type(Store& store, WallTime now) {
  auto there = store.type_named(default_type_name);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there) return {};
  VolumeType type;
  type.id = new_uuid();
  type.name = default_type_name;
  type.description = "Default Volume Type";
  type.created_at = now;
  return store.add_type(type);
}

void add_types(Api& api, const Workplace& work) {
  api.add(Route{"GET", "types", at(work, list)});
  api.add(Route{"POST", "types", at(work, create)});
  api.add(Route{"GET", "types/{id}", at(work, show)});
  api.add(Route{"PUT", "types/{id}", at(work, update)});
  api.add(Route{"DELETE", "types/{id}", at(work, remove)});
  api.add(Route{"GET", "types/{type_id}/os-volume-type-access", at(work, list_access)});
  api.add(Route{"GET", "types/{type_id}/encryption", at(work, encryption)});
  api.add(Action{"types", "addProjectAccess", at(work, refuse_access)});
  api.add(Action{"types", "removeProjectAccess", at(work, refuse_access)});
}

}  // namespace volgrow::control::rest
