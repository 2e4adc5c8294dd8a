// SPDX-License-Identifier: Apache-2.0
// Cinder's API as a whole over a real database, with back ends in memory and a clock that stands
// still: requests go in as values, answers come out, nothing is sent.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "control/rest/face.h"
#include "control/rest/types.h"
#include "core/json.h"
#include "tests/control/samples.h"
#include "tests/fakes/fake_back_ends.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::control::rest {

/// A cloud as the recorded Cinder's was: one back end, one type, quotas of 50 and 200.
inline Config recorded_cloud() {
  Config config;
  config.host = "aiohost";
  config.quota_volumes = 50;
  config.quota_gigabytes = 200;
  config.backends.backends = {{.name = "peer", .path = "/peer", .in_use_extend = true}};
  return config;
}

class RestApi : public testing::Test {
 protected:
  RestApi() {
    back_ends.back_ends = {{"peer", {.total = Bytes(std::uint64_t{1000} << 30)}}};
    begin();
  }
  ~RestApi() override { end(); }

  void begin() {
    commits.emplace(loop, loop.clock(), *store_.store);
    EXPECT_TRUE(ensure_default_type(store(), loop.clock().wall()));
    pools.emplace(Pools::Needs{loop, loop.clock(), back_ends, config, *log});
    pools->start();
    provisioning.emplace(
        Provisioning::Needs{loop, loop.clock(), *commits, back_ends, *pools, config, *log});
    records.emplace(*commits, store(), *log);
    api.emplace(*authentication, *commits, *log, Api::Options{});
    add_face(*api, {*records, policy, *pools, *provisioning, config, loop.clock()});
    settle();
  }
  void end() {
    api.reset();
    records.reset();
    provisioning.reset();
    pools.reset();
    commits.reset();
  }
  /// As after kill -9 and a start.
  void restart() {
    end();
    store_.reopen();
    begin();
    ASSERT_TRUE(provisioning->resume());
  }

  Store& store() { return *store_.store; }
  /// Turns the loop until nothing is under way but what the test holds back.
  void settle() {
    ASSERT_TRUE(loop.run_until([this] {
      return back_ends.unanswered() == back_ends.waiting() && !commits->pending() &&
             !loop.ringing();
    }));
  }

  static http::Request request_for(const std::string& method, const std::string& target) {
    const auto [path, query] = http::split_target(target);
    return {.method = method,
            .path = std::string(path),
            .query = http::query_parameters(query),
            .fields = {{"Host", "127.0.0.1:PORT"}}};
  }
  /// With a token of the project that all samples are of.
  static http::Request call(const std::string& method, const std::string& target,
                            const std::string& body = "", const std::string& version = "3.70") {
    auto request = request_for(method, "/v3/" + some_project + "/" + target);
    request.fields.add("X-Auth-Token", "alice:" + some_project);
    request.fields.add("OpenStack-API-Version", "volume " + version);
    if (!body.empty()) request.fields.add("Content-Type", "application/json");
    request.body = body;
    return request;
  }

  /// Before the loop turned.
  std::optional<http::Response> answered_at_once(http::Request request) {
    auto response = std::make_shared<std::optional<http::Response>>();
    api->answer(std::move(request), http::Answer([response](std::optional<http::Response> came) {
                  *response = std::move(came);
                }));
    return *response;
  }
  http::Response answer_to(http::Request request) {
    auto response = std::make_shared<std::optional<http::Response>>();
    api->answer(std::move(request), http::Answer([response](std::optional<http::Response> came) {
                  *response = std::move(came);
                }));
    settle();
    return response->value_or(http::Response{.status = 599, .fields = {}, .body = "no answer"});
  }
  http::Response answer_to(const std::string& method, const std::string& target,
                           const std::string& body = "", const std::string& version = "3.70") {
    return answer_to(call(method, target, body, version));
  }
  static Value body_of(const http::Response& response) {
    return parse_json(response.body, {.depth = 64}).value_or(Value("not JSON: " + response.body));
  }
  static std::string message_in(const http::Response& response) {
    const auto body = body_of(response);
    if (body.object() == nullptr || body.object()->empty()) return response.body;
    const auto* message = body.object()->front().second.find("message");
    return message == nullptr ? response.body : *message->text();
  }
  std::string create_volume(const std::string& body = R"({"volume":{"size":1}})") {
    const auto response = answer_to("POST", "volumes", body);
    const auto made = body_of(response);
    const auto* volume = made.find("volume");
    return volume == nullptr ? response.body : *volume->find("id")->text();
  }
  std::string status_of(const std::string& id) {
    const auto volume = store().volume(id).value();
    return volume ? std::string(name_of(volume->status)) : "gone";
  }

  FakeTimeLoop loop;
  std::ostringstream lines;
  std::unique_ptr<Log> log = stream_log(lines, LogLevel::debug);
  Config config = recorded_cloud();
  FakeBackEnds back_ends{loop};
  std::unique_ptr<Authentication> authentication = noauth();
  Policy policy{{}};
  std::optional<CommitsOf<Store>> commits;
  std::optional<Pools> pools;
  std::optional<Provisioning> provisioning;
  std::optional<Records> records;
  std::optional<Api> api;

 private:
  StoreOnDisk store_;
};

}  // namespace volgrow::control::rest
