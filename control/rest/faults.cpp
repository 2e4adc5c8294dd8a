// SPDX-License-Identifier: Apache-2.0
// cinder/api/openstack/wsgi.py (Fault) and webob/exc.py (generate_response).
#include "control/rest/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "control/rest/words.h"
#include "core/json.h"
#include "core/uuid.h"

namespace volgrow::control::rest {
namespace {

struct Status {
  int code;
  std::string_view fault;  ///< "" for those that have none of their own
  std::string_view title;
};

constexpr std::array<Status, 10> statuses{{
    {400, "badRequest", "Bad Request"},
    {401, "unauthorized", "Unauthorized"},
    {403, "forbidden", "Forbidden"},
    {404, "itemNotFound", "Not Found"},
    {405, "badMethod", "Method Not Allowed"},
    {409, "conflictingRequest", "Conflict"},
    {413, "overLimit", "Request Entity Too Large"},
    {415, "badMediaType", "Unsupported Media Type"},
    {501, "notImplemented", "Not Implemented"},
    {503, "serviceUnavailable", "Service Unavailable"},
}};

const Status* status_of(int code) {
  const auto* found = std::ranges::find(statuses, code, &Status::code);
  return found == statuses.end() ? nullptr : found;
}

http::Response json_answer(int status, const Value& body) {
  return {
      .status = status, .fields = {{"Content-Type", "application/json"}}, .body = to_json(body)};
}

// ---- what a client accepts ----

double quality_in(std::string_view parameters) {
  for (const auto parameter : words::split(parameters, ';')) {
    const auto text = words::stripped(parameter);
    if (!text.starts_with("q=")) continue;
    double quality = 0;
    std::from_chars(text.data() + 2, text.data() + text.size(), quality);
    return quality;
  }
  return 1;
}

/// How much `accept` wants `type` ("text/html"): of the ranges that it is in, the narrowest counts.
double quality_of(std::string_view type, std::string_view accept) {
  const auto family = fmt::format("{}/*", type.substr(0, type.find('/')));
  const std::array<std::string_view, 3> ranges{"*/*", family, type};
  std::array<std::optional<double>, 3> said;
  for (const auto entry : words::split(accept, ',')) {
    const auto end = std::min(entry.find(';'), entry.size());
    const auto* range = std::ranges::find(ranges, words::stripped(entry.substr(0, end)));
    if (range != ranges.end())
      said.at(static_cast<std::size_t>(range - ranges.begin())) = quality_in(entry.substr(end));
  }
  return said[2].value_or(said[1].value_or(said[0].value_or(0)));
}

/// A field that cannot be read is no wish.
bool is_readable(std::string_view accept) {
  return std::ranges::all_of(words::split(accept, ','), [](std::string_view entry) {
    const auto range = words::stripped(entry.substr(0, entry.find(';')));
    const auto slash = std::min(range.find('/'), range.size());
    return range.empty() || (http::is_token(range.substr(0, slash)) && slash < range.size() &&
                             http::is_token(range.substr(slash + 1)));
  });
}

enum class Form : std::uint8_t { page, json, text };

Form form_for(const std::string* accept) {
  if (accept == nullptr) return Form::text;
  if (!is_readable(*accept)) return Form::page;
  const double page = quality_of("text/html", *accept);
  const double json = quality_of("application/json", *accept);
  if (page == 0 && json == 0) return Form::text;
  return page >= json ? Form::page : Form::json;
}

}  // namespace

http::Response answer_of(const Fault& fault) {
  const auto* status = status_of(fault.status);
  Value::Object details{{"code", fault.status}, {"message", fault.message}};
  if (fault.status == 413 && fault.retry_after)
    details.emplace_back("retryAfter", std::to_string(*fault.retry_after));
  const std::string name(status != nullptr ? status->fault : "computeFault");
  auto response = json_answer(fault.status, Value::Object{{name, std::move(details)}});
  if (fault.retry_after) response.fields.add("Retry-After", std::to_string(*fault.retry_after));
  return response;
}

http::Response webob_answer(int status, std::string_view explanation, const std::string* accept) {
  const std::string_view title = status_of(status)->title;
  const auto line = fmt::format("{} {}", status, title);
  const auto body = fmt::format("{}<br /><br />\n\n\n", explanation);
  switch (form_for(accept)) {
    case Form::json:
      return json_answer(status,
                         Value::Object{{"message", body}, {"code", line}, {"title", title}});
    case Form::page:
      return {status,
              {{"Content-Type", "text/html; charset=UTF-8"}},
              fmt::format("<html>\n <head>\n  <title>{0}</title>\n </head>\n <body>\n  <h1>{0}"
                          "</h1>\n  {1}\n </body>\n</html>",
                          line, body)};
    case Form::text:
      break;
  }
  return {status,
          {{"Content-Type", "text/plain; charset=UTF-8"}},
          fmt::format("{}\n\n{}\n\n   ", line, explanation)};
}

http::Response nothing_there(const http::Request& request) {
  if (request.method == "HEAD")
    return {.status = 404, .fields = {{"Content-Type", "text/html; charset=UTF-8"}}};
  return webob_answer(404, words::no_resource, request.fields.find("Accept"));
}

std::string_view media_type_for(const std::string* accept) {
  constexpr std::string_view usual = "application/json";
  constexpr std::string_view own = "application/vnd.openstack.volume+json";
  if (accept == nullptr || !is_readable(*accept)) return usual;
  return quality_of(own, *accept) > quality_of(usual, *accept) ? own : usual;
}

void add_version(http::Response& response, const std::string& version) {
  response.fields.add(version_field, "volume " + version);
  response.fields.add("Vary", version_field);
}

http::Response refusal(const http::Refusal& refused) {
  // Before anything is known of the client: as those that ask for JSON are told it.
  static const std::string json = "application/json";
  auto response =
      refused.status == 413
          ? webob_answer(413, "Request is too large. Larger than max_request_body_size (114688).",
                         &json)
          : answer_of({refused.status, std::string(refused.reason), std::nullopt});
  response.fields.add("X-Openstack-Request-Id", "req-" + new_uuid());
  return response;
}

}  // namespace volgrow::control::rest
