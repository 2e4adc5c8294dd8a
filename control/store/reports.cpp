// SPDX-License-Identifier: Apache-2.0
// What hosts reported, each report once.
#include "control/store/sqlite_store.h"

namespace volgrow::control {

using namespace rows;

Result<bool> SqliteStore::add_report(const StoredReport& report) {
  return perform([&]() -> Result<bool> {
    Database::Whole whole(*database_);
    if (has_report(report)) return false;
    tables().reports.insert({report.host, report.journal, bits(report.sequence), report.volume_id,
                             report.attachment_id, report.result, micros(report.received_at)});
    whole.commit();
    return true;
  });
}

bool SqliteStore::has_report(const StoredReport& report) {
  return number_of(sql(),
                   "count(*) as number from reports"
                   " where host = :host and journal = :journal and sequence = :sequence",
                   report.host, report.journal, bits(report.sequence)) > 0;
}

Result<std::optional<StoredReport>> SqliteStore::last_report(const std::string& attachment_id) {
  return perform([&]() -> Result<std::optional<StoredReport>> {
    const auto rows = rows_of<ReportRow>(
        sql(),
        "from reports where attachment_id = :id order by received_at desc, sequence desc limit 1",
        attachment_id);
    if (rows.empty()) return std::nullopt;
    const auto& row = rows.front();
    return StoredReport{row.host,          row.journal, unsigned_of(row.sequence), row.volume_id,
                        row.attachment_id, row.result,  time_of(row.received_at)};
  });
}

Result<std::uint64_t> SqliteStore::count_reports(const std::string& volume_id) {
  return perform([&]() -> Result<std::uint64_t> {
    return unsigned_of(
        number_of(sql(), "count(*) as number from reports where volume_id = :id", volume_id));
  });
}

}  // namespace volgrow::control
