// SPDX-License-Identifier: Apache-2.0
// Whole requests to control, several to one cloud: always an answer, never a 500, JSON that is
// JSON, and books that balance. The byte 0x1e parts requests; one is a line "METHOD target", lines
// of fields, an empty line, and a body. A target without a slash at its front is beneath
// /v3/<project>, and has the fields that it needs unless they are given. "{name}" stands for an id.
#include "tests/fuzz/rest_cloud.h"

namespace {

using volgrow::control::some_project;
using volgrow::control::rest::RestCloud;
using volgrow::fuzz::holds;
namespace http = volgrow::http;

std::string with_ids(std::string_view text, const RestCloud::Names& names) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.front() == '{' ? text.find('}') : std::string_view::npos;
    const auto name = end == std::string_view::npos
                          ? names.end()
                          : names.find(std::string(text.substr(1, end - 1)));
    out.append(name == names.end() ? text.substr(0, 1) : std::string_view(name->second));
    text.remove_prefix(name == names.end() ? 1 : end + 1);
  }
  return out;
}

std::string_view next_part(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

void add_missing_fields(http::Request& request) {
  const std::pair<const char*, std::string> usual[]{{"X-Auth-Token", "alice:" + some_project},
                                                    {"OpenStack-API-Version", "volume 3.71"},
                                                    {"Content-Type", "application/json"}};
  for (const auto& [name, value] : usual)
    if (request.fields.find(name) == nullptr) request.fields.add(name, value);
}

void add_field(http::Request& request, std::string_view line) {
  const auto name = next_part(line, ':');
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (name == "Client-Certificate")
    request.certificate = {.subject = "", .common_name = std::string(line)};
  else
    request.fields.add(std::string(name), std::string(line));
}

http::Request request_in(std::string_view text, const RestCloud::Names& names) {
  auto line = next_part(text, '\n');
  http::Request request{.method = std::string(next_part(line, ' '))};
  auto target = with_ids(line, names);
  const bool short_target = !target.starts_with('/');
  if (short_target) target = "/v3/" + some_project + "/" + target;
  const auto [path, query] = http::split_target(target);
  request.path = path;
  request.query = http::query_parameters(query);
  for (line = next_part(text, '\n'); !line.empty(); line = next_part(text, '\n'))
    add_field(request, line);
  if (short_target) add_missing_fields(request);
  request.body = with_ids(text, names);
  return request;
}

/// What the HTTP server lets through.
bool may_come(const http::Request& request) {
  return http::is_token(request.method) && request.path.starts_with('/') &&
         http::is_field_value(request.path) &&
         std::ranges::all_of(request.fields, [](const http::Field& field) {
           return http::is_token(field.name) && http::is_field_value(field.value);
         });
}

/// Cinder's own, which is kept: it meets an AttributeError.
bool is_null_detach(const http::Request& request) {
  const auto body = volgrow::parse_json(request.body, {.depth = 64});
  const auto* detach = body ? body->find("os-detach") : nullptr;
  return detach != nullptr && detach->is_null();
}

void expect_sound(const http::Request& request, const http::Response& response) {
  holds(response.status >= 200 && response.status <= 599, "a status is one of HTTP's");
  holds(std::ranges::all_of(response.fields,
                            [](const http::Field& field) {
                              return http::is_token(field.name) &&
                                     http::is_field_value(field.value);
                            }),
        "an answer's fields are fields");
  const auto* type = response.fields.find("Content-Type");
  if (type == nullptr || *type != "application/json") return;
  const bool promised = request.method == "GET" && response.status == 200;
  if (response.body.empty() && !promised) return;
  holds(volgrow::parse_json(response.body, {.size = volgrow::Bytes(UINT64_MAX), .depth = 64})
            .has_value(),
        "JSON is JSON");
}

void ask(RestCloud& cloud, std::string_view text) {
  const auto request = request_in(text, cloud.names());
  if (!may_come(request)) return;
  const auto response = cloud.answer_to(request);
  holds(response.has_value(), "every request is answered");
  expect_sound(request, *response);
  holds(response->status != 500 || is_null_detach(request), "nothing is our fault");
  cloud.expect_sound();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int most_requests = 20;
  GTEST_FLAG_SET(break_on_failure, true);
  RestCloud cloud;
  auto rest = volgrow::fuzz::text_of(data, size);
  for (int asked = 0; !rest.empty() && asked < most_requests; ++asked)
    ask(cloud, next_part(rest, '\x1e'));
  return 0;
}
