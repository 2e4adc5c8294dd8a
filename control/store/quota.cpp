// SPDX-License-Identifier: Apache-2.0
// What a project uses, has reserved by open extends, and may use.
#include "control/store/sqlite_store.h"

namespace volgrow::control {

using namespace rows;

Result<std::map<std::string, Usage>> SqliteStore::usage(const std::string& project_id) {
  return perform([&]() -> Result<std::map<std::string, Usage>> {
    std::map<std::string, Usage> usage{{"volumes", {}}, {"gigabytes", {}}};
    add_used(project_id, usage);
    add_reserved(project_id, usage);
    return usage;
  });
}

void SqliteStore::add_used(const std::string& project_id, std::map<std::string, Usage>& usage) {
  for (const auto& row :
       rows_of<UsageRow>(sql(),
                         "from usages u left join types t on t.id = u.volume_type_id"
                         " where u.project_id = :project",
                         project_id)) {
    usage["volumes"].in_use += row.volumes;
    usage["gigabytes"].in_use += row.gigabytes;
    usage["volumes_" + row.name].in_use += row.volumes;
    usage["gigabytes_" + row.name].in_use += row.gigabytes;
  }
}

void SqliteStore::add_reserved(const std::string& project_id, std::map<std::string, Usage>& usage) {
  for (const auto& row : rows_of<UsageRow>(sql(),
                                           "from (select volume_type_id, 0 as volumes,"
                                           " sum(new_size - old_size) as gigabytes from extends"
                                           " where project_id = :project group by volume_type_id) u"
                                           " left join types t on t.id = u.volume_type_id",
                                           project_id)) {
    usage["gigabytes"].reserved += row.gigabytes;
    usage["gigabytes_" + row.name].reserved += row.gigabytes;
  }
}

Result<std::map<std::string, Gib>> SqliteStore::quota_limits(const std::string& project_id) {
  return perform([&]() -> Result<std::map<std::string, Gib>> {
    std::map<std::string, Gib> limits;
    for (const auto& row :
         rows_of<LimitRow>(sql(), "from quota_limits where project_id = :project", project_id))
      limits[row.resource] = row.hard_limit;
    return limits;
  });
}

Result<void> SqliteStore::set_quota_limit(const std::string& project_id,
                                          const std::string& resource, Gib limit) {
  return change([&] {
    sql() << "insert into quota_limits (project_id, resource, hard_limit)"
             " values (:project, :resource, :limit) on conflict (project_id, resource)"
             " do update set hard_limit = excluded.hard_limit",
        soci::use(project_id), soci::use(resource), soci::use(limit);
  });
}

Result<void> SqliteStore::remove_quota_limits(const std::string& project_id) {
  return change([&] {
    sql() << "delete from quota_limits where project_id = :project", soci::use(project_id);
  });
}

}  // namespace volgrow::control
