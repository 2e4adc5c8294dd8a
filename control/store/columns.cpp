// SPDX-License-Identifier: Apache-2.0
// Sound JSON comes in through rest/, so what cannot be read was not written by us: it reads as
// empty.
#include "control/store/columns.h"

namespace volgrow::control {
namespace {

constexpr JsonLimits stored_json{.size = Bytes(std::uint64_t{16} << 20), .depth = 64};

}  // namespace

Number nullable(const std::optional<WallTime>& time) {
  return Number(time ? std::optional(rows::micros(*time)) : std::nullopt);
}

std::optional<WallTime> time_in(const Number& column) {
  const auto stored = column.get();
  return stored ? std::optional(rows::time_of(*stored)) : std::nullopt;
}

std::string text_of(const std::map<std::string, std::string>& pairs) {
  Value::Object object;
  for (const auto& [key, value] : pairs)
    object.emplace_back(key, value);
  return to_json(Value(std::move(object)));
}

std::map<std::string, std::string> pairs_in(const std::string& json) {
  std::map<std::string, std::string> pairs;
  const auto value = parse_json(json, stored_json);
  if (!value || !value->object()) return pairs;
  for (const auto& [key, member] : *value->object())
    if (const auto* text = member.text()) pairs.emplace(key, *text);
  return pairs;
}

Value value_in(const std::string& json) {
  auto value = parse_json(json, stored_json);
  return value ? std::move(*value) : Value();
}

}  // namespace volgrow::control
