// SPDX-License-Identifier: Apache-2.0
// Events come in, sizes are asked for, the agent is told, and the answer says what became of each.
#include "relay/receiver.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>

#include "core/json.h"
#include "tests/fakes/fake_agent.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::relay {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr const char* path = "/v2.1/os-server-external-events";
constexpr const char* request_id = "req-0f3c8d7e-3a43-4d3c-8d5e-2a5f0f0e8a11";

std::string event(const std::string& tag, int server = 1) {
  return fmt::format(R"({{"name":"volume-extended","server_uuid":"{:08}-0000-4000-8000-{:012}",)"
                     R"("tag":"{}"}})",
                     server, server, tag);
}

http::Request post(const std::vector<std::string>& events) {
  return {.method = "POST",
          .path = path,
          .fields = {{"Host", "relay:8790"},
                     {"Content-Type", "application/json"},
                     {"OpenStack-API-Version", "compute 2.51"},
                     {"X-OpenStack-Request-ID", request_id}},
          .body = fmt::format(R"({{"events":[{}]}})", fmt::join(events, ",")),
          .peer = "192.0.2.7"};
}

class AReceiver : public ::testing::Test {
 protected:
  using Place = std::shared_ptr<std::optional<http::Response>>;

  void control_knows(int gigabytes) {
    client.will_answer(
        http::Response{200, {}, fmt::format(R"({{"volume":{{"size":{}}}}})", gigabytes)});
  }
  /// Where the answer will be.
  Place take(http::Request request) {
    auto place = std::make_shared<std::optional<http::Response>>();
    receiver.take(std::move(request), http::Answer([place](auto response) { *place = response; }));
    return place;
  }
  http::Response answer_to(http::Request request) {
    const auto place = take(std::move(request));
    EXPECT_TRUE(loop.run_until([&] { return place->has_value(); }));
    return **place;
  }
  /// The codes of an answer's events.
  static std::vector<std::uint64_t> codes_in(const http::Response& response) {
    std::vector<std::uint64_t> codes;
    const auto body = parse_json(response.body).value_or(Value());
    const auto* events = body.find("events");
    if (!events || !events->array()) return {};
    for (const auto& of : *events->array())
      codes.push_back(std::get<std::uint64_t>(of.find("code")->data));
    return codes;
  }

  FakeTimeLoop loop;
  FakeHttpClient client{loop};
  FakeAgent agent;
  Config config{.url = "http://control", .project = "p1"};
  Secrets secrets;
  ControlPlane control{client, config, secrets};
  std::ostringstream said;
  std::unique_ptr<Log> log = stream_log(said, LogLevel::info);
  Receiver receiver{{loop.clock(), config, secrets, control, agent, *log}};
};

// ---- the way in

TEST_F(AReceiver, TellsTheAgentTheSizeThatControlKnows) {
  control_knows(20);

  const auto answer = answer_to(post({event("vol-1")}));

  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(codes_in(answer), ElementsAre(200));
  EXPECT_THAT(agent.changes, ElementsAre(Pair("vol-1", 20_GiB)));
  EXPECT_EQ(client.requests().back().url, "http://control/v3/p1/volumes/vol-1");
  EXPECT_EQ(receiver.under_way(), 0U);
}

TEST_F(AReceiver, AnswersOnlyWhenTheAgentHasAJob) {
  control_knows(20);
  agent.holds = true;
  const auto answer = take(post({event("vol-1")}));
  ASSERT_TRUE(loop.run_until([&] { return !agent.changes.empty(); }));
  EXPECT_FALSE(answer->has_value());

  agent.release();

  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->status, 200);
}

TEST_F(AReceiver, TellsOfAVolumeOnceForAllItsInstances) {
  control_knows(20);

  const auto answer = answer_to(post({event("vol-1", 1), event("vol-1", 2)}));

  EXPECT_THAT(codes_in(answer), ElementsAre(200, 200));
  EXPECT_THAT(client.requests(), SizeIs(1));
  EXPECT_THAT(agent.changes, SizeIs(1));
}

TEST_F(AReceiver, TellsOfSeveralVolumes) {
  control_knows(20);
  control_knows(30);

  const auto answer = answer_to(post({event("vol-1"), event("vol-2")}));

  EXPECT_THAT(codes_in(answer), ElementsAre(200, 200));
  EXPECT_THAT(agent.changes, ElementsAre(Pair("vol-1", 20_GiB), Pair("vol-2", 30_GiB)));
}

TEST_F(AReceiver, LogsEachJobWithTheRequestsItIsFor) {
  control_knows(20);

  const auto answer = answer_to(post({event("vol-1")}));

  EXPECT_THAT(said.str(),
              AllOf(HasSubstr("volume vol-1 has 21474836480 bytes in control"),
                    HasSubstr("volgrowd has job 1 for volume vol-1"),
                    HasSubstr("VOLGROW_VOLUME=vol-1 VOLGROW_JOB=1"),
                    HasSubstr("VOLGROW_REQUEST=" + *answer.fields.find("X-Openstack-Request-Id")),
                    HasSubstr(std::string("VOLGROW_GLOBAL_REQUEST=") + request_id)));
  EXPECT_EQ(*client.requests().back().fields.find("X-OpenStack-Request-ID"), request_id);
}

// ---- what cannot be told

struct NoSize {
  int status;
  const char* body;
};
class AReceiverThatLearnsNoSize : public AReceiver, public ::testing::WithParamInterface<NoSize> {};

TEST_P(AReceiverThatLearnsNoSize, TellsNobodyAndSaysThatItMayPass) {
  control_knows(20);
  client.will_answer(http::Response{GetParam().status, {}, GetParam().body});

  const auto answer = answer_to(post({event("vol-1"), event("vol-2")}));

  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body,
              AllOf(HasSubstr("serviceUnavailable"), HasSubstr("learn the size of volume vol-2")));
  EXPECT_THAT(agent.changes, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Because, AReceiverThatLearnsNoSize,
                         ::testing::Values(NoSize{404, ""}, NoSize{401, ""}, NoSize{500, ""},
                                           NoSize{300, ""}, NoSize{200, "junk"},
                                           NoSize{200, R"({"volume":{"size":null}})"},
                                           NoSize{200, R"({"volume":{"size":0}})"}));

TEST_F(AReceiver, GivesUpWhenControlIsSilent) {
  client.will_be_silent();
  const auto answer = take(post({event("vol-1")}));

  loop.advance(config.event_time);
  ASSERT_TRUE(loop.run_until([&] { return answer->has_value(); }));

  EXPECT_EQ((*answer)->status, 503);
  EXPECT_THAT(agent.changes, IsEmpty());
}

TEST_F(AReceiver, GivesControlAndTheAgentOneDeadline) {
  control_knows(20);
  const auto begun = loop.clock().now();

  answer_to(post({event("vol-1")}));

  EXPECT_THAT(agent.deadlines, ElementsAre(within(config.event_time, begun)));
}

TEST_F(AReceiver, SaysThatItMayPassWhenTheAgentIsNotThere) {
  control_knows(20);
  control_knows(20);
  agent.refusals["vol-2"] = Error{ErrorCode::unreachable, "volgrowd is not running", {}, 0};

  const auto answer = answer_to(post({event("vol-1"), event("vol-2")}));

  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("volgrowd is not running"));
}

struct Refusal {
  ErrorCode error;
  std::uint64_t code;
};
class AnAgentsRefusal : public AReceiver, public ::testing::WithParamInterface<Refusal> {};

TEST_P(AnAgentsRefusal, IsOneEventsAlone) {
  control_knows(20);
  control_knows(30);
  agent.refusals["vol-1"] = Error{GetParam().error, "the reason", {}, 0};

  const auto answer = answer_to(post({event("vol-1"), event("vol-2")}));

  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(codes_in(answer), ElementsAre(GetParam().code, 200));
  EXPECT_EQ(answer.body.find("the reason") != std::string::npos, GetParam().code != 404);
}

TEST_P(AnAgentsRefusal, IsMultiStatusAlsoForOneEvent) {
  control_knows(20);
  agent.refusals["vol-1"] = Error{GetParam().error, "the reason", {}, 0};

  const auto answer = answer_to(post({event("vol-1")}));

  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(codes_in(answer), ElementsAre(GetParam().code));
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, AnAgentsRefusal,
                         ::testing::Values(Refusal{ErrorCode::no_such_volume, 404},
                                           Refusal{ErrorCode::invalid_args, 422},
                                           Refusal{ErrorCode::ambiguous_volume, 422},
                                           Refusal{ErrorCode::wwid_mismatch, 422},
                                           Refusal{ErrorCode::not_supported, 422},
                                           Refusal{ErrorCode::not_authorized, 500},
                                           Refusal{ErrorCode::internal, 500}));

class AnAgentThatIsBusy : public AReceiver, public ::testing::WithParamInterface<ErrorCode> {};

TEST_P(AnAgentThatIsBusy, MayTakeTheRequestLater) {
  control_knows(20);
  agent.refusals["vol-1"] = Error{GetParam(), "too many jobs", {}, 0};

  EXPECT_EQ(answer_to(post({event("vol-1")})).status, 503);
}

INSTANTIATE_TEST_SUITE_P(InEachWay, AnAgentThatIsBusy,
                         ::testing::Values(ErrorCode::limits_exceeded, ErrorCode::busy,
                                           ErrorCode::timed_out));

// ---- events that are for nobody here

TEST_F(AReceiver, RefusesAnEventWithoutATagAsNovaDoes) {
  auto request = post({});
  request.body = R"({"events":[{"name":"volume-extended",)"
                 R"("server_uuid":"00000001-0000-4000-8000-000000000001"}]})";

  const auto answer = answer_to(std::move(request));

  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(codes_in(answer), ElementsAre(400));
}

TEST_F(AReceiver, KnowsNoVolumeOfAnImpossibleName) {
  const auto answer = answer_to(post({event(""), event("../v3/backups"), event("a b")}));

  EXPECT_THAT(codes_in(answer), ElementsAre(404, 404, 404));
  EXPECT_THAT(client.requests(), IsEmpty());
}

TEST_F(AReceiver, TakesNoOtherEvent) {
  auto request = post({});
  request.body = R"({"events":[{"name":"network-changed",)"
                 R"("server_uuid":"00000001-0000-4000-8000-000000000001"}]})";

  const auto answer = answer_to(std::move(request));

  EXPECT_THAT(codes_in(answer), ElementsAre(422));
  EXPECT_THAT(answer.body, HasSubstr("volume-extended"));
}

// ---- the protocol

TEST_F(AReceiver, IsFoundBeneathAnyPrefix) {
  for (const auto* const prefix : {"", "/v2.1", "/v2.1/9f5d0f5c", "/compute/v2.1"}) {
    control_knows(20);
    auto request = post({event("vol-1")});
    request.path = std::string(prefix) + "/os-server-external-events";
    EXPECT_EQ(answer_to(std::move(request)).status, 200) << prefix;
  }
}

TEST_F(AReceiver, AnswersInTheVersionThatWasAsked) {
  control_knows(20);

  const auto answer = answer_to(post({event("vol-1")}));

  EXPECT_EQ(*answer.fields.find("OpenStack-API-Version"), "compute 2.51");
  EXPECT_EQ(*answer.fields.find("X-OpenStack-Nova-API-Version"), "2.51");
  EXPECT_THAT(*answer.fields.find("X-Openstack-Request-Id"), MatchesRegex("req-[0-9a-f-]{36}"));
  EXPECT_EQ(*answer.fields.find("X-Compute-Request-Id"),
            *answer.fields.find("X-Openstack-Request-Id"));
}

TEST_F(AReceiver, RefusesVersionsBeforeTheEventAsNovaDoes) {
  auto request = post({event("vol-1")});
  request.fields = {{"OpenStack-API-Version", "compute 2.50"}};

  const auto answer = answer_to(std::move(request));

  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(*answer.fields.find("OpenStack-API-Version"), "compute 2.50");
  EXPECT_THAT(answer.body, HasSubstr("'volume-extended' is not one of"));
}

TEST_F(AReceiver, RefusesAVersionThatItCannotRead) {
  auto request = post({event("vol-1")});
  request.fields = {{"OpenStack-API-Version", "compute junk"}};

  const auto answer = answer_to(std::move(request));

  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.fields.find("OpenStack-API-Version"), nullptr);
}

TEST_F(AReceiver, RefusesVersionsAfterItsLast) {
  auto request = post({event("vol-1")});
  request.fields = {{"OpenStack-API-Version", "compute 2.999"}};

  const auto answer = answer_to(std::move(request));

  EXPECT_EQ(answer.status, 406);
  EXPECT_EQ(*answer.fields.find("OpenStack-API-Version"), "compute 2.999");
}

TEST_F(AReceiver, ReadsJsonOnly) {
  auto request = post({event("vol-1")});
  request.fields = {{"OpenStack-API-Version", "compute 2.51"}, {"Content-Type", "application/xml"}};

  EXPECT_EQ(answer_to(std::move(request)).status, 415);
}

TEST_F(AReceiver, KnowsNoOtherAddress) {
  for (const auto& [method, to] : std::vector<std::pair<std::string, std::string>>{
           {"GET", path},
           {"POST", std::string(path) + "/"},
           {"POST", "/v2.1/servers"},
           {"POST", "/v2.1/os-server-external-events/x"},
           {"PUT", path}}) {
    auto request = post({event("vol-1")});
    request.method = method;
    request.path = to;
    EXPECT_EQ(answer_to(std::move(request)).status, 404) << method << " " << to;
  }
}

TEST_F(AReceiver, SaysWhichVersionsItHas) {
  auto request = post({});
  request.method = "GET";
  request.path = "/";
  const auto all = answer_to(request);
  request.path = "/v2.1/";
  const auto one = answer_to(request);

  EXPECT_THAT(all.body, AllOf(HasSubstr(R"("versions":[{"id":"v2.1")"),
                              HasSubstr("http://relay:8790/v2.1/")));
  EXPECT_THAT(one.body, HasSubstr(R"("version":{"id":"v2.1","status":"CURRENT","version":"2.93")"));
}

TEST_F(AReceiver, HasManyRequestsUnderWayAndNotMore) {
  config.most_at_once = 2;
  client.will_be_silent();
  client.will_be_silent();
  const auto first = take(post({event("vol-1")}));
  const auto second = take(post({event("vol-2")}));

  const auto third = answer_to(post({event("vol-3")}));

  EXPECT_EQ(third.status, 503);
  EXPECT_FALSE(first->has_value() || second->has_value());
  EXPECT_THAT(client.requests(), SizeIs(2));
}

// ---- who may come in

class AReceiverWithATokenFile : public AReceiver {
 protected:
  AReceiverWithATokenFile() { secrets.accepted = {"right"}; }
  http::Response answer_with(const char* token) {
    auto request = post({event("vol-1")});
    if (token) request.fields.add("X-Auth-Token", token);
    return answer_to(std::move(request));
  }
};

TEST_F(AReceiverWithATokenFile, ServesWhoShowsTheToken) {
  control_knows(20);

  EXPECT_EQ(answer_with("right").status, 200);
}

TEST_F(AReceiverWithATokenFile, RefusesEverybodyElse) {
  for (const char* const token : {"wrong", "righ", "right ", "", static_cast<const char*>(nullptr)})
    EXPECT_EQ(answer_with(token).status, 401);

  EXPECT_THAT(client.requests(), IsEmpty());
  EXPECT_THAT(said.str(), AllOf(HasSubstr("from 192.0.2.7: 401"), Not(HasSubstr("righ"))));
}

TEST_F(AReceiverWithATokenFile, TellsStrangersNoMoreThanItsVersions) {
  auto request = post({});
  request.method = "GET";
  request.path = "/";
  EXPECT_EQ(answer_to(request).status, 200);

  request.path = "/v2.1/";
  EXPECT_EQ(answer_to(request).status, 401);
  request.path = "/nowhere";
  EXPECT_EQ(answer_to(request).status, 401);
}

TEST_F(AReceiverWithATokenFile, TakesANewTokenWhenThereIsOne) {
  secrets.accepted = {"newer"};
  control_knows(20);

  EXPECT_EQ(answer_with("right").status, 401);
  EXPECT_EQ(answer_with("newer").status, 200);
}

// ---- the end

TEST_F(AReceiver, MayGoWithRequestsUnderWay) {
  client.will_be_silent();
  bool dropped = false;
  {
    Receiver leaving{{loop.clock(), config, secrets, control, agent, *log}};
    leaving.take(post({event("vol-1")}),
                 http::Answer([&](auto response) { dropped = !response.has_value(); }));
  }

  EXPECT_TRUE(dropped);
  EXPECT_EQ(client.waiting(), 0U);
}

}  // namespace
}  // namespace volgrow::relay
