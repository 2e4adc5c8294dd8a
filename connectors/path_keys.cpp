// SPDX-License-Identifier: Apache-2.0
// The singular and the plural keys of a connection, and the sentences about what is wrong in them.
#include "connectors/path_keys.h"

#include <fmt/format.h>

#include <algorithm>

namespace volgrow {
namespace {

Result<PathKey> list_under(std::string_view key, const Value::Array& list) {
  if (list.empty()) return bad_key(key, "is an empty list; leave it out, or name every path");
  return PathKey{std::string(key), &list, nullptr};
}

}  // namespace

std::unexpected<Error> bad_key(std::string_view key, std::string_view problem) {
  return failure(ErrorCode::bad_connection_info,
                 fmt::format("connection_info: data.{} {}", key, problem));
}

const Value* member_of(const Value::Object& data, std::string_view key) {
  const auto found = std::ranges::find(data, key, &Value::Object::value_type::first);
  return found == data.end() || found->second.is_null() ? nullptr : &found->second;
}

std::string PathKey::place(std::size_t index) const {
  return list == nullptr ? key : fmt::format("{}[{}]", key, index);
}

Result<PathKey> path_key(const ConnectionInfo& info, const std::string& singular) {
  const auto plural = singular + "s";
  if (const auto* given = member_of(info.data, plural)) {
    const auto* list = given->array();
    return list == nullptr ? bad_key(plural, "is no list") : list_under(plural, *list);
  }
  const auto* given = member_of(info.data, singular);
  if (given == nullptr)
    return bad_key(singular, fmt::format("is missing, and so is data.{}", plural));
  if (const auto* list = given->array()) return list_under(singular, *list);
  return PathKey{singular, nullptr, given};
}

// Each entry of a list belongs to the entry at its place in the others: lists of unequal length are
// no connection, and to cut them to the shortest would lose paths without a word.
Result<std::size_t> count_of_paths(std::initializer_list<const PathKey*> keys) {
  const PathKey* first = nullptr;
  for (const auto* each : keys) {
    if (each->list == nullptr) continue;
    if (first == nullptr) first = each;
    if (each->list->size() != first->list->size())
      return bad_key(each->key, fmt::format("has {} entries and data.{} has {}", each->list->size(),
                                            first->key, first->list->size()));
  }
  return first == nullptr ? 1 : first->list->size();
}

Result<std::uint64_t> lun_at(const PathKey& luns, std::size_t index) {
  auto lun = parse_lun(luns.at(index));
  if (lun) return lun;
  return bad_key(luns.place(index), lun.error().message);
}

Result<LunAddressing> lun_addressing_of(const ConnectionInfo& info) {
  constexpr std::string_view key = "addressing_mode";
  const auto* mode = member_of(info.data, key);
  auto addressing = mode == nullptr ? LunAddressing::as_given : parse_lun_addressing(*mode);
  if (addressing) return addressing;
  return bad_key(key, addressing.error().message);
}

}  // namespace volgrow
