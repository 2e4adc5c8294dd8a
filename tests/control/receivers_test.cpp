// SPDX-License-Identifier: Apache-2.0
// The request that tells of a growth, and every answer that real Nova and a broken network give.
#include "control/receivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/samples.h"

namespace volgrow::control {
namespace {

using testing::HasSubstr;

Config with_receivers() {
  Config config;
  config.nova_endpoint = "http://nova:8774/v2.1/";
  config.nova_token_file = "/nova.token";
  config.receivers = {{"node1", "https://node1:9000", "/node1.token", "/ca.pem"}};
  return config;
}

TEST(AReceiver, IsTheHostsOwnOrElseNova) {
  auto config = with_receivers();

  EXPECT_EQ(receiver_for(config, "node1"), "node1");
  EXPECT_EQ(receiver_for(config, "node2"), "nova");
  EXPECT_EQ(receiver_for(config, std::nullopt), "nova");
  config.receivers.push_back({"*", "http://all", "", ""});
  EXPECT_EQ(receiver_for(config, "node2"), "*");
}

TEST(AReceiver, HasTheAddressOfItsConfiguration) {
  auto config = with_receivers();

  const auto relay = address_of(config, "node1").value();
  EXPECT_EQ(relay.url, "https://node1:9000");
  EXPECT_EQ(relay.token_file, "/node1.token");
  EXPECT_EQ(relay.ca, "/ca.pem");
  EXPECT_FALSE(relay.is_nova);
  EXPECT_TRUE(address_of(config, "nova")->is_nova);
  EXPECT_FALSE(address_of(config, "gone"));
  config.nova_endpoint.clear();
  EXPECT_FALSE(address_of(config, "nova"));
}

TEST(ARequestToAReceiver, IsWhatNovaExpectsAndNoMore) {
  const auto outgoing =
      request_for(a_delivery("v1"), address_of(with_receivers(), "nova").value(), "secret");

  EXPECT_EQ(outgoing.method, "POST");
  EXPECT_EQ(outgoing.url, "http://nova:8774/v2.1/os-server-external-events");
  EXPECT_EQ(*outgoing.fields.find("OpenStack-API-Version"), "compute 2.51");
  EXPECT_EQ(*outgoing.fields.find("X-OpenStack-Nova-API-Version"), "2.51");
  EXPECT_EQ(*outgoing.fields.find("X-Auth-Token"), "secret");
  EXPECT_EQ(outgoing.body, R"({"events":[{"name":"volume-extended","server_uuid":"i1","tag":"v1"},)"
                           R"({"name":"volume-extended","server_uuid":"i2","tag":"v1"}]})");
}

http::Response answering(int status, std::string body) {
  return {status, {}, std::move(body)};
}

std::string events(int first, int second) {
  return R"({"events":[{"server_uuid":"i1","name":"volume-extended","tag":"v1","code":)" +
         std::to_string(first) + R"(},{"server_uuid":"i2","code":)" + std::to_string(second) +
         "}]}";
}

TEST(AnAnswer, TakesAllEvents) {
  const auto answer = understand(a_delivery("v1"), answering(200, events(200, 200)));

  EXPECT_TRUE(answer.all_taken());
  EXPECT_FALSE(answer.again);
}

TEST(AnAnswer, TakesSomeEventsAndRefusesOthersForGood) {
  const auto answer = understand(a_delivery("v1"), answering(207, events(200, 422)));

  EXPECT_FALSE(answer.again);
  EXPECT_EQ(answer.events[0], (EventAnswer{"a1", true, ""}));
  EXPECT_EQ(answer.events[1].taken, false);
  EXPECT_THAT(answer.events[1].reason, HasSubstr("422"));
}

TEST(AnAnswer, ThatLeavesAnEventOutRefusesIt) {
  const auto answer = understand(a_delivery("v1"),
                                 answering(200, R"({"events":[{"server_uuid":"i1","code":200}]})"));

  EXPECT_TRUE(answer.events[0].taken);
  EXPECT_FALSE(answer.events[1].taken);
}

struct Trouble {
  int status;
  std::string body;
  bool again;
};
class ATroubledAnswer : public testing::TestWithParam<Trouble> {};

TEST_P(ATroubledAnswer, TakesNothingAndIsRepeatedWhereThatMayHelp) {
  const auto answer = understand(a_delivery("v1"), answering(GetParam().status, GetParam().body));

  EXPECT_EQ(answer.again, GetParam().again);
  ASSERT_EQ(answer.events.size(), 2U);
  for (const auto& event : answer.events) {
    EXPECT_FALSE(event.taken);
    EXPECT_THAT(event.reason, HasSubstr(std::to_string(GetParam().status)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ATroubledAnswer,
    testing::Values(Trouble{400, R"({"badRequest":{"code":400,"message":"no"}})", false},
                    Trouble{401, "", true}, Trouble{403, "", true}, Trouble{404, "", false},
                    Trouble{406, "", false}, Trouble{429, "", true}, Trouble{500, "", true},
                    Trouble{502, "<html>", true}, Trouble{503, "", true},
                    Trouble{200, "junk", true}, Trouble{200, R"({"events":5})", true},
                    Trouble{204, "", false}, Trouble{302, "", false}));

TEST(AnAnswer, TellsWhatTheReceiverSaid) {
  const auto answer = understand(
      a_delivery("v1"), answering(400, R"({"badRequest":{"code":400,"message":"bad\nname"}})"));

  EXPECT_THAT(answer.events[0].reason, HasSubstr(R"("bad\x0aname")"));
}

TEST(NoAnswerAtAll, IsRepeated) {
  const auto answer =
      understand(a_delivery("v1"), failure(ErrorCode::unreachable, "connection refused"));

  EXPECT_TRUE(answer.again);
  EXPECT_EQ(answer.events[0].reason, "connection refused");
}

}  // namespace
}  // namespace volgrow::control
