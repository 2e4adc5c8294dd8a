// SPDX-License-Identifier: Apache-2.0
// TOML to nodes with lines, and the words of every complaint. The only file that knows toml++.
#include "service/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "core/files.h"
#include "core/text.h"
#include "service/log.h"

namespace volgrow::settings {
namespace {

constexpr Bytes longest_file{std::uint64_t{1} << 20};
constexpr std::size_t longest_name = 256;

Node node_of(const toml::node& from);

Table table_of(const toml::table& from) {
  Table table;
  for (const auto& [key, value] : from)
    table.emplace_back(Name{std::string(key.str()), key.source().begin.line}, node_of(value));
  // toml++ keeps keys in alphabetical order; people are told of the first mistake in the file.
  std::ranges::stable_sort(table, {}, [](const auto& entry) { return entry.first.line; });
  return table;
}

List list_of(const toml::array& from) {
  List list;
  for (const auto& entry : from)
    list.push_back(node_of(entry));
  return list;
}

Node node_of(const toml::node& from) {
  if (const auto* table = from.as_table()) return Node(table_of(*table));
  if (const auto* list = from.as_array()) return Node(list_of(*list));
  if (const auto flag = from.value_exact<bool>()) return Node(*flag);
  if (const auto number = from.value_exact<std::int64_t>()) return Node(*number);
  if (const auto number = from.value_exact<double>()) return Node(*number);
  if (auto text = from.value_exact<std::string>()) return Node(std::move(*text));
  return {};
}

/// Levenshtein's distance: how many letters to insert, delete or replace.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::vector<std::string_view> sections_of(const std::vector<KnownKey>& known) {
  std::vector<std::string_view> names;
  for (const auto& key : known)
    if (names.empty() || names.back() != key.section) names.push_back(key.section);
  return names;
}

std::vector<std::string_view> names_in(std::string_view section,
                                       const std::vector<KnownKey>& known) {
  std::vector<std::string_view> names;
  for (const auto& key : known)
    if (key.section == section) names.push_back(key.name);
  return names;
}

/// The section a key of that very name belongs to, when it stands in another.
std::optional<std::string> at_home(std::string_view name, const std::vector<KnownKey>& known) {
  for (const auto& key : known)
    if (key.name == name) return fmt::format("{}.{}", key.section, key.name);
  return std::nullopt;
}

bool is_path(const std::string& text) {
  const std::filesystem::path path(text);
  return path.is_absolute() && path == path.lexically_normal() && printable(text) == text;
}

}  // namespace

Result<Table> parse_toml(std::string_view toml, std::string_view source_name) {
  try {
    return table_of(toml::parse(toml, source_name));
  } catch (const toml::parse_error& error) {
    return wrong_at(source_name, error.source().begin.line, printable(error.description()));
  }
}

Result<std::string> read_settings_file(const std::filesystem::path& path) {
  std::error_code unreadable;
  if (std::filesystem::exists(path, unreadable) &&
      !std::filesystem::is_regular_file(path, unreadable))
    return failure(ErrorCode::invalid_args, fmt::format("{}: not a regular file", path.native()));
  return read_text_file(path, longest_file);
}

std::unexpected<Error> wrong_at(std::string_view source, std::uint32_t line,
                                std::string_view what) {
  return failure(ErrorCode::invalid_args, fmt::format("{}:{}: {}", source, line, what));
}

std::string did_you_mean(std::string_view name) {
  return fmt::format("did you mean '{}'?", name);
}

std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known) {
  const auto nearest =
      std::ranges::min(known, {}, [&](std::string_view name) { return distance(typed, name); });
  if (distance(typed, nearest) <= 1 + typed.size() / 3) return did_you_mean(nearest);
  return fmt::format("known are {}", fmt::join(known, ", "));
}

// ---- kinds ----

std::string allowed_number(std::int64_t least, std::int64_t most, std::string_view unit) {
  return fmt::format("a whole number {}{}from {} to {}", unit.empty() ? "" : "of ",
                     unit.empty() ? "" : fmt::format("{} ", unit), least, most);
}

bool read(const Node& node, bool& value) {
  const auto* flag = node.as<bool>();
  if (flag) value = *flag;
  return flag != nullptr;
}

bool read_name(const Node& node, std::string& value) {
  const auto* text = node.as<std::string>();
  if (!text || text->empty() || text->size() > longest_name || printable(*text) != *text)
    return false;
  value = *text;
  return true;
}

bool read_path(const Node& node, std::string& value) {
  const auto* text = node.as<std::string>();
  if (!text || !is_path(*text)) return false;
  value = *text;
  return true;
}

bool read_paths(const Node& node, std::vector<std::string>& value) {
  const auto* list = node.as<List>();
  if (!list) return false;
  for (const auto& entry : *list)
    if (!read_path(entry, value.emplace_back())) return false;
  return true;
}

bool read_level(const Node& node, std::string& value) {
  const auto* text = node.as<std::string>();
  if (!text || !log_level_named(*text)) return false;
  value = *text;
  return true;
}

bool read_number(const Node& node, std::int64_t least, std::int64_t most, std::int64_t& value) {
  const auto* number = node.as<std::int64_t>();
  if (!number || *number < least || *number > most) return false;
  value = *number;
  return true;
}

// ---- complaints ----

std::unexpected<Error> unknown_key(std::string_view source, std::string_view section,
                                   const Name& name, const std::vector<KnownKey>& known) {
  const auto home = at_home(name.text, known);
  return wrong_at(
      source, name.line,
      fmt::format("unknown key '{}.{}'; {}", section, printable(name.text),
                  home ? did_you_mean(*home) : suggestion(name.text, names_in(section, known))));
}

std::unexpected<Error> unknown_section(std::string_view source, const Name& name, bool is_section,
                                       const std::vector<KnownKey>& known) {
  const auto home = is_section ? std::nullopt : at_home(name.text, known);
  return wrong_at(
      source, name.line,
      fmt::format("unknown {} '{}'; {}", is_section ? "section" : "key", printable(name.text),
                  home ? did_you_mean(*home) : suggestion(name.text, sections_of(known))));
}

std::unexpected<Error> not_a_section(std::string_view source, const Name& name) {
  return wrong_at(source, name.line, fmt::format("'{0}' must be a section: [{0}]", name.text));
}

std::unexpected<Error> not_allowed(std::string_view source, const Name& name,
                                   std::string_view full_name, std::string_view allowed) {
  return wrong_at(source, name.line, fmt::format("'{}' must be {}", full_name, allowed));
}

Result<void> check(const std::vector<Rule>& rules, std::string_view source) {
  for (const auto& rule : rules)
    if (!rule.holds)
      return failure(ErrorCode::invalid_args, fmt::format("{}: {}", source, rule.sentence));
  return {};
}

}  // namespace volgrow::settings
