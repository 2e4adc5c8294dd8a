// SPDX-License-Identifier: Apache-2.0
// Requests as novaclient makes them, and every answer Nova was seen to give.
#include "control/receivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/text.h"

namespace volgrow::control {
namespace {

constexpr std::string_view events_path = "/os-server-external-events";
constexpr std::string_view version = "2.51";  ///< the first that knows volume-extended

const Receiver* receiver_of(const Config& config, std::string_view host) {
  const auto found = std::ranges::find(config.receivers, host, &Receiver::host);
  return found == config.receivers.end() ? nullptr : &*found;
}

std::string url_at(std::string_view endpoint) {
  while (endpoint.ends_with('/'))
    endpoint.remove_suffix(1);
  return fmt::format("{}{}", endpoint, events_path);
}

/// Too early, too busy, or not this server's fault: the same request may pass later. Credentials
/// may be mended meanwhile; a request that is wrong stays wrong.
bool may_pass_later(int status) {
  constexpr std::array passing{401, 403, 408, 409, 425, 429};
  return status >= 500 || std::ranges::find(passing, status) != passing.end();
}

DeliveryAnswer nobody(const Delivery& delivery, const std::string& reason, bool again) {
  DeliveryAnswer answer{.events = {}, .again = again};
  for (const auto& event : delivery.events)
    answer.events.push_back({event.attachment_id, false, reason});
  return answer;
}

std::optional<std::int64_t> number_in(const Value* value) {
  if (!value) return std::nullopt;
  if (const auto* plain = std::get_if<std::uint64_t>(&value->data))
    return static_cast<std::int64_t>(*plain);
  const auto* negative = std::get_if<std::int64_t>(&value->data);
  return negative ? std::optional(*negative) : std::nullopt;
}

/// The code of the event for this instance; Nova repeats each event with its "code".
std::optional<std::int64_t> code_for(const Value::Array& events, const std::string& instance) {
  for (const auto& event : events) {
    const auto* uuid = event.find("server_uuid");
    if (uuid && uuid->text() && *uuid->text() == instance) return number_in(event.find("code"));
  }
  return std::nullopt;
}

std::string refusal(std::int64_t code) {
  if (code == 404) return "the receiver does not know the instance or its volume (404)";
  if (code == 422) return "the receiver knows no host of the instance (422)";
  return fmt::format("the receiver refused the event ({})", code);
}

DeliveryAnswer per_event(const Delivery& delivery, const Value::Array& events) {
  DeliveryAnswer answer;
  for (const auto& event : delivery.events) {
    const auto code = code_for(events, event.instance_uuid);
    if (!code)
      answer.events.push_back({event.attachment_id, false, "the answer leaves this event out"});
    else
      answer.events.push_back(
          {event.attachment_id, *code == 200, *code == 200 ? std::string() : refusal(*code)});
  }
  return answer;
}

/// Nova's faults carry their sentence in {"badRequest": {"message": …}}.
std::string told_by(const http::Response& response) {
  const auto body = parse_json(response.body);
  if (!body || !body->object() || body->object()->empty()) return {};
  const auto* message = body->object()->front().second.find("message");
  if (!message || !message->text()) return {};
  return fmt::format(": {}", cited(*message->text()));
}

}  // namespace

std::string receiver_for(const Config& config, const std::optional<std::string>& host) {
  if (host && receiver_of(config, *host)) return *host;
  return std::string(receiver_of(config, "*") ? "*" : nova);
}

std::optional<Address> address_of(const Config& config, std::string_view receiver) {
  if (receiver == nova) {
    if (config.nova_endpoint.empty()) return std::nullopt;
    return Address{config.nova_endpoint, config.nova_token_file, config.nova_ca, true};
  }
  const auto* known = receiver_of(config, receiver);
  if (!known) return std::nullopt;
  return Address{known->url, known->token_file, known->ca, false};
}

http::Outgoing request_for(const Delivery& delivery, const Address& address,
                           std::string_view token) {
  Value::Array events;
  for (const auto& event : delivery.events)
    events.push_back(Value::Object{{"name", "volume-extended"},
                                   {"server_uuid", event.instance_uuid},
                                   {"tag", delivery.volume_id}});
  http::Outgoing outgoing{.method = "POST", .url = url_at(address.url)};
  outgoing.fields.add("Content-Type", "application/json");
  outgoing.fields.add("Accept", "application/json");
  outgoing.fields.add("OpenStack-API-Version", fmt::format("compute {}", version));
  outgoing.fields.add("X-OpenStack-Nova-API-Version", std::string(version));
  outgoing.fields.add("X-OpenStack-Request-ID", delivery.request_id);
  if (!token.empty()) outgoing.fields.add("X-Auth-Token", std::string(token));
  outgoing.body = to_json(Value(Value::Object{{"events", std::move(events)}}));
  outgoing.tls.ca = address.ca;
  return outgoing;
}

bool DeliveryAnswer::all_taken() const {
  return std::ranges::all_of(events, &EventAnswer::taken);
}

DeliveryAnswer understand(const Delivery& delivery, const Result<http::Response>& response) {
  if (!response) return nobody(delivery, response.error().message, true);
  const int status = response->status;
  if (status != 200 && status != 207)
    return nobody(delivery, fmt::format("the receiver answered {}{}", status, told_by(*response)),
                  may_pass_later(status));
  const auto body = parse_json(response->body, {.size = Bytes(4_MiB), .depth = 16});
  const auto* events = body ? body->find("events") : nullptr;
  if (!events || !events->array())
    return nobody(delivery, fmt::format("the receiver answered {} with junk", status), true);
  return per_event(delivery, *events->array());
}

}  // namespace volgrow::control
