// SPDX-License-Identifier: Apache-2.0
// What the relay asks of control and tells it, as values: a volume's size, and reports.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "dbus/service.h"
#include "http/client.h"
#include "relay/config.h"
#include "relay/secrets.h"

namespace volgrow::relay {

struct RefusedReport {
  std::uint64_t sequence = 0;
  std::string reason;

  bool operator==(const RefusedReport&) const = default;
};

/// What control says of the reports of one request. What it does not mention may be sent again.
struct DeliveredReports {
  std::vector<std::uint64_t> accepted;  ///< sequences: stored, now or before
  std::vector<RefusedReport> refused;   ///< for good

  bool operator==(const DeliveredReports&) const = default;
};

class ControlPlane {
 public:
  /// A request under way; destroying it ends it, and its Then is not called any more.
  using Pending = http::Client::Pending;
  template <class T>
  using Then = std::move_only_function<void(Result<T>)>;

  /// All must outlive it; the secrets may change meanwhile.
  ControlPlane(http::Client& client, const Config& config, const Secrets& secrets)
      : client_(client), config_(config), secrets_(secrets) {}

  /// `volume_id` is one (core/request.h). `request_id` names what it is done for; may be empty.
  /// Errors: Unreachable, TimedOut, or Internal: control's answer says no size.
  [[nodiscard]] Pending volume_size(const std::string& volume_id, const std::string& request_id,
                                    Deadline deadline, Then<Bytes> then);
  /// The reports go out as they are. Errors: as above; then none of them is known to be stored.
  /// InvalidArgs: control itself says that one of them at least is no report.
  [[nodiscard]] Pending deliver(const std::vector<bus::OutboxEntry>& reports, Deadline deadline,
                                Then<DeliveredReports> then);

 private:
  http::Outgoing request(std::string method, std::string path, http::Fields fields) const;

  http::Client& client_;
  const Config& config_;
  const Secrets& secrets_;
};

}  // namespace volgrow::relay
