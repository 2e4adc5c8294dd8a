// SPDX-License-Identifier: Apache-2.0
// The order of checks is that of cinder/api/openstack/wsgi.py (Resource.__call__ and
// _process_stack), behind the filters of api-paste.ini: OPTIONS, who asks, is there such a path,
// which microversion, what kind of body, which action, is it JSON, whose project.
#include "control/rest/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>

#include "control/rest/words.h"
#include "core/json.h"
#include "core/uuid.h"

namespace volgrow::control::rest {

/// A request on its way, and what is known of it so far.
struct Api::Exchange {
  http::Request request;
  http::Answer answer;
  std::string request_id;
  std::optional<Table::Match> match;
  std::optional<std::string> version;  ///< as the answer's field says it
  /// Cinder's resources have a name of their own for the request's id; its middleware and routes
  /// do not know it.
  bool at_resource = false;

  const std::string* accept() const { return request.fields.find("Accept"); }
  void send(http::Response response) {
    response.fields.add("X-Openstack-Request-Id", request_id);
    if (at_resource) response.fields.add("X-Compute-Request-Id", request_id);
    if (version) add_version(response, *version);
    answer(std::move(response));
  }
};

struct Api::Ready {
  const Operation* operation;
  Call call;
};

namespace {

constexpr std::string_view not_utf8 =
    "Error decoding your request. Either the URL or the request body contained characters that "
    "could not be decoded by Cinder.";

// Bodies come from strangers; the server bounds their length. Nothing that Cinder takes is deeper.
constexpr JsonLimits body_limits{.size = Bytes(UINT64_MAX), .depth = 32};

/// The path between its slashes; more slashes than one are one, and ".json" at its end is nothing.
Table::Segments segments_of(const std::string& path) {
  auto all = http::path_segments(path);
  Table::Segments segments;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].empty() || i + 1 == all.size()) segments.push_back(std::move(all[i]));
  constexpr std::string_view suffix = ".json";
  auto& last = segments.back();
  if (segments.size() > 1 && last.ends_with(suffix)) last.resize(last.size() - suffix.size());
  return segments;
}

/// A request without Content-Type is text/plain to Cinder's server, and a body of that is refused.
bool is_json_type(const std::string* type) {
  if (type == nullptr) return false;
  const auto name = std::string_view(*type).substr(0, type->find(';'));
  return name == "application/json" || name == "application/vnd.openstack.volume+json";
}

Outcome<std::optional<Value>> parsed(const std::string& body) {
  if (body.empty()) return std::nullopt;
  auto value = parse_json(body, body_limits);
  if (!value) return bad_request("Malformed request body");
  return std::optional(std::move(*value));
}

std::unexpected<Fault> no_such_action(std::string_view name) {
  return bad_request(fmt::format(
      "There is no such action: {}. Verify the request body and Content-Type header and try again.",
      name));
}

std::unexpected<Fault> no_such_resource() {
  return not_found(std::string(words::no_resource));
}

/// The one key of an action's body. What has a length, and not one element, is malformed to Cinder;
/// what is no object otherwise is not found.
Outcome<std::string_view> action_name(const std::optional<Value>& body) {
  if (!body) return no_such_action("None");
  if (const auto* members = body->object()) {
    if (members->size() != 1) return bad_request("Malformed request body");
    return std::string_view(members->front().first);
  }
  const auto* items = body->array();
  const auto* text = body->text();
  const bool one = items != nullptr  ? items->size() == 1
                   : text != nullptr ? words::length(*text) == 1
                                     : true;
  if (one) return no_such_resource();
  return bad_request("Malformed request body");
}

bool takes_body(std::string_view method) {
  return method == "POST" || method == "PUT";
}

bool is_decodable(const http::Parameters& query) {
  return std::ranges::all_of(query, [](const auto& parameter) {
    return words::is_utf8(parameter.first) && words::is_utf8(parameter.second);
  });
}

http::Response response_of(Content content, const std::string* accept) {
  http::Response response{.status = content.status, .fields = std::move(content.fields)};
  if (response.fields.find("Content-Type") == nullptr)
    response.fields.add("Content-Type", content.by_hand ? "text/html; charset=UTF-8"
                                                        : std::string(media_type_for(accept)));
  if (content.body) response.body = to_json(*content.body);
  return response;
}

}  // namespace

void Api::answer(http::Request request, http::Answer answer) {
  auto pending = std::make_unique<Exchange>(
      Exchange{std::move(request), std::move(answer), "req-" + new_uuid(), {}, {}});
  const auto& asked = pending->request;
  if (asked.method == "OPTIONS") return pending->send({.status = 200});
  const auto segments = segments_of(asked.path);
  pending->match = table_.find(asked.method, segments);
  if (pending->match && pending->match->open) return serve(std::move(pending), {});
  if (!pending->match && segments.front() != "v3") return pending->send(nothing_there(asked));
  const Unidentified asking{asked, url_of(asked),
                            pending->match ? pending->match->project : std::nullopt};
  authentication_.identify(asking, [this, pending = std::move(pending)](auto verdict) mutable {
    if (!verdict) return pending->send(std::move(verdict.error()));
    serve(std::move(pending), std::move(*verdict));
  });
}

void Api::serve(Pending pending, Caller caller) {
  if (!pending->match) return pending->send(nothing_there(pending->request));
  pending->at_resource = true;
  const auto version = version_asked(pending->request.fields.find(version_field));
  if (!version) {
    pending->version = version.error().asked;
    return pending->send(answer_of(version.error().fault));
  }
  pending->version = to_text(*version);
  caller.request_id = pending->request_id;
  auto ready = prepare(*pending, std::move(caller), *version);
  if (!ready) return pending->send(answer_of(ready.error()));
  run(*ready->operation, std::move(ready->call), std::move(pending));
}

Outcome<Api::Ready> Api::prepare(const Exchange& exchange, Caller caller, Version version) const {
  const auto& request = exchange.request;
  const auto& match = *exchange.match;
  if (!request.body.empty() && !is_json_type(request.fields.find("Content-Type")))
    return std::unexpected(Fault{415, "Unsupported Content-Type", std::nullopt});
  if (match.choice == nullptr) return no_such_resource();
  auto body = parsed(request.body);
  if (!body) return std::unexpected(std::move(body.error()));
  const auto choice = chosen(exchange, *body);
  if (!choice) return std::unexpected(choice.error());
  if (match.project && *match.project != caller.project_id)
    return bad_request("Malformed request url");
  const auto* operation = (*choice)->in(version);
  if (operation == nullptr) return no_such_resource();
  if (*body && (match.open || !takes_body(request.method)))
    return bad_request(std::string(words::malformed));
  if (!is_decodable(request.query)) return bad_request(std::string(not_utf8));
  return Ready{operation,
               {std::move(caller), version, match.values, request.query, std::move(*body),
                place_of(exchange)}};
}

Outcome<const Choice*> Api::chosen(const Exchange& exchange,
                                   const std::optional<Value>& body) const {
  const auto& match = *exchange.match;
  if (match.collection.empty()) return match.choice;
  const auto name = action_name(body);
  if (!name) return std::unexpected(name.error());
  const auto* choice = table_.action(match.collection, *name);
  if (choice == nullptr) return no_such_action(*name);
  return choice;
}

void Api::run(const Operation& operation, Call call, Pending pending) {
  Reply reply([this, pending = std::move(pending)](Outcome<Content> outcome) mutable {
    finish(std::move(pending), std::move(outcome));
  });
  try {
    operation(std::move(call), std::move(reply));
  } catch (const std::exception& exception) {
    log_.error(
        fmt::format("an operation failed in a way that nobody foresaw: {}", exception.what()));
  }
}

void Api::finish(Pending pending, Outcome<Content> outcome) {
  if (outcome) pending->at_resource = !outcome->by_hand && !outcome->of_routes;
  if (outcome && outcome->of_routes) pending->version.reset();
  auto response =
      outcome ? response_of(std::move(*outcome), pending->accept()) : answer_of(outcome.error());
  if (!commits_.pending()) return pending->send(std::move(response));
  commits_.after([pending = std::move(pending),
                  response = std::move(response)](const Result<void>& committed) mutable {
    if (!committed) response = answer_of(server_fault().error());
    pending->send(std::move(response));
  });
}

Place Api::place_of(const Exchange& exchange) const {
  const auto& project = exchange.match->project;
  return {root_of(exchange.request), project ? "/" + *project : std::string()};
}

std::string Api::url_of(const http::Request& request) const {
  auto url = root_of(request) + request.path;
  if (!request.query.empty()) url += "?" + words::urlencoded(request.query);
  return url;
}

std::string Api::root_of(const http::Request& request) const {
  const auto* forwarded = request.fields.find("X-Forwarded-Host");
  const auto* host = request.fields.find("Host");
  std::string_view name = host != nullptr && !host->empty() ? *host : options_.endpoint;
  if (forwarded != nullptr && !forwarded->empty())
    name = words::stripped(words::split(*forwarded, ',').back());
  return fmt::format("{}://{}", options_.scheme, name);
}

}  // namespace volgrow::control::rest
