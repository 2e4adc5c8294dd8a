// SPDX-License-Identifier: Apache-2.0
// Payloads with the keys of cinder/volume/volume_utils.py (_usage_from_volume), and their two ways
// out.
#include "control/notifications.h"

#include <fmt/format.h>

#include <map>

#include "control/cinder_words.h"
#include "core/json.h"
#include "core/uuid.h"

namespace volgrow::control {
namespace {

constexpr Duration webhook_time = std::chrono::seconds(10);

Value or_null(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

std::string publisher_of(const Volume& volume, const std::string& host) {
  return fmt::format("volume.{}", cinder_host(host, volume.backend));
}

/// The envelope of oslo.messaging's notifications.
Value enveloped(const Notice& notice, WallTime now) {
  return Value::Object{{"message_id", new_uuid()},        {"publisher_id", notice.publisher},
                       {"event_type", notice.event_type}, {"priority", notice.priority},
                       {"payload", notice.payload},       {"timestamp", cinder_time(now)}};
}

class ToLog final : public Notifications {
 public:
  ToLog(Log& log, const Clock& clock) : log_(log), clock_(clock) {}
  void send(const Notice& notice) override {
    log_.info(fmt::format("notification {}", to_json(enveloped(notice, clock_.wall()))));
  }

 private:
  Log& log_;
  const Clock& clock_;
};

class ToWebhook final : public Notifications {
 public:
  ToWebhook(std::string url, http::Client& client, Log& log, const Clock& clock)
      : url_(std::move(url)), client_(client), log_(log), clock_(clock) {}

  void send(const Notice& notice) override {
    http::Outgoing outgoing{.method = "POST", .url = url_};
    outgoing.fields.add("Content-Type", "application/json");
    outgoing.body = to_json(enveloped(notice, clock_.wall()));
    const auto id = next_++;
    sending_[id] =
        client_.send(std::move(outgoing), within(webhook_time, clock_.now()),
                     [this, id, what = std::string(notice.event_type)](
                         const Result<http::Response>& response) { ended(id, what, response); });
  }

 private:
  void ended(std::uint64_t id, const std::string& what, const Result<http::Response>& response) {
    const auto kept = sending_.extract(id);  // until this returns
    if (!response)
      log_.warning(
          fmt::format("notification {} was not delivered: {}", what, response.error().message));
    else if (response->status >= 300)
      log_.warning(fmt::format("notification {} was not delivered: {} answered {}", what,
                               http::without_secrets(url_), response->status));
  }

  std::string url_;
  http::Client& client_;
  Log& log_;
  const Clock& clock_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, http::Client::Pending> sending_;
};

}  // namespace

Value usage_of(const Volume& volume, const std::vector<Attachment>& attachments,
               const std::string& host) {
  Value::Array attached;
  for (const auto& attachment : attachments)
    attached.push_back(Value::Object{{"id", attachment.id},
                                     {"volume_id", attachment.volume_id},
                                     {"instance_uuid", or_null(attachment.instance_uuid)},
                                     {"attached_host", or_null(attachment.attached_host)},
                                     {"mountpoint", or_null(attachment.mountpoint)},
                                     {"attach_status", name_of(attachment.attach_status)},
                                     {"attach_mode", or_null(attachment.attach_mode)}});
  Value::Array metadata;
  for (const auto& [key, value] : volume.metadata)
    metadata.push_back(Value::Object{{"key", key}, {"value", value}});
  return Value::Object{{"tenant_id", volume.project_id},
                       {"host", cinder_host(host, volume.backend)},
                       {"user_id", volume.user_id},
                       {"availability_zone", volume.availability_zone},
                       {"volume_id", volume.id},
                       {"volume_type", volume.type_id},
                       {"display_name", or_null(volume.name)},
                       {"launched_at", cinder_time(volume.created_at)},
                       {"created_at", cinder_time(volume.created_at)},
                       {"status", name_of(volume.status)},
                       {"snapshot_id", Value()},
                       {"size", volume.size},
                       {"replication_status", Value()},
                       {"replication_extended_status", Value()},
                       {"replication_driver_data", Value()},
                       {"metadata", std::move(metadata)},
                       {"volume_attachment", std::move(attached)}};
}

Notice resize_started(const Volume& volume, const std::vector<Attachment>& attachments,
                      const std::string& host) {
  return {"volume.resize.start", "INFO", publisher_of(volume, host),
          usage_of(volume, attachments, host)};
}

std::optional<Notice> resize_ended(Notification which, const Volume& volume,
                                   const std::vector<Attachment>& attachments,
                                   const std::string& host) {
  auto usage = usage_of(volume, attachments, host);
  switch (which) {
    case Notification::none:
      return std::nullopt;
    case Notification::end:
      return Notice{"volume.resize.end", "INFO", publisher_of(volume, host), std::move(usage)};
    case Notification::error:
      return Notice{"volume.resize.error", "ERROR", publisher_of(volume, host), std::move(usage)};
    case Notification::scheduler_error:
      return Notice{"scheduler.extend_volume", "ERROR", fmt::format("scheduler.{}", host),
                    std::move(usage)};
  }
  return std::nullopt;
}

std::unique_ptr<Notifications> notifications_to_log(Log& log, const Clock& clock) {
  return std::make_unique<ToLog>(log, clock);
}

std::unique_ptr<Notifications> notifications_to(std::string url, http::Client& client, Log& log,
                                                const Clock& clock) {
  return std::make_unique<ToWebhook>(std::move(url), client, log, clock);
}

}  // namespace volgrow::control
