// SPDX-License-Identifier: Apache-2.0
// A JSON value as a plain C++ value, so that only json.cpp needs to know a JSON library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace volgrow {

struct Value {
  using Array = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;  ///< keeps the order it was made in

  Value() = default;
  // NOLINTBEGIN(google-explicit-constructor): a Value stands for any of these, as JSON text does.
  Value(std::nullptr_t) {}
  Value(bool b) : data(b) {}
  Value(std::int64_t n) : data(n) {}
  Value(std::uint64_t n) : data(n) {}
  Value(int n) : data(std::int64_t{n}) {}
  Value(unsigned n) : data(std::uint64_t{n}) {}
  Value(double d) : data(d) {}
  Value(std::string s) : data(std::move(s)) {}
  Value(std::string_view s) : data(std::string(s)) {}
  Value(const char* s) : data(std::string(s)) {}
  Value(Array a) : data(std::move(a)) {}
  Value(Object o) : data(std::move(o)) {}
  // NOLINTEND(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
  const Array* array() const { return std::get_if<Array>(&data); }
  const Object* object() const { return std::get_if<Object>(&data); }
  const bool* boolean() const { return std::get_if<bool>(&data); }

  /// The member `key` of an object; nullptr when this is no object or has no such member.
  const Value* find(std::string_view key) const {
    if (const auto* members = object())
      for (const auto& [name, value] : *members)
        if (name == key) return &value;
    return nullptr;
  }

  bool operator==(const Value&) const = default;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      data;
};

}  // namespace volgrow
