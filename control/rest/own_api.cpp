// SPDX-License-Identifier: Apache-2.0
// Reports in, the whole picture out.
#include "control/rest/own_api.h"

#include <fmt/format.h>

#include "core/json.h"
#include "core/units.h"

namespace volgrow::control::rest {
namespace {

constexpr std::string_view prefix = "/volgrow/";
constexpr std::size_t most_reports = 256;
constexpr JsonLimits report_limits{.size = Bytes(std::uint64_t{1} << 20), .depth = 16};
/// Long enough for a back end that is well; one that is not is told of instead of waited for.
constexpr Duration back_end_patience = std::chrono::seconds(2);

http::Response json(int status, const Value& body) {
  http::Response response{.status = status};
  response.fields.add("Content-Type", "application/json");
  response.body = to_json(body);
  return response;
}

http::Response refusal(int status, std::string_view sentence) {
  return json(status, Value::Object{{"error", sentence}});
}

Value time_or_null(const std::optional<WallTime>& time) {
  return time ? Value(utc_timestamp(*time)) : Value();
}
Value text_or_null(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

/// The reports of a body: {"reports": [ … ]}, or one alone.
const Value::Array* several(const Value& body) {
  const auto* reports = body.find("reports");
  return reports ? reports->array() : nullptr;
}

Value value_of(const Extend& extend) {
  return Value::Object{{"old_size", extend.old_size},
                       {"new_size", extend.new_size},
                       {"request_id", extend.request_id},
                       {"waits_for_completion", extend.deferred},
                       {"started_at", utc_timestamp(extend.started_at)}};
}

/// With the layers as the host measured them, path by path.
Value value_of(const Attachment& attachment, const std::optional<StoredReport>& report) {
  auto result = report ? parse_json(report->result, report_limits) : Result<Value>(Value());
  const auto& host = attachment.host;
  return Value::Object{
      {"attachment_id", attachment.id},
      {"instance_uuid", text_or_null(attachment.instance_uuid)},
      {"host", text_or_null(attachment.host_name())},
      {"state", name_of(host.state)},
      {"bytes", host.bytes ? Value(host.bytes->count()) : Value()},
      {"reason", host.reason.empty() ? Value() : Value(host.reason)},
      {"renotified", host.renotified},
      {"since", time_or_null(host.since)},
      {"report", result ? std::move(*result) : Value()},
      {"reported_at", report ? Value(utc_timestamp(report->received_at)) : Value()}};
}

}  // namespace

bool OwnApi::serves(std::string_view path) {
  return path.starts_with(prefix);
}

void OwnApi::answer(http::Request request, http::Answer answer) {
  const auto segments = http::path_segments(request.path);
  if (segments == std::vector<std::string>{"volgrow", "v1", "reports"}) {
    if (request.method != "POST") return answer(refusal(405, "only POST"));
    return take_reports(request, std::move(answer));
  }
  const bool extension = segments.size() == 5 && segments[1] == "v1" && segments[2] == "volumes" &&
                         segments[4] == "extension";
  if (!extension) return answer(refusal(404, "there is no such resource"));
  if (request.method != "GET" && request.method != "HEAD") return answer(refusal(405, "only GET"));
  needs_.authentication.identify({.request = request, .url = request.path, .project = std::nullopt},
                                 [this, id = segments[3], answer = std::move(answer)](
                                     Authentication::Verdict verdict) mutable {
                                   if (!verdict) return answer(std::move(verdict.error()));
                                   show_extension(id, *verdict, std::move(answer));
                                 });
}

// ---- reports ----

void OwnApi::take_reports(const http::Request& request, http::Answer answer) {
  const auto host = needs_.tokens.host_of(request);
  if (!host) return answer(refusal(401, "no host is known by this credential"));
  const auto body = parse_json(request.body, report_limits);
  if (!body) return answer(refusal(400, body.error().message));
  auto response = store_reports(*host, *body);
  needs_.commits.after([response = std::move(response),
                        answer = std::move(answer)](const Result<void>& durable) mutable {
    if (!durable) return answer(refusal(503, "the database cannot be written"));
    answer(std::move(response));
  });
}

http::Response OwnApi::store_reports(const std::string& host, const Value& body) {
  const auto* reports = several(body);
  if (!reports) return refusal(400, "the body is {\"reports\": [ … ]}");
  if (reports->size() > most_reports)
    return refusal(413, fmt::format("{} reports at most", most_reports));
  Value::Array accepted, refused;
  for (const auto& value : *reports) {
    const auto report = report_from(value);
    if (!report) return refusal(400, report.error().message);
    const auto verdict = needs_.reports.take(host, *report);
    if (!verdict) return refusal(503, "the database cannot be used");
    if (verdict->refused.empty())
      accepted.emplace_back(verdict->sequence);
    else
      refused.emplace_back(
          Value::Object{{"sequence", verdict->sequence}, {"reason", verdict->refused}});
  }
  return json(200,
              Value::Object{{"accepted", std::move(accepted)}, {"refused", std::move(refused)}});
}

// ---- the whole picture ----

Value extension_of(const Volume& volume, const std::optional<Extend>& extend,
                   const std::vector<std::pair<Attachment, std::optional<StoredReport>>>& hosts,
                   const Result<backend::Measured>& measured) {
  Value::Array attachments;
  for (const auto& [attachment, report] : hosts)
    attachments.push_back(value_of(attachment, report));
  return Value::Object{
      {"schema", "volgrow.extension/1"},
      {"volume_id", volume.id},
      {"status", name_of(volume.status)},
      {"size", volume.size},
      {"volume_bytes", bytes_of(volume.size).count()},
      {"extend", extend ? value_of(*extend) : Value()},
      {"back_end", Value::Object{{"name", volume.backend},
                                 {"bytes", measured ? Value(measured->size.count()) : Value()},
                                 {"error", measured ? Value() : Value(measured.error().message)}}},
      {"attachments", std::move(attachments)}};
}

void OwnApi::show_extension(const std::string& volume_id, const Caller& caller,
                            http::Answer answer) {
  auto& store = needs_.records.store();
  auto volume = needs_.records.checked(store.volume(volume_id));
  auto extend = needs_.records.checked(store.extend_of(volume_id));
  auto attachments = needs_.records.checked(store.attachments_of(volume_id));
  if (!volume || !extend || !attachments)
    return answer(refusal(500, "the database cannot be used"));
  if (!*volume || ((*volume)->project_id != caller.project_id && !caller.is_admin))
    return answer(refusal(404, fmt::format("Volume {} could not be found.", volume_id)));
  std::vector<std::pair<Attachment, std::optional<StoredReport>>> hosts;
  for (auto& attachment : *attachments) {
    auto report = needs_.records.checked(store.last_report(attachment.id));
    hosts.emplace_back(std::move(attachment), report ? std::move(*report) : std::nullopt);
  }
  // Before the volume is moved into what waits for the answer.
  backend::GetSize question{{(*volume)->backend, volume_id}};
  needs_.backends.call(
      std::move(question), within(back_end_patience, needs_.clock.now()),
      [volume = std::move(**volume), extend = std::move(*extend), hosts = std::move(hosts),
       answer = std::move(answer)](const Result<backend::Measured>& measured) mutable {
        answer(json(200, extension_of(volume, extend, hosts, measured)));
      });
}

}  // namespace volgrow::control::rest
