// SPDX-License-Identifier: Apache-2.0
// [[backend]] and [backend_helper] as tables of keys, and what must hold between them.
#include "backend/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/names.h"
#include "core/target.h"
#include "core/text.h"
#include "service/settings.h"

namespace volgrow::backend {
namespace {

namespace in = settings;

constexpr std::string_view entries = "backend";

constexpr std::array drivers{Named{DriverKind::file, "file"}, Named{DriverKind::tgt, "tgt"}};
constexpr std::array completions{Named{Completion::immediate, "immediate"},
                                 Named{Completion::deferred, "deferred"}};

std::optional<DriverKind> driver_named(std::string_view name) {
  return value_in(drivers, name);
}
std::optional<Completion> completion_named(std::string_view name) {
  return value_in(completions, name);
}

/// A [[backend]] as it stands in the file: what was left out gets its default by the driver.
struct Entry {
  std::string name;
  std::optional<DriverKind> driver;
  std::string path;
  std::optional<bool> in_use_extend;
  Completion completion = BackEnd().completion;
  std::uint32_t max_over_subscription_ratio = BackEnd().max_over_subscription_ratio;
  std::optional<std::string> portal;
  std::optional<std::string> control_socket;
};

// ---- kinds of our own ----

bool read_backend_name(const in::Node& node, std::string& name) {
  const auto* text = node.as<std::string>();
  if (text == nullptr || !is_volume_id(*text)) return false;
  name = *text;
  return true;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_portal(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > 256) return false;
  const auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const auto fits = [](char c) { return c > ' ' && c < 0x7f && c != ',' && c != ';'; };
  return (bracketed || !host.contains(':')) && std::ranges::all_of(host, fits) &&
         is_port(text.substr(colon + 1));
}

bool read_portal(const in::Node& node, std::optional<std::string>& portal) {
  const auto* text = node.as<std::string>();
  if (text == nullptr || !is_portal(*text)) return false;
  portal = *text;
  return true;
}

template <class T, class ReadValue>
in::Kind<Entry> optional(in::Place<Entry, std::optional<T>> place, std::string_view allowed,
                         ReadValue read_value) {
  return in::kind_of<Entry, std::optional<T>>(place, allowed,
                                              [=](const in::Node& node, std::optional<T>& value) {
                                                return read_value(node, value.emplace());
                                              });
}

#define AT(member) VOLGROW_AT(Entry, member)
const in::Keys<Entry> entry_keys({
    {entries, "name",
     in::kind_of<Entry, std::string>(AT(name),
                                     "1 to 128 letters, digits, '.', '_' and '-', the first a "
                                     "letter or digit",
                                     read_backend_name)},
    {entries, "driver",
     in::word<Entry, std::optional<DriverKind>>(AT(driver), R"("file" or "tgt")",
                                                [](std::string_view text) {
                                                  return std::optional(driver_named(text));
                                                })},
    {entries, "path", in::path<Entry>(AT(path))},
    {entries, "in_use_extend", optional<bool>(AT(in_use_extend), in::allowed_flag, in::read)},
    {entries, "completion",
     in::word<Entry, Completion>(AT(completion), R"("immediate" or "deferred")", completion_named)},
    {entries, "max_over_subscription_ratio",
     in::number<Entry, std::uint32_t>(AT(max_over_subscription_ratio), 1, 1000)},
    {entries, "portal",
     in::kind_of<Entry, std::optional<std::string>>(
         AT(portal), R"(an address and a port, such as "127.0.0.1:3260")", read_portal)},
    {entries, "control_socket",
     optional<std::string>(AT(control_socket), in::allowed_path, in::read_path)},
});
#undef AT

#define AT(member) VOLGROW_AT(Settings, member)
const in::Keys<Settings> own_keys({
    {"backend_helper", "socket",
     in::kind_of<Settings, std::filesystem::path>(AT(socket), in::allowed_path,
                                                  [](const in::Node& node,
                                                     std::filesystem::path& path) {
                                                    std::string text;
                                                    const bool right = in::read_path(node, text);
                                                    path = text;
                                                    return right;
                                                  })},
    {"backend_helper", "user", in::name<Settings>(AT(user))},
});
#undef AT

// ---- what must hold ----

/// The first thing that is wrong with an entry by itself; empty: nothing.
std::string_view mistake_in(const Entry& entry) {
  const bool is_tgt = entry.driver == DriverKind::tgt;
  if (entry.name.empty()) return "a [[backend]] needs a 'name'";
  if (!entry.driver) return R"(a [[backend]] needs a 'driver': "file" or "tgt")";
  if (entry.path.empty()) return "a [[backend]] needs a 'path': the directory of its volumes";
  if (is_tgt && entry.in_use_extend.value_or(false))
    return R"('backend.in_use_extend': the driver "tgt" cannot grow a volume in use)";
  if (!is_tgt && (entry.portal || entry.control_socket))
    return R"('backend.portal' and 'backend.control_socket' belong to the driver "tgt")";
  // tgtd takes its parameters as a list with commas, and knows no escape.
  if (is_tgt && entry.path.contains(','))
    return R"('backend.path': the driver "tgt" takes no path with a comma)";
  return {};
}

std::string_view mistake_among(const std::vector<BackEnd>& backends, const Entry& entry) {
  const auto has = [&](auto member, const auto& value) {
    return std::ranges::find(backends, value, member) != backends.end();
  };
  if (has(&BackEnd::name, entry.name)) return "two [[backend]] have this 'name'";
  if (has(&BackEnd::path, std::filesystem::path(entry.path)))
    return "two [[backend]] have this 'path': each would take the other's volumes for its own";
  return {};
}

BackEnd from_entry(const Entry& entry) {
  BackEnd out;
  out.name = entry.name;
  out.driver = *entry.driver;
  out.path = entry.path;
  out.in_use_extend = entry.in_use_extend.value_or(out.driver == DriverKind::file);
  out.completion = entry.completion;
  out.max_over_subscription_ratio = entry.max_over_subscription_ratio;
  out.portal = entry.portal.value_or(out.portal);
  if (entry.control_socket) out.control_socket = *entry.control_socket;
  return out;
}

// ---- reading ----

std::uint32_t line_of(const in::Name& section, const in::Node& entry) {
  const auto* table = entry.as<in::Table>();
  return table == nullptr || table->empty() ? section.line : table->front().first.line;
}

Result<void> read_entry(const in::Name& section, const in::Node& node, std::string_view source,
                        std::vector<BackEnd>& backends) {
  Entry entry;
  if (auto done = entry_keys.read_section(section, node, source, entry); !done) return done;
  auto mistake = mistake_in(entry);
  if (mistake.empty()) mistake = mistake_among(backends, entry);
  if (!mistake.empty()) return in::wrong_at(source, line_of(section, node), mistake);
  backends.push_back(from_entry(entry));
  return {};
}

Result<void> read_entries(const in::Name& section, const in::Node& node, std::string_view source,
                          std::vector<BackEnd>& backends) {
  const auto* list = node.as<in::List>();
  if (list == nullptr)
    return in::wrong_at(source, section.line, "'backend' must be a list of sections: [[backend]]");
  for (const auto& entry : *list)
    if (auto done = read_entry(section, entry, source, backends); !done) return done;
  return {};
}

}  // namespace

std::string_view name_of(DriverKind driver) {
  return name_in(drivers, driver);
}

std::string_view name_of(Completion completion) {
  return name_in(completions, completion);
}

Result<Settings> parse_settings(std::string_view toml, std::string_view source_name) {
  const auto file = in::parse_toml(toml, source_name);
  if (!file) return std::unexpected(file.error());
  Settings settings;
  for (const auto& [name, node] : *file) {
    Result<void> done;
    if (name.text == entries) done = read_entries(name, node, source_name, settings.backends);
    if (own_keys.has_section(name.text))
      done = own_keys.read_section(name, node, source_name, settings);
    if (!done) return std::unexpected(std::move(done.error()));
  }
  return settings;
}

Result<Settings> read_settings(const std::filesystem::path& path) {
  auto text = in::read_settings_file(path);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse_settings(*text, path.native());
}

}  // namespace volgrow::backend
