// SPDX-License-Identifier: Apache-2.0
// The singular and the plural keys of an iSCSI connection, made one list of units.
#include "connectors/iscsi_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace volgrow {
namespace {

std::unexpected<Error> bad(std::string_view key, std::string_view problem) {
  return failure(ErrorCode::bad_connection_info,
                 fmt::format("connection_info: data.{} {}", key, problem));
}

/// One of the three things a path is made of, as it was given: a list, or one value for all.
struct Given {
  std::string key;  ///< of what was found
  const Value::Array* list = nullptr;
  const Value* single = nullptr;

  const Value& at(std::size_t index) const { return list == nullptr ? *single : (*list)[index]; }
  /// "target_luns[1]", or "target_lun".
  std::string place(std::size_t index) const {
    return list == nullptr ? key : fmt::format("{}[{}]", key, index);
  }
};

/// nullptr for null as well: drivers write None for what they do not have.
const Value* member(const ConnectionInfo& info, std::string_view key) {
  const auto found = std::ranges::find(info.data, key, &Value::Object::value_type::first);
  return found == info.data.end() || found->second.is_null() ? nullptr : &found->second;
}

Result<Given> given(const ConnectionInfo& info, const std::string& singular) {
  const auto plural = singular + "s";
  if (const auto* lists = member(info, plural)) {
    const auto* list = lists->array();
    if (list == nullptr) return bad(plural, "is no list");
    if (list->empty()) return bad(plural, "is an empty list; leave it out, or name every path");
    return Given{plural, list, nullptr};
  }
  if (const auto* single = member(info, singular)) return Given{singular, nullptr, single};
  return bad(singular, fmt::format("is missing, and so is data.{}", plural));
}

Result<IscsiPortal> portal_in(const Given& portals, std::size_t index) {
  const auto* text = portals.at(index).text();
  if (text == nullptr) return bad(portals.place(index), "is no text; expected \"ADDRESS:PORT\"");
  auto portal = parse_iscsi_portal(*text);
  if (portal) return portal;
  return bad(portals.place(index), fmt::format("is malformed: {}", portal.error().message));
}

Result<std::string> name_in(const Given& names, std::size_t index) {
  const auto* text = names.at(index).text();
  if (text == nullptr) return bad(names.place(index), "is no text; expected a target's name");
  if (text->empty() || printable(*text) != *text)
    return bad(names.place(index), fmt::format("is {}, expected a target's name", cited(*text)));
  return comparable_iscsi_name(*text);
}

Result<std::uint64_t> lun_in(const Given& luns, std::size_t index) {
  auto lun = parse_lun(luns.at(index));
  if (lun) return lun;
  return bad(luns.place(index), lun.error().message);
}

struct Paths {
  Given portals, names, luns;

  /// Each entry of a list belongs to the entry at its place in the others: lists of unequal length
  /// are no connection, and to cut them to the shortest would lose paths without a word.
  Result<std::size_t> count() const {
    const Given* first = nullptr;
    for (const auto* each : {&portals, &names, &luns}) {
      if (each->list == nullptr) continue;
      if (first == nullptr) first = each;
      if (each->list->size() != first->list->size())
        return bad(each->key, fmt::format("has {} entries and data.{} has {}", each->list->size(),
                                          first->key, first->list->size()));
    }
    return first == nullptr ? 1 : first->list->size();
  }
};

Result<Paths> paths_in(const ConnectionInfo& info) {
  auto portals = given(info, "target_portal");
  if (!portals) return std::unexpected(std::move(portals.error()));
  auto names = given(info, "target_iqn");
  if (!names) return std::unexpected(std::move(names.error()));
  auto luns = given(info, "target_lun");
  if (!luns) return std::unexpected(std::move(luns.error()));
  return Paths{*std::move(portals), *std::move(names), *std::move(luns)};
}

Result<IscsiUnit> unit_at(const Paths& paths, std::size_t index) {
  auto portal = portal_in(paths.portals, index);
  if (!portal) return std::unexpected(std::move(portal.error()));
  auto name = name_in(paths.names, index);
  if (!name) return std::unexpected(std::move(name.error()));
  auto lun = lun_in(paths.luns, index);
  if (!lun) return std::unexpected(std::move(lun.error()));
  const bool listed = paths.portals.list != nullptr;
  return IscsiUnit{listed ? std::optional(*std::move(portal)) : std::nullopt, *std::move(name),
                   *lun};
}

Result<LunAddressing> addressing_of(const ConnectionInfo& info) {
  constexpr std::string_view key = "addressing_mode";
  const auto* mode = member(info, key);
  auto addressing = mode == nullptr ? LunAddressing::as_given : parse_lun_addressing(*mode);
  if (addressing) return addressing;
  return bad(key, addressing.error().message);
}

}  // namespace

Result<IscsiConnection> parse_iscsi_connection(const ConnectionInfo& info) {
  const auto paths = paths_in(info);
  if (!paths) return std::unexpected(paths.error());
  const auto count = paths->count();
  if (!count) return std::unexpected(count.error());
  const auto addressing = addressing_of(info);
  if (!addressing) return std::unexpected(addressing.error());
  IscsiConnection connection{{}, *addressing};
  for (std::size_t index = 0; index < *count; ++index) {
    auto unit = unit_at(*paths, index);
    if (!unit) return std::unexpected(std::move(unit.error()));
    connection.units.push_back(*std::move(unit));
  }
  return connection;
}

std::string comparable_iscsi_name(std::string_view name) {
  std::string lowered(name);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lowered;
}

}  // namespace volgrow
