// SPDX-License-Identifier: Apache-2.0
// Cinder's notifications of a resize, for billing and whoever else listens: to the log, or to a
// webhook. They are told once and not kept; the API is where the truth is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/extend_rules.h"
#include "control/model.h"
#include "core/clock.h"
#include "core/value.h"
#include "http/client.h"
#include "service/log.h"

namespace volgrow::control {

/// One notification: oslo's envelope around the volume's usage.
struct Notice {
  std::string_view event_type;  ///< "volume.resize.start", "volume.resize.end", …
  std::string_view priority;    ///< "INFO", "ERROR"
  std::string publisher;        ///< "volume.<host>@<back end>"
  Value payload;
};

/// The payload of Cinder's volume usage notifications, key by key.
Value usage_of(const Volume& volume, const std::vector<Attachment>& attachments,
               const std::string& host);

Notice resize_started(const Volume& volume, const std::vector<Attachment>& attachments,
                      const std::string& host);
/// nullopt for Notification::none.
std::optional<Notice> resize_ended(Notification which, const Volume& volume,
                                   const std::vector<Attachment>& attachments,
                                   const std::string& host);

class Notifications {
 public:
  virtual ~Notifications() = default;
  virtual void send(const Notice& notice) = 0;
};

std::unique_ptr<Notifications> notifications_to_log(Log& log, const Clock& clock);
/// One POST each, without a second try; what fails is logged.
std::unique_ptr<Notifications> notifications_to(std::string url, http::Client& client, Log& log,
                                                const Clock& clock);

}  // namespace volgrow::control
