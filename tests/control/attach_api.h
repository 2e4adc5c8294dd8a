// SPDX-License-Identifier: Apache-2.0
// Volume actions and attachments through the whole REST face: requests and answers are values, the
// caller is whom the test says.
#pragma once

#include <string>
#include <utility>

#include "control/rest/attachments.h"
#include "control/rest/volume_actions.h"
#include "control/rest/volumes.h"
#include "core/json.h"
#include "tests/control/attach_flow.h"

namespace volgrow::control::rest {

class GivenCaller final : public Authentication {
 public:
  void identify(const Unidentified& /*asking*/, Then then) override { then(caller); }

  Caller caller{"alice", some_project, true, ""};
};

/// JSON in one form, so that a text as Cinder writes it can be compared.
inline std::string normal(const std::string& json) {
  if (json.empty()) return json;
  const auto value = parse_json(json);
  return value ? to_json(*value) : "not JSON: " + json;
}

struct Answered {
  int status = 0;
  std::string body;

  Answered(int s, const std::string& json) : status(s), body(normal(json)) {}
  bool operator==(const Answered&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Answered& answered) {
    return out << answered.status << " " << answered.body;
  }
};

inline Answered bad_request_saying(const std::string& message) {
  return {
      400,
      to_json(Value::Object{{"badRequest", Value::Object{{"code", 400}, {"message", message}}}})};
}
inline Answered not_found_saying(const std::string& message) {
  return {
      404,
      to_json(Value::Object{{"itemNotFound", Value::Object{{"code", 404}, {"message", message}}}})};
}
inline Answered forbidden_by(const std::string& rule) {
  return {
      403,
      to_json(Value::Object{{"forbidden", Value::Object{{"code", 403},
                                                        {"message", "Policy doesn't allow " + rule +
                                                                        " to be performed."}}}})};
}

class AttachApi : public AttachFlow {
 protected:
  AttachApi() {
    add_volumes(api, work);
    add_volume_actions(api, work, *attaching, *extends);
    add_attachments(api, work, *attaching);
  }

  http::Response response_to(const std::string& method, const std::string& target,
                             const std::string& body = "", const std::string& version = "3.70") {
    const auto [path, query] = http::split_target(target);
    http::Request request{.method = method,
                          .path = "/v3/" + caller().project_id + "/" + std::string(path),
                          .query = http::query_parameters(query),
                          .fields = {{"Host", "cinder"}},
                          .body = body};
    if (!version.empty()) request.fields.add("OpenStack-API-Version", "volume " + version);
    if (!body.empty()) request.fields.add("Content-Type", "application/json");
    std::optional<http::Response> response;
    api.answer(std::move(request), http::Answer([&](std::optional<http::Response> came) {
                 response = std::move(came);
               }));
    settle();
    return response.value();
  }
  Answered answer_to(const std::string& method, const std::string& target,
                     const std::string& body = "", const std::string& version = "3.70") {
    const auto response = response_to(method, target, body, version);
    return {response.status, response.body};
  }
  Answered action(const std::string& body, const std::string& version = "3.70") {
    return answer_to("POST", "volumes/v1/action", body, version);
  }
  Caller& caller() { return authentication.caller; }
  void as_member() { caller().is_admin = false; }
  void as_stranger() {
    caller().is_admin = false;
    caller().project_id = "00000000000000000000000000000abc";
  }
  void given_rule(const std::string& rule, PolicyRule says) { policy.replace({{rule, says}}); }

  GivenCaller authentication;
  Policy policy{{}};
  Records records{*commits, store(), *log};
  Pools pools{{loop, loop.clock(), back_ends, config, *log}};
  Provisioning provisioning{{loop, loop.clock(), *commits, back_ends, pools, config, *log}};
  Workplace work{records, policy, pools, provisioning, config, loop.clock()};
  Api api{authentication, *commits, *log, {}};
};

inline const Answered accepted{202, ""};

}  // namespace volgrow::control::rest
