// SPDX-License-Identifier: Apache-2.0
// Cinder's "show volume" and control's own "reports", over the HTTP client.
#include "relay/control_plane.h"

#include <fmt/format.h>

#include <optional>

#include "core/json.h"
#include "core/text.h"

namespace volgrow::relay {
namespace {

/// Cinder's own limit, in GiB; it keeps the bytes far from overflowing.
constexpr std::uint64_t largest_volume = (std::uint64_t{1} << 31) - 1;

std::unexpected<Error> no_use(std::string_view what) {
  return failure(ErrorCode::internal, fmt::format("control's answer {}", what));
}

/// OpenStack's faults carry their sentence in {"itemNotFound": {"message": …}}.
std::string told_by(const http::Response& response) {
  const auto body = parse_json(response.body);
  if (!body || !body->object() || body->object()->empty()) return {};
  const auto* message = body->object()->front().second.find("message");
  if (!message || !message->text()) return {};
  return fmt::format(": {}", cited(*message->text()));
}

/// The body of a 200, as JSON.
Result<Value> body_of(const Result<http::Response>& response) {
  if (!response) return std::unexpected(response.error());
  if (response->status != 200)
    return no_use(fmt::format("is {}{}", response->status, told_by(*response)));
  auto body = parse_json(response->body, {.size = 4_MiB});
  if (!body) return no_use("is no JSON");
  return body;
}

std::optional<std::uint64_t> count_in(const Value* value) {
  const auto* count = value ? std::get_if<std::uint64_t>(&value->data) : nullptr;
  return count ? std::optional(*count) : std::nullopt;
}

Result<Bytes> size_in(const Result<http::Response>& response) {
  const auto body = body_of(response);
  if (!body) return std::unexpected(body.error());
  const auto* volume = body->find("volume");
  const auto size = count_in(volume ? volume->find("size") : nullptr);
  if (!size || *size == 0 || *size > largest_volume) return no_use("has no size of a volume in it");
  return Bytes(*size << 30);
}

const Value::Array& list_in(const Value& body, std::string_view key) {
  static const Value::Array none;
  const auto* list = body.find(key);
  return list && list->array() ? *list->array() : none;
}

/// Control's own {"error": "…"} to a 400. What stands in front of it, and may be asked wrongly by
/// mistake, uses other words.
std::optional<Error> fault_of_reports(const Result<http::Response>& response) {
  if (!response || response->status != 400) return std::nullopt;
  const auto body = parse_json(response->body);
  const auto* error = body ? body->find("error") : nullptr;
  if (!error || !error->text()) return std::nullopt;
  return Error{ErrorCode::invalid_args, *error->text(), {}, 0};
}

Result<DeliveredReports> delivered_in(const Result<http::Response>& response) {
  if (auto fault = fault_of_reports(response)) return std::unexpected(std::move(*fault));
  const auto body = body_of(response);
  if (!body) return std::unexpected(body.error());
  DeliveredReports delivered;
  for (const auto& sequence : list_in(*body, "accepted"))
    if (const auto count = count_in(&sequence)) delivered.accepted.push_back(*count);
  for (const auto& refused : list_in(*body, "refused")) {
    const auto* reason = refused.find("reason");
    if (const auto count = count_in(refused.find("sequence")))
      delivered.refused.push_back({*count, reason && reason->text() ? *reason->text() : ""});
  }
  return delivered;
}

/// The reports are JSON already; parsing and writing them again could only change them.
std::string body_with(const std::vector<bus::OutboxEntry>& reports) {
  std::string body = R"({"reports":[)";
  for (const auto& [sequence, json] : reports)
    body.append(body.ends_with('[') ? "" : ",").append(json);
  return body.append("]}");
}

}  // namespace

http::Outgoing ControlPlane::request(std::string method, std::string path,
                                     http::Fields fields) const {
  fields.add("Accept", "application/json");
  return {.method = std::move(method),
          .url = config_.url + path,
          .fields = std::move(fields),
          .body = {},
          .tls = {config_.ca, config_.control_certificate, config_.control_key}};
}

ControlPlane::Pending ControlPlane::volume_size(const std::string& volume_id,
                                                const std::string& request_id, Deadline deadline,
                                                Then<Bytes> then) {
  const auto project = config_.project.empty() ? "" : "/" + config_.project;
  auto out = request("GET", fmt::format("/v3{}/volumes/{}", project, volume_id), secrets_.control);
  if (!request_id.empty()) out.fields.add("X-OpenStack-Request-ID", request_id);
  return client_.send(std::move(out), deadline,
                      [then = std::move(then)](auto response) mutable { then(size_in(response)); });
}

ControlPlane::Pending ControlPlane::deliver(const std::vector<bus::OutboxEntry>& reports,
                                            Deadline deadline, Then<DeliveredReports> then) {
  auto out = request("POST", "/volgrow/v1/reports", secrets_.reports);
  out.fields.add("Content-Type", "application/json");
  out.body = body_with(reports);
  return client_.send(std::move(out), deadline, [then = std::move(then)](auto response) mutable {
    then(delivered_in(response));
  });
}

}  // namespace volgrow::relay
