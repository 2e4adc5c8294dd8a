// SPDX-License-Identifier: Apache-2.0
// Matching by whole segments: the first one chooses a handful of routes, which are compared.
#include "control/rest/table.h"

#include <algorithm>
#include <ranges>

#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

bool is_place(std::string_view segment) {
  return segment.starts_with('{');
}
std::string_view name_of_place(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

/// What Cinder takes for a project in a URL (project_id_regex).
bool may_be_project(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

/// Cinder's routes have these for every resource, whether it can do them or not.
bool is_standard(std::string_view method, std::size_t segments, bool ends_in_place) {
  if (method == "GET") return true;
  if (ends_in_place) return method == "PUT" || method == "DELETE";
  return segments == 1 && method == "POST";
}

/// "volumes" of "volumes/{id}/action".
std::string_view collection_of_action(const Table::Segments& segments) {
  const bool action = segments.size() == 3 && segments.back() == "action";
  return action ? std::string_view(segments.front()) : std::string_view();
}

Table::Segments segments_of(std::string_view pattern) {
  const auto parts = words::split(pattern, '/');
  return {parts.begin(), parts.end()};
}

}  // namespace

void Table::add(Route route) {
  const bool absolute = route.pattern.starts_with('/');
  auto segments = segments_of(route.pattern.substr(absolute ? 1 : 0));
  auto& entries = (absolute ? elsewhere_ : by_first_)[segments.front()];
  entry_for(entries, route, std::move(segments))
      .choice.add(route.since, route.until, std::move(route.operation));
}

void Table::add(Action action) {
  const std::string collection(action.collection);
  actions_[collection][std::string(action.name)].add(action.since, action.until,
                                                     std::move(action.operation));
  const Route route{"POST", {}, {}};
  entry_for(by_first_[collection], route, {collection, "{id}", "action"});
}

Table::Entry& Table::entry_for(Entries& entries, const Route& route, Segments segments) {
  const auto same = std::ranges::find_if(entries, [&](const Entry& entry) {
    return entry.method == route.method && entry.segments == segments;
  });
  if (same != entries.end()) return *same;
  const auto places = static_cast<std::size_t>(std::ranges::count_if(segments, is_place));
  // A name goes before what any name fits: "volumes/detail", then "volumes/{id}".
  const auto behind = std::ranges::upper_bound(entries, places, {}, &Entry::places);
  return *entries.insert(
      behind, Entry{std::string(route.method), std::move(segments), places, route.open, {}});
}

bool Table::fits(const Entry& entry, Rest path) {
  const auto same = [](const std::string& of_entry, const std::string& of_path) {
    return is_place(of_entry) ? !of_path.empty() : of_entry == of_path;
  };
  return std::ranges::equal(entry.segments, std::ranges::subrange(path.first, path.second), same);
}

/// Cinder's routes have pages to make and to change a resource, with nothing behind them.
bool Table::is_form(std::string_view method, Rest path) {
  const auto segments = path.second - path.first;
  return method == "GET" &&
         ((segments == 2 && path.first[1] == "new") || (segments == 3 && path.first[2] == "edit"));
}

std::optional<Table::Match> Table::find_beneath(const Entries& entries, std::string_view method,
                                                Rest path) {
  return is_form(method, path) ? Match() : find_in(entries, method, path);
}

std::optional<Table::Match> Table::find_in(const Entries& entries, std::string_view method,
                                           Rest path) {
  bool known_path = false;
  for (const auto& entry : entries) {
    if (!fits(entry, path)) continue;
    known_path =
        known_path || (collection_of_action(entry.segments).empty() &&
                       is_standard(method, entry.segments.size(), is_place(entry.segments.back())));
    if (entry.method != method && entry.method != "*") continue;
    Match match{&entry.choice, collection_of_action(entry.segments), std::nullopt, entry.open, {}};
    for (std::size_t i = 0; i < entry.segments.size(); ++i)
      if (is_place(entry.segments[i]))
        match.values.emplace_back(name_of_place(entry.segments[i]),
                                  path.first[static_cast<std::ptrdiff_t>(i)]);
    return match;
  }
  return known_path ? std::optional<Match>(std::in_place) : std::nullopt;
}

const Table::Entries* Table::entries_of(Rest path) const {
  if (path.first == path.second) return nullptr;
  const auto found = by_first_.find(*path.first);
  return found == by_first_.end() ? nullptr : &found->second;
}

std::optional<Table::Match> Table::find(std::string_view method, const Segments& segments) const {
  Rest path{segments.begin(), segments.end()};
  if (const auto found = elsewhere_.find(segments.front()); found != elsewhere_.end())
    if (auto match = find_in(found->second, method, path)) return match;
  if (*path.first++ != "v3") return std::nullopt;
  if (const auto* entries = entries_of(path)) return find_beneath(*entries, method, path);
  if (path.first == path.second || !may_be_project(*path.first)) return std::nullopt;
  const auto& project = *path.first++;
  const auto* entries = entries_of(path);
  auto match = entries == nullptr ? std::nullopt : find_beneath(*entries, method, path);
  if (match) match->project = project;
  return match;
}

const Choice* Table::action(std::string_view collection, std::string_view name) const {
  const auto actions = actions_.find(collection);
  if (actions == actions_.end()) return nullptr;
  const auto found = actions->second.find(name);
  return found == actions->second.end() ? nullptr : &found->second;
}

}  // namespace volgrow::control::rest
