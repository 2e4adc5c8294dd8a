// SPDX-License-Identifier: Apache-2.0
// The store in SQLite: its statements, and how one change is whole. Its methods are in the files
// that are called after what they keep.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/store.h"
#include "control/store/rows.h"
#include "service/database.h"

namespace volgrow::control {

/// The statements that are run for every request, prepared once.
struct Tables {
  explicit Tables(soci::session& sql)
      : volumes(sql, "volumes"),
        attachments(sql, "attachments"),
        extends(sql, "extends"),
        new_extends(sql, "extends"),
        types(sql, "types"),
        messages(sql, "messages"),
        deliveries(sql, "deliveries"),
        new_deliveries(sql, "deliveries"),
        reports(sql, "reports") {}

  rows::Table<VolumeRow> volumes;
  rows::Table<AttachmentRow> attachments;
  rows::Table<ExtendRow> extends;
  rows::Table<NewExtendRow> new_extends;
  rows::Table<TypeRow> types;
  rows::Table<MessageRow> messages;
  rows::Table<DeliveryRow> deliveries;
  rows::Table<NewDeliveryRow> new_deliveries;
  rows::Table<ReportRow> reports;
};

template <class Row, class Convert>
auto values_of(const std::vector<Row>& rows, Convert convert) {
  std::vector<decltype(convert(rows.front()))> values;
  values.reserve(rows.size());
  for (const auto& row : rows)
    values.push_back(convert(row));
  return values;
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<Database> database) : database_(std::move(database)) {
    database_->on_failure([this] { tables_.reset(); });
  }

  Result<void> begin() override { return database_->begin(); }
  Result<void> commit() override { return database_->commit(); }

  Result<void> add_volume(const Volume& volume) override;
  Result<std::optional<Volume>> volume(const std::string& id) override;
  Result<std::vector<Volume>> volumes(const VolumePage& page) override;
  Result<std::uint64_t> count_volumes(const VolumePage& page) override;
  Result<void> change_volume(const Volume& volume) override;
  Result<void> remove_volume(const std::string& id) override;
  Result<std::vector<Volume>> unfinished_volumes() override;
  Result<void> add_attachment(const Attachment& attachment) override;
  Result<std::optional<Attachment>> attachment(const std::string& id) override;
  Result<std::vector<Attachment>> attachments_of(const std::string& volume_id) override;
  Result<std::vector<Attachment>> attachments(const AttachmentPage& page) override;
  Result<void> change_attachment(const Attachment& attachment) override;
  Result<void> remove_attachment(const std::string& id) override;
  Result<std::vector<Attachment>> overdue(WallTime now) override;
  Result<std::optional<WallTime>> next_report_due() override;
  Result<std::vector<Attachment>> unsettled() override;
  Result<void> add_export(const Export& one) override;
  Result<std::vector<Export>> exports_of(const std::string& volume_id) override;
  Result<void> remove_export(const Export& one) override;
  Result<std::int64_t> open_extend(const Extend& extend) override;
  Result<void> change_extend(const Extend& extend) override;
  Result<void> close_extend(std::int64_t id) override;
  Result<std::optional<Extend>> extend_of(const std::string& volume_id) override;
  Result<std::vector<Extend>> open_extends() override;
  Result<std::map<std::string, Usage>> usage(const std::string& project_id) override;
  Result<std::map<std::string, Gib>> quota_limits(const std::string& project_id) override;
  Result<void> set_quota_limit(const std::string& project_id, const std::string& resource,
                               Gib limit) override;
  Result<void> remove_quota_limits(const std::string& project_id) override;
  Result<void> add_type(const VolumeType& type) override;
  Result<std::vector<VolumeType>> types() override;
  Result<std::optional<VolumeType>> type(const std::string& id) override;
  Result<std::optional<VolumeType>> type_named(const std::string& name) override;
  Result<void> change_type(const VolumeType& type) override;
  Result<void> remove_type(const std::string& id) override;
  Result<bool> type_in_use(const std::string& id) override;
  Result<void> add_message(const Message& message) override;
  Result<std::vector<Message>> messages(const MessagePage& page) override;
  Result<std::optional<Message>> message(const std::string& id) override;
  Result<void> remove_message(const std::string& id) override;
  Result<std::int64_t> add_delivery(const Delivery& delivery) override;
  Result<std::vector<Delivery>> deliveries() override;
  Result<void> change_delivery(const Delivery& delivery) override;
  Result<void> remove_delivery(std::int64_t id) override;
  Result<bool> add_report(const StoredReport& report) override;
  Result<std::optional<StoredReport>> last_report(const std::string& attachment_id) override;
  Result<std::uint64_t> count_reports(const std::string& volume_id) override;
  Result<void> expire(WallTime before) override;

 private:
  soci::session& sql() { return database_->sql(); }
  Tables& tables() {
    if (!tables_) tables_.emplace(sql());
    return *tables_;
  }
  template <class Work>
  auto perform(Work work) -> decltype(work()) {
    return database_->perform(std::move(work));
  }
  /// One change, which a group commits or which is whole by itself.
  template <class Work>
  Result<void> change(Work work) {
    return perform([&]() -> Result<void> {
      Database::Whole whole(*database_);
      work();
      whole.commit();
      return {};
    });
  }
  /// The same, giving the id of the row it made.
  template <class Work>
  Result<std::int64_t> add(const char* table, Work work) {
    return perform([&]() -> Result<std::int64_t> {
      Database::Whole whole(*database_);
      work();
      long long id = 0;
      sql().get_last_insert_id(table, id);
      whole.commit();
      return id;
    });
  }
  void count(const std::string& project_id, const std::string& type_id, long long volumes,
             long long gigabytes);
  void take_back(const VolumeRow& row);
  void add_used(const std::string& project_id, std::map<std::string, Usage>& usage);
  void add_reserved(const std::string& project_id, std::map<std::string, Usage>& usage);
  bool has_report(const StoredReport& report);
  Result<void> require_marker(std::string_view table, const Page& page);

  std::unique_ptr<Database> database_;
  std::optional<Tables> tables_;
};

}  // namespace volgrow::control
