// SPDX-License-Identifier: Apache-2.0
// Which host a volume is exported to, and for which attachment.
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

Export export_of(const ExportRow& row) {
  return {.volume_id = row.volume_id,
          .host = row.host,
          .initiator = row.initiator.get(),
          .attachment_id = row.attachment_id};
}

}  // namespace

Result<void> SqliteStore::add_export(const Export& one) {
  return change([&] {
    Text initiator(one.initiator);
    sql() << "insert into exports (volume_id, host, attachment_id, initiator)"
             " values (:volume, :host, :attachment, :initiator)"
             " on conflict (volume_id, host, attachment_id)"
             " do update set initiator = excluded.initiator",
        soci::use(one.volume_id), soci::use(one.host), soci::use(one.attachment_id),
        soci::use(initiator.value, initiator.state);
  });
}

Result<std::vector<Export>> SqliteStore::exports_of(const std::string& volume_id) {
  return perform([&]() -> Result<std::vector<Export>> {
    return values_of(
        rows_of<ExportRow>(sql(), "from exports where volume_id = :id order by host, attachment_id",
                           volume_id),
        export_of);
  });
}

Result<void> SqliteStore::remove_export(const Export& one) {
  return change([&] {
    sql() << "delete from exports where volume_id = :volume and host = :host"
             " and attachment_id = :attachment",
        soci::use(one.volume_id), soci::use(one.host), soci::use(one.attachment_id);
  });
}

}  // namespace volgrow::control
