// SPDX-License-Identifier: Apache-2.0
// All that the control plane must not forget, in one database. Every method is one transaction
// unless a group is open, then all until its commit are one. Nothing here decides.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/model.h"
#include "core/error.h"
#include "service/commits.h"

namespace volgrow::control {

struct Sort {
  /// A column as clients name it: id, name, description, size, status, created_at, updated_at,
  /// availability_zone, bootable, volume_type_id, user_id, project_id.
  std::string key = "created_at";
  bool ascending = false;
};

/// Which volumes, or attachments, and in what order; everything unset is unlimited.
struct Page {
  std::optional<std::string> project_id;
  std::optional<std::string> marker;  ///< the id before the first one wanted
  std::optional<std::uint64_t> limit;
  std::uint64_t offset = 0;
  std::vector<Sort> sort{{"created_at", false}, {"id", false}};
};

/// A bound on when something was made, or changed.
struct Moment {
  enum class Compared : std::uint8_t { after, not_before, same, other, before, not_after };
  bool created = true;  ///< created_at; otherwise updated_at
  Compared compared = Compared::after;
  WallTime time{};
};

struct VolumePage : Page {
  std::optional<std::string> id;
  std::optional<std::string> of_project;  ///< beside project_id: both must hold
  std::optional<std::string> user_id;
  std::optional<std::string> type_id;
  std::optional<std::string> backend;
  std::optional<std::string> name;
  std::optional<std::string> name_part;  ///< anywhere in the name, in any case
  std::optional<std::string> status;
  std::optional<std::string> attach_status;
  std::optional<std::string> migration_status;
  std::optional<std::string> availability_zone;
  std::optional<bool> bootable;
  std::optional<bool> multiattach;
  std::optional<Gib> size;
  std::map<std::string, std::string> metadata;  ///< every one of these
  std::vector<Moment> moments;                  ///< every one of these
};

struct MessagePage : Page {
  std::optional<std::string> resource_uuid;
  std::optional<std::string> request_id;
  std::optional<std::string> action_id;
  std::optional<std::string> detail_id;
};

struct AttachmentPage : Page {
  std::optional<std::string> volume_id;
  std::optional<std::string> instance_uuid;
  std::optional<std::string> attach_status;
};

/// What is stored of a report: its key, and the text as it came.
struct StoredReport {
  std::string host;
  std::string journal;
  std::uint64_t sequence = 0;
  std::string volume_id;
  std::string attachment_id;
  std::string result;  ///< JSON of the job's result
  WallTime received_at{};
};

class Store : public Grouping {
 public:
  /// Opens or creates `path` (0600). Errors: Busy; Internal that says what is wrong with the
  /// database and what to do.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path);
  /// For looking only, beside the program that owns it: nothing is locked, made or brought up.
  /// Errors: Internal, also where there is no database.
  static Result<std::unique_ptr<Store>> look(const std::filesystem::path& path);

  // ---- volumes; usage is counted with them ----
  virtual Result<void> add_volume(const Volume& volume) = 0;
  virtual Result<std::optional<Volume>> volume(const std::string& id) = 0;
  /// Errors: NoSuchVolume for a marker that is none; InvalidArgs for a sort key that is none.
  virtual Result<std::vector<Volume>> volumes(const VolumePage& page) = 0;
  virtual Result<std::uint64_t> count_volumes(const VolumePage& page) = 0;
  /// Everything but id and project.
  virtual Result<void> change_volume(const Volume& volume) = 0;
  virtual Result<void> remove_volume(const std::string& id) = 0;
  /// In states that a restart must not leave as they are: creating, deleting.
  virtual Result<std::vector<Volume>> unfinished_volumes() = 0;

  // ---- attachments ----
  virtual Result<void> add_attachment(const Attachment& attachment) = 0;
  virtual Result<std::optional<Attachment>> attachment(const std::string& id) = 0;
  /// Of one volume, oldest first.
  virtual Result<std::vector<Attachment>> attachments_of(const std::string& volume_id) = 0;
  /// Errors as volumes().
  virtual Result<std::vector<Attachment>> attachments(const AttachmentPage& page) = 0;
  virtual Result<void> change_attachment(const Attachment& attachment) = 0;
  virtual Result<void> remove_attachment(const std::string& id) = 0;
  /// Whose host's report is due at `now` or before.
  virtual Result<std::vector<Attachment>> overdue(WallTime now) = 0;
  virtual Result<std::optional<WallTime>> next_report_due() = 0;
  /// Told of a growth and not confirmed, oldest first.
  virtual Result<std::vector<Attachment>> unsettled() = 0;

  // ---- exports ----
  /// One that is there already is as good.
  virtual Result<void> add_export(const Export& one) = 0;
  virtual Result<std::vector<Export>> exports_of(const std::string& volume_id) = 0;
  virtual Result<void> remove_export(const Export& one) = 0;

  // ---- extends: an open one is a reservation ----
  virtual Result<std::int64_t> open_extend(const Extend& extend) = 0;
  virtual Result<void> change_extend(const Extend& extend) = 0;
  virtual Result<void> close_extend(std::int64_t id) = 0;
  virtual Result<std::optional<Extend>> extend_of(const std::string& volume_id) = 0;
  virtual Result<std::vector<Extend>> open_extends() = 0;

  // ---- quota ----
  /// By resource: "volumes", "gigabytes", and both with "_<type name>" for every type.
  virtual Result<std::map<std::string, Usage>> usage(const std::string& project_id) = 0;
  /// Limits that were set for this project; others are the configuration's.
  virtual Result<std::map<std::string, Gib>> quota_limits(const std::string& project_id) = 0;
  virtual Result<void> set_quota_limit(const std::string& project_id, const std::string& resource,
                                       Gib limit) = 0;
  virtual Result<void> remove_quota_limits(const std::string& project_id) = 0;

  // ---- types ----
  virtual Result<void> add_type(const VolumeType& type) = 0;
  virtual Result<std::vector<VolumeType>> types() = 0;  ///< newest first
  virtual Result<std::optional<VolumeType>> type(const std::string& id) = 0;
  virtual Result<std::optional<VolumeType>> type_named(const std::string& name) = 0;
  virtual Result<void> change_type(const VolumeType& type) = 0;  ///< with its extra specs
  virtual Result<void> remove_type(const std::string& id) = 0;
  virtual Result<bool> type_in_use(const std::string& id) = 0;

  // ---- messages ----
  virtual Result<void> add_message(const Message& message) = 0;
  virtual Result<std::vector<Message>> messages(const MessagePage& page) = 0;
  virtual Result<std::optional<Message>> message(const std::string& id) = 0;
  virtual Result<void> remove_message(const std::string& id) = 0;

  // ---- deliveries ----
  virtual Result<std::int64_t> add_delivery(const Delivery& delivery) = 0;
  virtual Result<std::vector<Delivery>> deliveries() = 0;  ///< soonest due first
  virtual Result<void> change_delivery(const Delivery& delivery) = 0;
  virtual Result<void> remove_delivery(std::int64_t id) = 0;

  // ---- reports ----
  /// False when this key is stored already: whatever came now is not looked at again.
  virtual Result<bool> add_report(const StoredReport& report) = 0;
  virtual Result<std::optional<StoredReport>> last_report(const std::string& attachment_id) = 0;
  virtual Result<std::uint64_t> count_reports(const std::string& volume_id) = 0;

  /// Messages and reports of before `before` are forgotten.
  virtual Result<void> expire(WallTime before) = 0;
};

}  // namespace volgrow::control
