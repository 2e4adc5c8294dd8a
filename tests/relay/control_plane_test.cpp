// SPDX-License-Identifier: Apache-2.0
// What goes to control, and what its answers mean: a size is never made up.
#include "relay/control_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::relay {
namespace {

using namespace std::chrono_literals;

class AControlPlane : public ::testing::Test {
 protected:
  Result<Bytes> size_when_it_answers(Result<http::Response> answer) {
    client.will_answer(std::move(answer));
    std::optional<Result<Bytes>> size;
    const auto pending = control.volume_size("vol-1", "req-1", within(5s, loop.clock().now()),
                                             [&](Result<Bytes> result) { size = result; });
    EXPECT_TRUE(loop.run_until([&] { return size.has_value(); }));
    return *size;
  }
  Result<DeliveredReports> delivered_when_it_answers(Result<http::Response> answer) {
    client.will_answer(std::move(answer));
    std::optional<Result<DeliveredReports>> delivered;
    const auto pending = control.deliver(
        {{1, R"({"sequence":1})"}, {2, R"({"sequence":2})"}}, within(5s, loop.clock().now()),
        [&](Result<DeliveredReports> result) { delivered = std::move(result); });
    EXPECT_TRUE(loop.run_until([&] { return delivered.has_value(); }));
    return *delivered;
  }

  FakeTimeLoop loop;
  FakeHttpClient client{loop};
  Config config{.url = "https://control:8776",
                .project = "p1",
                .ca = "/ca",
                .control_certificate = "/cert",
                .control_key = "/key"};
  Secrets secrets{.accepted = {},
                  .control = {{"X-Auth-Token", "admin:p1"}},
                  .reports = {{"X-Auth-Token", "host"}}};
  ControlPlane control{client, config, secrets};
};

TEST_F(AControlPlane, IsAskedForAVolume) {
  const auto size = size_when_it_answers(http::Response{200, {}, R"({"volume":{"size":20}})"});

  EXPECT_EQ(size, 20_GiB);
  const http::Outgoing request{.method = "GET",
                               .url = "https://control:8776/v3/p1/volumes/vol-1",
                               .fields = {{"X-Auth-Token", "admin:p1"},
                                          {"Accept", "application/json"},
                                          {"X-OpenStack-Request-ID", "req-1"}},
                               .body = {},
                               .tls = {"/ca", "/cert", "/key"}};
  EXPECT_THAT(client.requests(), ::testing::ElementsAre(request));
}

TEST_F(AControlPlane, NeedsNoProject) {
  config.project.clear();

  EXPECT_TRUE(size_when_it_answers(http::Response{200, {}, R"({"volume":{"size":1}})"}));

  EXPECT_EQ(client.requests().back().url, "https://control:8776/v3/volumes/vol-1");
}

class AnAnswerWithoutASize : public AControlPlane,
                             public ::testing::WithParamInterface<const char*> {};

TEST_P(AnAnswerWithoutASize, IsAnError) {
  EXPECT_FALSE(size_when_it_answers(http::Response{200, {}, GetParam()}));
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, AnAnswerWithoutASize,
                         ::testing::Values("", "junk", "{}", "[]", R"({"volume":null})",
                                           R"({"volume":{}})", R"({"volume":{"size":0}})",
                                           R"({"volume":{"size":-1}})",
                                           R"({"volume":{"size":"20"}})",
                                           R"({"volume":{"size":1.5}})",
                                           R"({"volume":{"size":2147483648}})",
                                           R"({"volume":{"size":18446744073709551615}})"));

TEST_F(AControlPlane, SaysWhyItRefuses) {
  const auto size = size_when_it_answers(
      http::Response{404, {}, R"({"itemNotFound":{"code":404,"message":"no such volume"}})"});

  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().message, "control's answer is 404: \"no such volume\"");
}

TEST_F(AControlPlane, MayBeDown) {
  const auto size = size_when_it_answers(failure(ErrorCode::unreachable, "nobody listens"));

  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().message, "nobody listens");
}

TEST_F(AControlPlane, IsGivenReportsAsTheyAre) {
  const auto delivered = delivered_when_it_answers(http::Response{
      200, {}, R"({"accepted":[1],"refused":[{"sequence":2,"reason":"not its host"}]})"});

  EXPECT_EQ(delivered, (DeliveredReports{{1}, {{2, "not its host"}}}));
  const auto& request = client.requests().back();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://control:8776/volgrow/v1/reports");
  EXPECT_EQ(request.fields, (http::Fields{{"X-Auth-Token", "host"},
                                          {"Accept", "application/json"},
                                          {"Content-Type", "application/json"}}));
  EXPECT_EQ(request.body, R"({"reports":[{"sequence":1},{"sequence":2}]})");
}

TEST_F(AControlPlane, StoresNothingByAnyOtherAnswer) {
  EXPECT_FALSE(delivered_when_it_answers(http::Response{202, {}, R"({"accepted":[1,2]})"}));
  EXPECT_FALSE(delivered_when_it_answers(http::Response{401, {}, ""}));
  EXPECT_FALSE(delivered_when_it_answers(http::Response{500, {}, ""}));
  EXPECT_FALSE(delivered_when_it_answers(http::Response{200, {}, "junk"}));
}

TEST_F(AControlPlane, SaysItselfWhenAReportIsMalformed) {
  const auto by_control =
      delivered_when_it_answers(http::Response{400, {}, R"({"error":"no report"})"});
  const auto by_another = delivered_when_it_answers(http::Response{400, {}, "<h1>HTTPS, please"});

  EXPECT_EQ(by_control.error(), (Error{ErrorCode::invalid_args, "no report", {}, 0}));
  EXPECT_EQ(by_another.error().code, ErrorCode::internal);
}

TEST_F(AControlPlane, DoesNotStoreWhatItDoesNotName) {
  EXPECT_EQ(delivered_when_it_answers(http::Response{200, {}, R"({"accepted":["1",-2,null]})"}),
            DeliveredReports());
  EXPECT_EQ(delivered_when_it_answers(
                http::Response{200, {}, R"({"accepted":7,"refused":[{"reason":"x"},3]})"}),
            DeliveredReports());
}

}  // namespace
}  // namespace volgrow::relay
