// SPDX-License-Identifier: Apache-2.0
// What concerns the database as a whole.
#include "control/store/sqlite_store.h"
#include "control/store/schema.h"

namespace volgrow::control {

using namespace rows;

Result<void> SqliteStore::require_marker(std::string_view table, const Page& page) {
  if (!page.marker) return {};
  const auto found = number_of(
      sql(), fmt::format("count(*) as number from {} where id = :id", table), *page.marker);
  if (found > 0) return {};
  return failure(ErrorCode::no_such_volume, *page.marker);
}

Result<void> SqliteStore::expire(WallTime before) {
  return change([&] {
    const auto time = micros(before);
    sql() << "delete from messages where expires_at <= :time", soci::use(time);
    sql() << "delete from reports where received_at <= :time", soci::use(time);
  });
}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path) {
  auto database = Database::open(path, control_kind);
  if (!database) return std::unexpected(std::move(database.error()));
  return std::make_unique<SqliteStore>(std::move(*database));
}

Result<std::unique_ptr<Store>> Store::look(const std::filesystem::path& path) {
  auto database = Database::look(path, control_kind);
  if (!database) return std::unexpected(std::move(database.error()));
  return std::make_unique<SqliteStore>(std::move(*database));
}

}  // namespace volgrow::control
