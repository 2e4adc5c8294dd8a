// SPDX-License-Identifier: Apache-2.0
// The schema by hand, in the order in which jsonschema walks it, because the first thing that is
// wrong is what clients are told.
#include "relay/nova_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "core/json.h"
#include "core/python_repr.h"
#include "core/uuid.h"

namespace volgrow::relay {
namespace {

struct EventName {
  std::string_view name;
  NovaVersion since;
};
constexpr std::array event_names{
    EventName{"network-changed", first_version},
    EventName{"network-vif-plugged", first_version},
    EventName{"network-vif-unplugged", first_version},
    EventName{"network-vif-deleted", first_version},
    EventName{volume_extended, {2, 51}},
    EventName{"power-update", {2, 76}},
    EventName{"accelerator-request-bound", {2, 82}},
    EventName{"volume-reimaged", {2, 93}},
};
constexpr std::array<std::string_view, 4> event_keys{"server_uuid", "name", "status", "tag"};
constexpr std::size_t longest_tag = 255;

using Checked = std::expected<void, NovaFault>;

std::unexpected<NovaFault> refused(std::string message) {
  return std::unexpected(NovaFault{400, std::move(message)});
}

/// In Nova's words, about a member of an object or an element of a list.
std::unexpected<NovaFault> wrong(std::string_view where, const Value& value,
                                 std::string_view what) {
  return refused(fmt::format("Invalid input for field/attribute {}. Value: {}. {}", where,
                             python_str(value), what));
}

std::string not_a(std::string_view type, const Value& value) {
  return fmt::format("{} is not of type '{}'", python_repr(value), type);
}

/// A member that is not there is not wrong.
Checked check_text(const Value::Object& event, std::string_view key) {
  for (const auto& [name, value] : event)
    if (name == key && !value.text()) return wrong(key, value, not_a("string", value));
  return {};
}

const Value* find(const Value::Object& object, std::string_view key) {
  const auto found = std::ranges::find(object, key, &Value::Object::value_type::first);
  return found == object.end() ? nullptr : &found->second;
}

Checked check_server(const Value::Object& event) {
  if (auto checked = check_text(event, "server_uuid"); !checked) return checked;
  const auto* uuid = find(event, "server_uuid");
  if (!uuid || is_uuid(*uuid->text())) return {};
  return wrong("server_uuid", *uuid, fmt::format("{} is not a 'uuid'", python_repr(*uuid)));
}

Checked check_one_of(const Value::Object& event, std::string_view key, const Value::Array& known) {
  const auto* value = find(event, key);
  if (!value) return {};
  if (auto checked = check_text(event, key); !checked) return checked;
  if (std::ranges::find(known, *value) != known.end()) return {};
  return wrong(key, *value,
               fmt::format("{} is not one of {}", python_repr(*value), python_repr(Value(known))));
}

Checked check_name(const Value::Object& event, NovaVersion version) {
  Value::Array known;
  for (const auto& row : event_names)
    if (row.since <= version) known.emplace_back(row.name);
  return check_one_of(event, "name", known);
}

Checked check_status(const Value::Object& event) {
  return check_one_of(event, "status", {"failed", "completed", "in-progress"});
}

/// As Python counts them in UTF-8 text.
std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

Checked check_tag(const Value::Object& event) {
  if (auto checked = check_text(event, "tag"); !checked) return checked;
  const auto* tag = find(event, "tag");
  if (!tag || characters_in(*tag->text()) <= longest_tag) return {};
  return wrong("tag", *tag, fmt::format("{} is too long", python_repr(*tag)));
}

/// "('x' was unexpected)", "('x', 'y' were unexpected)"; empty when `known` are all there are.
std::string unexpected_keys(const Value::Object& object, std::span<const std::string_view> known) {
  std::string names;
  std::size_t count = 0;
  for (const auto& [name, value] : object) {
    if (std::ranges::find(known, name) != known.end()) continue;
    names += fmt::format("{}{}", ++count == 1 ? "" : ", ", python_repr(Value(name)));
  }
  if (count == 0) return {};
  return fmt::format("Additional properties are not allowed ({} {} unexpected)", names,
                     count == 1 ? "was" : "were");
}

Checked check_event(const Value& value, std::size_t index, NovaVersion version) {
  const auto where = fmt::format_int(index).str();
  const auto* event = value.object();
  if (!event) return wrong(where, value, not_a("object", value));
  if (auto checked = check_server(*event); !checked) return checked;
  if (auto checked = check_name(*event, version); !checked) return checked;
  if (auto checked = check_status(*event); !checked) return checked;
  if (auto checked = check_tag(*event); !checked) return checked;
  for (const std::string_view key : {"server_uuid", "name"})
    if (!find(*event, key))
      return wrong(where, value, fmt::format("'{}' is a required property", key));
  if (const auto extra = unexpected_keys(*event, event_keys); !extra.empty())
    return wrong(where, value, extra);
  return {};
}

Checked check_events(const Value& events, NovaVersion version) {
  const auto* list = events.array();
  if (!list) return wrong("events", events, not_a("array", events));
  if (list->empty()) return wrong("events", events, "[] is too short");
  for (std::size_t i = 0; i < list->size(); ++i)
    if (auto checked = check_event((*list)[i], i, version); !checked) return checked;
  return {};
}

Checked check_body(const Value& body, NovaVersion version) {
  const auto* object = body.object();
  if (!object) return refused(not_a("object", body));
  const auto* events = find(*object, "events");
  if (events)
    if (auto checked = check_events(*events, version); !checked) return checked;
  if (!events) return refused("'events' is a required property");
  constexpr std::array<std::string_view, 1> known{"events"};
  if (auto extra = unexpected_keys(*object, known); !extra.empty())
    return refused(std::move(extra));
  return {};
}

Event event_of(const Value& value) {
  const auto* tag = value.find("tag");
  return {*value.find("name")->text(), tag ? std::optional(*tag->text()) : std::nullopt,
          *value.object()};
}

void set(Value::Object& object, std::string_view key, Value value) {
  const auto found = std::ranges::find(object, key, &Value::Object::value_type::first);
  if (found == object.end())
    object.emplace_back(key, std::move(value));
  else
    found->second = std::move(value);
}

}  // namespace

std::expected<std::vector<Event>, NovaFault> parse_events(std::string_view body,
                                                          NovaVersion version) {
  const auto parsed = body.empty() ? Result<Value>(Value()) : parse_json(body);
  if (!parsed) return refused("Malformed request body");
  if (auto checked = check_body(*parsed, version); !checked)
    return std::unexpected(std::move(checked.error()));
  std::vector<Event> events;
  for (const auto& event : *parsed->find("events")->array())
    events.push_back(event_of(event));
  return events;
}

http::Response answer_of(std::vector<Event> events, const std::vector<EventVerdict>& verdicts) {
  Value::Array answered;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& event = events[i].as_sent;
    const auto& [code, reason] = verdicts.at(i);
    set(event, "status", code == 200 ? "completed" : "failed");
    set(event, "code", code);
    if (!reason.empty()) set(event, "message", reason);
    answered.emplace_back(std::move(event));
  }
  const bool all = std::ranges::all_of(verdicts, [](const auto& v) { return v.code == 200; });
  return {all ? 200 : 207,
          {{"Content-Type", "application/json"}},
          to_json(Value(Value::Object{{"events", std::move(answered)}}))};
}

}  // namespace volgrow::relay
