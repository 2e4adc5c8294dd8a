// SPDX-License-Identifier: Apache-2.0
// One table per enum, read in both directions: value to name, name to value. For the .cpp that owns
// the enum; nobody else needs the tables.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace volgrow {

template <class E>
struct Named {
  E value;
  std::string_view name;
};
/// g++ deduces this by itself; clang before 17, our second compiler, does not.
template <class E>
Named(E, std::string_view) -> Named<E>;

template <class E, std::size_t N>
using NameTable = std::array<Named<E>, N>;

/// "?" for a value outside the table: an enum read from a worker's bytes may hold anything.
template <class E, std::size_t N>
constexpr std::string_view name_in(const NameTable<E, N>& table, E value) {
  for (const auto& row : table)
    if (row.value == value) return row.name;
  return "?";
}

template <class E, std::size_t N>
constexpr std::optional<E> value_in(const NameTable<E, N>& table, std::string_view name) {
  for (const auto& row : table)
    if (row.name == name) return row.value;
  return std::nullopt;
}

}  // namespace volgrow
