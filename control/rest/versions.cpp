// SPDX-License-Identifier: Apache-2.0
// cinder/api/versions.py. Cinder wants a token for /v3 and /v3/; a client that looks for versions
// has none yet, and gets the same document here.
#include "control/rest/versions.h"

namespace volgrow::control::rest {
namespace {

Value document(const Call& call) {
  Value::Array links{
      Value::Object{
          {"rel", "describedby"}, {"type", "text/html"}, {"href", "https://docs.openstack.org/"}},
      Value::Object{{"rel", "self"}, {"href", call.place.root + "/v3/"}},
  };
  Value::Array media_types{
      Value::Object{{"base", "application/json"},
                    {"type", "application/vnd.openstack.volume+json;version=3"}},
  };
  Value::Object version{
      {"id", "v3.0"},
      {"status", "CURRENT"},
      {"version", to_text(last_version)},
      {"min_version", to_text(first_version)},
      {"updated", versions_updated},
      {"links", std::move(links)},
      {"media-types", std::move(media_types)},
  };
  return Value::Object{{"versions", Value::Array{std::move(version)}}};
}

Outcome<Content> all(const Call& call) {
  return Content{.status = 300, .body = document(call)};
}

Outcome<Content> of_v3(const Call& call) {
  return Content{.body = document(call)};
}

Outcome<Content> to_v3(const Call& call) {
  return Content{.status = 302,
                 .fields = {{"Content-Type", "text/plain; charset=utf8"},
                            {"Location", call.place.root + "/v3/"}},
                 .of_routes = true};
}

Outcome<Content> healthy(const Call& /*call*/) {
  return Content{.body = Value::Object{{"detailed", false}, {"reasons", Value::Array{"OK"}}}};
}

}  // namespace

void add_versions(Api& api) {
  const auto add = [&](std::string_view pattern, Outcome<Content> (*answering)(const Call&)) {
    api.add(
        Route{.method = "*", .pattern = pattern, .operation = at_once(answering), .open = true});
  };
  add("/", all);
  add("/v3", to_v3);
  add("/v3/", of_v3);
  add("/healthcheck", healthy);
}

}  // namespace volgrow::control::rest
