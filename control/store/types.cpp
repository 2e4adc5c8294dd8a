// SPDX-License-Identifier: Apache-2.0
// Volume types with their extra specs.
#include "control/store/columns.h"
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

TypeRow row_of(const VolumeType& type) {
  TypeRow row;
  row.id = type.id;
  row.name = type.name;
  row.description = Text(type.description);
  row.is_public = type.is_public ? 1 : 0;
  row.extra_specs = text_of(type.extra_specs);
  row.created_at = micros(type.created_at);
  row.updated_at = nullable(type.updated_at);
  return row;
}

VolumeType type_of(const TypeRow& row) {
  return {.id = row.id,
          .name = row.name,
          .description = row.description.get(),
          .is_public = row.is_public != 0,
          .extra_specs = pairs_in(row.extra_specs),
          .created_at = time_of(row.created_at),
          .updated_at = time_in(row.updated_at)};
}

}  // namespace

Result<void> SqliteStore::add_type(const VolumeType& type) {
  return change([&] { tables().types.insert(row_of(type)); });
}

Result<std::vector<VolumeType>> SqliteStore::types() {
  return perform([&]() -> Result<std::vector<VolumeType>> {
    return values_of(rows_of<TypeRow>(sql(), "from types order by created_at desc, id desc"),
                     type_of);
  });
}

Result<std::optional<VolumeType>> SqliteStore::type(const std::string& id) {
  return perform([&]() -> Result<std::optional<VolumeType>> {
    const auto row = tables().types.find(id);
    return row ? std::optional(type_of(*row)) : std::nullopt;
  });
}

Result<std::optional<VolumeType>> SqliteStore::type_named(const std::string& name) {
  return perform([&]() -> Result<std::optional<VolumeType>> {
    const auto rows = rows_of<TypeRow>(sql(), "from types where name = :name", name);
    return rows.empty() ? std::nullopt : std::optional(type_of(rows.front()));
  });
}

Result<void> SqliteStore::change_type(const VolumeType& type) {
  return change([&] { tables().types.update(row_of(type)); });
}

Result<void> SqliteStore::remove_type(const std::string& id) {
  return change([&] { tables().types.remove(id); });
}

Result<bool> SqliteStore::type_in_use(const std::string& id) {
  return perform([&]() -> Result<bool> {
    return number_of(sql(),
                     "count(*) as number from usages where volume_type_id = :id and volumes > 0",
                     id) > 0;
  });
}

}  // namespace volgrow::control
