// SPDX-License-Identifier: Apache-2.0
// Reads Cinder's connection_info and drops its secrets before anybody else can see them. What the
// keys of `data` mean is for the connectors.
#include "core/connection_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/target.h"
#include "core/text.h"

namespace volgrow {
namespace {

std::unexpected<Error> bad(std::string_view key, std::string_view problem) {
  return failure(ErrorCode::bad_connection_info,
                 fmt::format("connection_info: {} {}", key, problem));
}

std::string_view kind_of(const Value& value) {
  // In the order of Value's alternatives.
  constexpr std::array<std::string_view, 8> kinds{"null",     "a boolean", "a number", "a number",
                                                  "a number", "text",      "a list",   "an object"};
  return kinds.at(value.data.index());
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// CHAP (auth_*, discovery_auth_*, dhchap_*), Ceph's keyring, vendors' tokens, encryption keys. A
/// harmless key that looks like one is lost, which costs nothing: no connector needs such names.
bool is_secret(std::string_view key) {
  constexpr std::array<std::string_view, 2> beginnings{"auth_", "discovery_auth_"};
  constexpr std::array<std::string_view, 9> parts{"password", "passwd", "passphrase",
                                                  "secret",   "token",  "encryption_key",
                                                  "keyring",  "chap",   "credential"};
  const auto name = lowered(key);
  const auto begins = [&](std::string_view text) { return name.starts_with(text); };
  const auto holds = [&](std::string_view text) { return name.contains(text); };
  return std::ranges::any_of(beginnings, begins) || std::ranges::any_of(parts, holds) ||
         name.ends_with("key");
}

// Recursion is as deep as parse_json allows.
void drop_secrets(Value& value) {
  if (auto* items = std::get_if<Value::Array>(&value.data))
    std::ranges::for_each(*items, drop_secrets);
  auto* members = std::get_if<Value::Object>(&value.data);
  if (members == nullptr) return;
  std::erase_if(*members, [](const auto& member) { return is_secret(member.first); });
  for (auto& member : *members)
    drop_secrets(member.second);
}

/// Where a text holds a NUL: it would be cut there by every call into the kernel. Empty: nowhere.
std::string place_of_nul(const Value& value, const std::string& where) {
  const auto* text = value.text();
  if (text != nullptr && text->contains('\0')) return where;
  if (const auto* items = value.array())
    for (const auto& item : *items)
      if (auto place = place_of_nul(item, where); !place.empty()) return place;
  if (const auto* members = value.object())
    for (const auto& [key, member] : *members)
      if (auto place = place_of_nul(member, fmt::format("{}.{}", where, printable(key)));
          !place.empty())
        return place;
  return {};
}

Result<std::string> transport(const Value& document) {
  const auto* type = document.find("driver_volume_type");
  if (type == nullptr)
    return bad("driver_volume_type", "is missing; expected text such as \"iscsi\" or \"local\"");
  if (type->text() == nullptr)
    return bad("driver_volume_type", fmt::format("is {}, expected text", kind_of(*type)));
  if (type->text()->empty() || printable(*type->text()) != *type->text())
    return bad("driver_volume_type", fmt::format("is {}, expected a name", cited(*type->text())));
  return *type->text();
}

Result<Value::Object> data_of(Value& document) {
  const auto& members = *document.object();
  const auto found = std::ranges::find(members, "data", &Value::Object::value_type::first);
  if (found == members.end())
    return bad("data", "is missing; expected the object with the volume's connection");
  if (found->second.object() == nullptr)
    return bad("data", fmt::format("is {}, expected an object", kind_of(found->second)));
  Value data = found->second;
  drop_secrets(data);
  if (const auto place = place_of_nul(data, "data"); !place.empty())
    return bad(place, "holds a NUL character");
  return std::get<Value::Object>(std::move(data.data));
}

Result<std::optional<std::string>> serial_of(const Value& document) {
  const auto* serial = document.find("serial");
  if (serial == nullptr || serial->is_null()) return std::nullopt;
  if (serial->text() == nullptr)
    return bad("serial", fmt::format("is {}, expected text", kind_of(*serial)));
  if (printable(*serial->text()) != *serial->text())
    return bad("serial", "holds a control character");
  return *serial->text();
}

/// Everything about the document but its size.
Result<ConnectionInfo> read(Value document) {
  if (document.object() == nullptr)
    return bad("the document", fmt::format("is {}, expected an object", kind_of(document)));
  auto type = transport(document);
  if (!type) return std::unexpected(std::move(type).error());
  auto data = data_of(document);
  if (!data) return std::unexpected(std::move(data).error());
  auto serial = serial_of(document);
  if (!serial) return std::unexpected(std::move(serial).error());
  return ConnectionInfo{*std::move(type), *std::move(data), *std::move(serial)};
}

}  // namespace

std::optional<std::string> ConnectionInfo::volume_id() const {
  if (serial && is_volume_id(*serial)) return serial;
  auto id = text("volume_id");
  return id && is_volume_id(*id) ? id : std::nullopt;
}

std::optional<std::string> ConnectionInfo::text(std::string_view key) const {
  const auto found = std::ranges::find(data, key, &Value::Object::value_type::first);
  if (found == data.end() || found->second.text() == nullptr) return std::nullopt;
  return *found->second.text();
}

Result<std::string> ConnectionInfo::require_text(std::string_view key) const {
  if (auto found = text(key)) return *std::move(found);
  const auto member = std::ranges::find(data, key, &Value::Object::value_type::first);
  const auto place = fmt::format("data.{}", key);
  if (member == data.end()) return bad(place, "is missing; expected text");
  return bad(place, fmt::format("is {}, expected text", kind_of(member->second)));
}

Result<ConnectionInfo> parse_connection_info(std::string_view json) {
  const JsonLimits limits;
  auto document = parse_json(json, limits);
  if (!document) {
    auto error = std::move(document).error().during("connection_info");
    error.code = ErrorCode::bad_connection_info;
    return std::unexpected(std::move(error));
  }
  auto connection = read(*std::move(document));
  // 1e5 is written back as 100000.0: what is kept must be small enough to be read again.
  if (connection && to_json(*connection).size() > limits.size.count())
    return bad("the document", fmt::format("takes more than {} bytes", limits.size.count()));
  return connection;
}

std::string to_json(const ConnectionInfo& connection) {
  Value::Object document{{"driver_volume_type", connection.driver_volume_type},
                         {"data", connection.data}};
  if (connection.serial) document.emplace_back("serial", *connection.serial);
  return to_json(Value(std::move(document)));
}

}  // namespace volgrow
