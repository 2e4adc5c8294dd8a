// SPDX-License-Identifier: Apache-2.0
// Who is told that a volume grew, in what words, and what an answer means: Nova's
// os-server-external-events, spoken by Nova itself and by volgrow-relay alike. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config.h"
#include "control/model.h"
#include "http/client.h"

namespace volgrow::control {

/// Stands for [nova] where a receiver is named; no host may be called so.
inline constexpr std::string_view nova = "nova";

/// Where events go, or may go.
struct Address {
  std::string url;
  std::string token_file;
  std::string ca;
  bool is_nova = false;  ///< no agent need be behind it, so no report need come
};

/// The receiver for a connector's host: its own, else "*", else Nova.
std::string receiver_for(const Config& config, const std::optional<std::string>& host);
/// nullopt: it was taken out of the configuration, or Nova was never in it.
std::optional<Address> address_of(const Config& config, std::string_view receiver);

http::Outgoing request_for(const Delivery& delivery, const Address& address,
                           std::string_view token);

/// What came of one event.
struct EventAnswer {
  std::string attachment_id;
  bool taken = false;
  std::string reason;  ///< "" when it was taken

  bool operator==(const EventAnswer&) const = default;
};
/// What came of one delivery.
struct DeliveryAnswer {
  std::vector<EventAnswer> events;  ///< one for each event, in their order
  bool again = false;               ///< another attempt may help; then no event was taken

  bool all_taken() const;
  bool operator==(const DeliveryAnswer&) const = default;
};

DeliveryAnswer understand(const Delivery& delivery, const Result<http::Response>& response);

}  // namespace volgrow::control
