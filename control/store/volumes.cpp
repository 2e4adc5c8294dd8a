// SPDX-License-Identifier: Apache-2.0
// Volumes; usage is counted where they are written.
#include "control/store/columns.h"
#include "control/store/pages.h"
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

VolumeRow row_of(const Volume& volume) {
  VolumeRow row;
  row.id = volume.id;
  row.project_id = volume.project_id;
  row.user_id = volume.user_id;
  row.name = Text(volume.name);
  row.description = Text(volume.description);
  row.size = volume.size;
  row.status = name_of(volume.status);
  if (volume.previous_status)
    row.previous_status = Text(std::string(name_of(*volume.previous_status)));
  row.attach_status = name_of(volume.attach_status);
  row.migration_status = Text(volume.migration_status);
  row.type_id = volume.type_id;
  row.backend = volume.backend;
  row.availability_zone = volume.availability_zone;
  row.bootable = volume.bootable ? 1 : 0;
  row.multiattach = volume.multiattach ? 1 : 0;
  row.readonly = volume.readonly ? 1 : 0;
  row.metadata = text_of(volume.metadata);
  row.created_at = micros(volume.created_at);
  row.updated_at = nullable(volume.updated_at);
  return row;
}

/// A word that is not ours (a newer version's) reads as error: an operator must look at it.
Volume volume_of(const VolumeRow& row) {
  const auto previous = row.previous_status.get();
  return {.id = row.id,
          .project_id = row.project_id,
          .user_id = row.user_id,
          .name = row.name.get(),
          .description = row.description.get(),
          .size = row.size,
          .status = volume_status_named(row.status).value_or(VolumeStatus::error),
          .previous_status = previous ? volume_status_named(*previous) : std::nullopt,
          .attach_status = attach_status_named(row.attach_status).value_or(AttachStatus::detached),
          .migration_status = row.migration_status.get(),
          .type_id = row.type_id,
          .backend = row.backend,
          .availability_zone = row.availability_zone,
          .bootable = row.bootable != 0,
          .multiattach = row.multiattach != 0,
          .readonly = row.readonly != 0,
          .metadata = pairs_in(row.metadata),
          .created_at = time_of(row.created_at),
          .updated_at = time_in(row.updated_at)};
}

}  // namespace

void SqliteStore::count(const std::string& project_id, const std::string& type_id,
                        long long volumes, long long gigabytes) {
  sql() << "insert into usages (project_id, volume_type_id, volumes, gigabytes)"
           " values (:project, :type, :volumes, :gigabytes)"
           " on conflict (project_id, volume_type_id) do update set"
           " volumes = volumes + excluded.volumes, gigabytes = gigabytes + excluded.gigabytes",
      soci::use(project_id), soci::use(type_id), soci::use(volumes), soci::use(gigabytes);
}

void SqliteStore::take_back(const VolumeRow& row) {
  count(row.project_id, row.type_id, -1, -row.size);
}

Result<void> SqliteStore::add_volume(const Volume& volume) {
  return change([&] {
    tables().volumes.insert(row_of(volume));
    count(volume.project_id, volume.type_id, 1, volume.size);
  });
}

Result<std::optional<Volume>> SqliteStore::volume(const std::string& id) {
  return perform([&]() -> Result<std::optional<Volume>> {
    const auto row = tables().volumes.find(id);
    return row ? std::optional(volume_of(*row)) : std::nullopt;
  });
}

Result<std::vector<Volume>> SqliteStore::volumes(const VolumePage& page) {
  return perform([&]() -> Result<std::vector<Volume>> {
    if (auto there = require_marker("volumes", page); !there)
      return std::unexpected(std::move(there.error()));
    auto query = query_for(page);
    if (!query) return std::unexpected(std::move(query.error()));
    return values_of(rows_of<VolumeRow>(sql(), *query), volume_of);
  });
}

Result<std::uint64_t> SqliteStore::count_volumes(const VolumePage& page) {
  return perform([&]() -> Result<std::uint64_t> {
    return unsigned_of(rows_of<NumberRow>(sql(), count_for(page)).front().number);
  });
}

Result<void> SqliteStore::change_volume(const Volume& volume) {
  return change([&] {
    const auto before = tables().volumes.find(volume.id);
    if (!before) return;
    tables().volumes.update(row_of(volume));
    if (before->size == volume.size && before->type_id == volume.type_id) return;
    take_back(*before);
    count(volume.project_id, volume.type_id, 1, volume.size);
  });
}

Result<void> SqliteStore::remove_volume(const std::string& id) {
  return change([&] {
    const auto before = tables().volumes.find(id);
    if (!before) return;
    sql() << "delete from extends where volume_id = :id", soci::use(id);
    sql() << "delete from attachments where volume_id = :id", soci::use(id);
    sql() << "delete from exports where volume_id = :id", soci::use(id);
    sql() << "delete from deliveries where volume_id = :id", soci::use(id);
    tables().volumes.remove(id);
    take_back(*before);
  });
}

Result<std::vector<Volume>> SqliteStore::unfinished_volumes() {
  return perform([&]() -> Result<std::vector<Volume>> {
    return values_of(
        rows_of<VolumeRow>(sql(), "from volumes where status in ('creating', 'deleting')"),
        volume_of);
  });
}

}  // namespace volgrow::control
