// SPDX-License-Identifier: Apache-2.0
// Extends that are under way.
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

template <class Row>
Row row_of(const Extend& extend) {
  Row row;
  row.id = extend.id;
  row.volume_id = extend.volume_id;
  row.project_id = extend.project_id;
  row.type_id = extend.type_id;
  row.user_id = extend.user_id;
  row.request_id = extend.request_id;
  row.previous_status = name_of(extend.previous_status);
  row.old_size = extend.old_size;
  row.new_size = extend.new_size;
  row.deferred = extend.deferred ? 1 : 0;
  row.started_at = micros(extend.started_at);
  return row;
}

Extend extend_of_row(const ExtendRow& row) {
  return {
      .id = row.id,
      .volume_id = row.volume_id,
      .project_id = row.project_id,
      .type_id = row.type_id,
      .user_id = row.user_id,
      .request_id = row.request_id,
      .previous_status = volume_status_named(row.previous_status).value_or(VolumeStatus::available),
      .old_size = row.old_size,
      .new_size = row.new_size,
      .deferred = row.deferred != 0,
      .started_at = time_of(row.started_at)};
}

}  // namespace

Result<std::int64_t> SqliteStore::open_extend(const Extend& extend) {
  return add("extends", [&] { tables().new_extends.insert(row_of<NewExtendRow>(extend)); });
}

Result<void> SqliteStore::change_extend(const Extend& extend) {
  return change([&] { tables().extends.update(row_of<ExtendRow>(extend)); });
}

Result<void> SqliteStore::close_extend(std::int64_t id) {
  return change([&] { tables().extends.remove(id); });
}

Result<std::optional<Extend>> SqliteStore::extend_of(const std::string& volume_id) {
  return perform([&]() -> Result<std::optional<Extend>> {
    const auto rows = rows_of<ExtendRow>(sql(), "from extends where volume_id = :id", volume_id);
    return rows.empty() ? std::nullopt : std::optional(extend_of_row(rows.front()));
  });
}

Result<std::vector<Extend>> SqliteStore::open_extends() {
  return perform([&]() -> Result<std::vector<Extend>> {
    return values_of(rows_of<ExtendRow>(sql(), "from extends order by id"), extend_of_row);
  });
}

}  // namespace volgrow::control
