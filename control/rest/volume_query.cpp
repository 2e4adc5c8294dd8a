// SPDX-License-Identifier: Apache-2.0
// One table row a filter. Values are what Python's literal_eval makes of them, or the text itself.
#include "control/rest/volume_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "control/rest/paging.h"
#include "control/rest/words.h"
#include "core/json.h"
#include "core/units.h"

namespace volgrow::control::rest {
namespace {

constexpr Version with_counts{3, 45};
constexpr Version strict_booleans{3, 2};
/// Filters that an administrator did not configure are refused, not dropped; and "name~".
constexpr Version configured_filters{3, 31};

/// What a filter did to a query.
enum class Effect : std::uint8_t { narrowed, nothing_matches };

struct Asking {
  const Workplace& work;
  const Call& call;
  VolumePage& page;
  const std::string& key;
  const std::string& value;
};
using Filter = Outcome<Effect> (*)(const Asking& asking);

Outcome<Effect> ignore(const Asking& /*asking*/) {
  return Effect::narrowed;
}
Outcome<Effect> match_nothing(const Asking& /*asking*/) {
  return Effect::nothing_matches;
}

template <auto Member>
Outcome<Effect> text(const Asking& asking) {
  asking.page.*Member = asking.value;
  return Effect::narrowed;
}

/// literal_eval takes a quoted text apart, but never a name.
template <auto Member>
Outcome<Effect> quotable_text(const Asking& asking) {
  auto value = std::string_view(asking.value);
  const bool quoted = value.size() > 1 && (value.front() == '\'' || value.front() == '"') &&
                      value.front() == value.back();
  asking.page.*Member = std::string(quoted ? value.substr(1, value.size() - 2) : value);
  return Effect::narrowed;
}

Outcome<Effect> size(const Asking& asking) {
  asking.page.size = integer_in(asking.value);
  return asking.page.size ? Effect::narrowed : Effect::nothing_matches;
}

/// Before 3.2 everything that is not "false" is true.
Outcome<bool> boolean_filter(const Asking& asking) {
  if (asking.call.version < strict_booleans) {
    constexpr std::array<std::string_view, 3> no{"False", "false", "FALSE"};
    return std::ranges::find(no, asking.value) == no.end();
  }
  const auto flag = boolean_in(words::stripped(asking.value));
  if (flag) return *flag;
  return invalid_input(fmt::format("'{} = {}'", asking.key, asking.value));
}

template <auto Member>
Outcome<Effect> boolean(const Asking& asking) {
  auto flag = boolean_filter(asking);
  if (!flag) return fault_of(flag);
  asking.page.*Member = *flag;
  return Effect::narrowed;
}

/// Every volume of ours uses quota. Cinder reads it under its database's name, from 3.31 on.
Outcome<Effect> uses_quota(const Asking& asking) {
  if (asking.call.version < configured_filters) return Effect::nothing_matches;
  const auto flag = boolean_in(asking.value);
  if (!flag)
    return bad_request(fmt::format("Value '{}' for 'use_quota' is not a boolean.", asking.value));
  return *flag ? Effect::narrowed : Effect::nothing_matches;
}

/// Without all_tenants it is the caller's project, whatever the filter says.
Outcome<Effect> of_project(const Asking& asking) {
  const auto* all = asking.call.parameter("all_tenants");
  if (asking.call.caller.is_admin && all != nullptr && boolean_in(*all).value_or(false))
    asking.page.of_project = asking.value;
  return Effect::narrowed;
}

/// No volume of ours is in one.
Outcome<Effect> group(const Asking& asking) {
  return asking.call.version < Version{3, 10} ? Effect::narrowed : Effect::nothing_matches;
}

/// {"a": "b"} or {'a': 'b'}; nothing when it is neither.
std::optional<Value::Object> literal_dict(std::string text) {
  auto value = parse_json(text);
  if (!value) {
    std::ranges::replace(text, '\'', '"');
    value = parse_json(text);
  }
  if (!value || value->object() == nullptr) return std::nullopt;
  return *value->object();
}

Outcome<Effect> metadata(const Asking& asking) {
  const auto pairs = literal_dict(asking.value);
  if (!pairs) return Effect::nothing_matches;
  for (const auto& [key, value] : *pairs) {
    if (value.text() == nullptr) return Effect::nothing_matches;
    asking.page.metadata[key] = *value.text();
  }
  return Effect::narrowed;
}

Outcome<Effect> image_metadata(const Asking& asking) {
  if (asking.call.version < Version{3, 4}) return Effect::narrowed;
  const auto pairs = literal_dict(asking.value);
  return pairs && pairs->empty() ? Effect::narrowed : Effect::nothing_matches;
}

/// "host@backend#backend"; the part behind "#" may be missing.
Outcome<Effect> host(const Asking& asking) {
  const auto at = asking.value.find('@');
  if (at == std::string::npos) {
    const bool ours = asking.value == asking.work.config.host;
    return ours ? Effect::narrowed : Effect::nothing_matches;
  }
  if (asking.value.substr(0, at) != asking.work.config.host) return Effect::nothing_matches;
  asking.page.backend = asking.value.substr(at + 1, asking.value.find('#', at) - at - 1);
  return Effect::narrowed;
}

/// "name~" is a column of Cinder's only from 3.31 on, "display_name~" always.
Outcome<Effect> name_part(const Asking& asking) {
  if (asking.call.version >= configured_filters || asking.key == "display_name~")
    asking.page.name_part = asking.value;
  return Effect::narrowed;
}

// ---- times ----

/// "2020-01-01T00:00:00", with or without a time of day, a fraction and a Z.
std::optional<WallTime> time_in(std::string_view text) {
  std::string whole(text);
  if (whole.size() == 10) whole += "T00:00:00";
  if (whole.ends_with('Z')) whole.pop_back();
  if (whole.find('.') == std::string::npos) whole += ".000000";
  const auto time = parse_utc_timestamp(whole + "Z");
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<Moment::Compared> comparison_named(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Moment::Compared>, 6> words{{
      {"gt", Moment::Compared::after},
      {"gte", Moment::Compared::not_before},
      {"eq", Moment::Compared::same},
      {"neq", Moment::Compared::other},
      {"lt", Moment::Compared::before},
      {"lte", Moment::Compared::not_after},
  }};
  const auto* found = std::ranges::find(words, word, &decltype(words)::value_type::first);
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

/// "gt:2020-01-01T00:00:00,lt:…".
Outcome<Effect> moments(const Asking& asking) {
  if (asking.call.version < configured_filters) return Effect::narrowed;
  for (const auto unit : words::split(asking.value, ',')) {
    const auto colon = unit.find(':');
    const auto compared = comparison_named(unit.substr(0, colon));
    if (!compared) return bad_request(fmt::format("Invalid {} operator", unit.substr(0, colon)));
    const auto text = colon == std::string_view::npos ? unit : unit.substr(colon + 1);
    const auto time = time_in(text);
    if (!time) return bad_request(fmt::format("Invalid {} value", text));
    asking.page.moments.push_back({asking.key == "created_at", *compared, *time});
  }
  return Effect::narrowed;
}

// ---- the table ----

struct Row {
  std::string_view key;
  Filter filter;
};

constexpr std::array rows{
    Row{"limit", ignore},
    Row{"marker", ignore},
    Row{"offset", ignore},
    Row{"sort", ignore},
    Row{"sort_key", ignore},
    Row{"sort_dir", ignore},
    Row{"all_tenants", ignore},
    Row{"with_count", ignore},
    Row{"name", text<&VolumePage::name>},
    Row{"display_name", text<&VolumePage::name>},
    Row{"name~", name_part},
    Row{"display_name~", name_part},
    Row{"status", quotable_text<&VolumePage::status>},
    Row{"availability_zone", quotable_text<&VolumePage::availability_zone>},
    Row{"id", quotable_text<&VolumePage::id>},
    Row{"user_id", quotable_text<&VolumePage::user_id>},
    Row{"volume_type_id", quotable_text<&VolumePage::type_id>},
    Row{"attach_status", quotable_text<&VolumePage::attach_status>},
    Row{"migration_status", quotable_text<&VolumePage::migration_status>},
    Row{"project_id", of_project},
    Row{"group_id", group},
    Row{"host", host},
    Row{"size", size},
    Row{"bootable", boolean<&VolumePage::bootable>},
    Row{"multiattach", boolean<&VolumePage::multiattach>},
    Row{"consumes_quota", uses_quota},
    Row{"metadata", metadata},
    Row{"glance_metadata", image_metadata},
    Row{"created_at", moments},
    Row{"updated_at", moments},
};

/// What users who are no administrators may filter by (resource_filters.json).
constexpr std::array<std::string_view, 19> open_to_all{"limit",
                                                       "marker",
                                                       "offset",
                                                       "sort",
                                                       "sort_key",
                                                       "sort_dir",
                                                       "all_tenants",
                                                       "with_count",
                                                       "name",
                                                       "name~",
                                                       "status",
                                                       "metadata",
                                                       "bootable",
                                                       "size",
                                                       "created_at",
                                                       "updated_at",
                                                       "availability_zone",
                                                       "consumes_quota",
                                                       "migration_status"};

bool is_open(std::string_view key) {
  return std::ranges::find(open_to_all, key) != open_to_all.end();
}

Filter filter_for(std::string_view key) {
  const auto* row = std::ranges::find(rows, key, &Row::key);
  return row == rows.end() ? match_nothing : row->filter;
}

Outcome<void> refuse_hidden_filters(const Call& call) {
  if (call.caller.is_admin || call.version < configured_filters) return {};
  std::vector<std::string_view> hidden;
  for (const auto& [key, value] : call.query)
    if (!is_open(key)) hidden.push_back(key);
  if (hidden.empty()) return {};
  return bad_request(
      fmt::format("Invalid filters {} are found in query options.", fmt::join(hidden, ",")));
}

/// Where Cinder's own handling leaves a key behind that is no column.
Outcome<bool> leaves_unknown_key(const Call& call) {
  if (call.version < with_counts && call.parameter("with_count") != nullptr) return true;
  auto all = flag_asked(call, "all_tenants");
  if (!all) return fault_of(all);
  if (call.caller.is_admin && call.parameter("all_tenants") != nullptr && !*all) return true;
  return std::ranges::count(call.query, "name", &std::pair<std::string, std::string>::first) > 1;
}

Outcome<Effect> apply_filters(const Workplace& work, const Call& call, VolumePage& page) {
  if (auto open = refuse_hidden_filters(call); !open) return std::unexpected(open.error());
  auto unknown = leaves_unknown_key(call);
  if (!unknown) return fault_of(unknown);
  auto effect = *unknown ? Effect::nothing_matches : Effect::narrowed;
  for (const auto& [key, value] : call.query) {
    if (!call.caller.is_admin && !is_open(key)) continue;
    auto one = filter_for(key)({work, call, page, key, value});
    if (!one) return one;
    if (*one == Effect::nothing_matches) effect = *one;
  }
  return effect;
}

}  // namespace

Outcome<std::optional<std::string>> project_asked(const Call& call) {
  auto all = flag_asked(call, "all_tenants");
  if (!all) return fault_of(all);
  if (*all && call.caller.is_admin) return std::nullopt;
  return call.caller.project_id;
}

Outcome<VolumeQuery> volumes_asked(const Workplace& work, const Call& call) {
  auto paging = page_asked(call, work.config.page_limit);
  if (!paging) return fault_of(paging);
  auto sort = sort_asked(call);
  if (!sort) return fault_of(sort);
  VolumeQuery query;
  if (call.version >= with_counts) {
    const auto with_count = flag_asked(call, "with_count");
    if (!with_count) return std::unexpected(with_count.error());
    query.with_count = *with_count;
  }
  VolumePage page;
  static_cast<Page&>(page) = std::move(*paging);
  page.sort = std::move(*sort);
  auto effect = apply_filters(work, call, page);
  if (!effect) return fault_of(effect);
  auto project = project_asked(call);
  if (!project) return fault_of(project);
  page.project_id = std::move(*project);
  if (*effect == Effect::narrowed) query.page = std::move(page);
  return query;
}

}  // namespace volgrow::control::rest
