// SPDX-License-Identifier: Apache-2.0
// Reports on their way: none is lost, none is acknowledged before control has it, and a control
// that is down is left in peace.
#include "relay/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/fakes/fake_agent.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::relay {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Sequences = std::vector<std::uint64_t>;

bus::OutboxEntry report(std::uint64_t sequence) {
  return {sequence, R"({"sequence":)" + std::to_string(sequence) + "}"};
}

class ACourier : public ::testing::Test {
 protected:
  void control_answers(std::string body, int status = 200) {
    client.will_answer(http::Response{status, {}, std::move(body)});
  }
  void agent_has(const Sequences& sequences) {
    for (const auto sequence : sequences)
      agent.outbox.push_back(report(sequence));
  }
  /// Turns the loop until nothing more happens by itself.
  void settle() {
    bool idle = false;
    const auto watch = loop.when_idle([&] { idle = true; });
    ASSERT_TRUE(loop.run_until([&] { return idle && client.waiting() == 0; }));
  }
  void wake() {
    courier.wake();
    settle();
  }
  void pass(Duration time) {
    loop.advance(time);
    settle();
  }

  FakeTimeLoop loop;
  FakeHttpClient client{loop};
  FakeAgent agent;
  Config config{.batch = 3, .first_retry = 2s, .slowest_retry = 8s, .look = 60s};
  Secrets secrets;
  ControlPlane control{client, config, secrets};
  std::ostringstream said;
  std::unique_ptr<Log> log = stream_log(said, LogLevel::info);
  Courier courier{{loop, loop.clock(), config, agent, control, *log, [] { return 0.0; }}};
};

TEST_F(ACourier, TakesReportsToControlAndAcknowledgesThem) {
  agent_has({1, 2});
  control_answers(R"({"accepted":[1,2],"refused":[]})");

  wake();

  EXPECT_EQ(client.requests().back().body, R"({"reports":[{"sequence":1},{"sequence":2}]})");
  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1, 2}));
  EXPECT_THAT(agent.outbox, IsEmpty());
  EXPECT_EQ(said.str(), "");
}

TEST_F(ACourier, GoesOnUntilNoReportIsLeft) {
  agent_has({1, 2, 3, 4});
  control_answers(R"({"accepted":[1,2,3]})");
  control_answers(R"({"accepted":[4]})");

  wake();

  EXPECT_THAT(agent.lists, ElementsAre(3, 3, 3));
  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1, 2, 3}, Sequences{4}));
}

TEST_F(ACourier, SendsNothingWhenThereIsNothing) {
  wake();

  EXPECT_THAT(client.requests(), IsEmpty());
}

TEST_F(ACourier, AcknowledgesAlsoWhatControlRefusesForGood) {
  agent_has({1, 2});
  control_answers(R"({"accepted":[2],"refused":[{"sequence":1,"reason":"not its host"}]})");

  wake();

  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1, 2}));
  EXPECT_THAT(said.str(), HasSubstr("control refused report 1 for good: not its host"));
}

TEST_F(ACourier, KeepsWhatControlDoesNotMention) {
  agent_has({1, 2, 3});
  control_answers(R"({"accepted":[2]})");
  control_answers(R"({"accepted":[]})");

  wake();

  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{2}));
  EXPECT_THAT(agent.outbox, ElementsAre(report(1), report(3)));
  EXPECT_THAT(said.str(), HasSubstr("mentions none of the reports"));
}

TEST_F(ACourier, IsNotHeldUpByAReportThatControlCannotRead) {
  agent_has({1, 2, 3});
  control_answers(R"({"error":"report: there is no 'host'"})", 400);
  control_answers(R"({"accepted":[1]})");
  control_answers(R"({"error":"report: there is no 'host'"})", 400);
  control_answers(R"({"error":"report: there is no 'host'"})", 400);
  control_answers(R"({"accepted":[3]})");

  wake();

  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1}, Sequences{2}, Sequences{3}));
  EXPECT_EQ(said.str(), "warning: control refused report 2 for good: report: there is no 'host'\n");
}

TEST_F(ACourier, AcknowledgesNothingThatItDidNotSend) {
  agent_has({1});
  control_answers(R"({"accepted":[1,7],"refused":[{"sequence":8,"reason":"who?"}]})");

  wake();

  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1}));
  EXPECT_EQ(said.str(), "");
}

class ACourierWhoseControl : public ACourier, public ::testing::WithParamInterface<int> {};

TEST_P(ACourierWhoseControl, RefusesTheWholeRequestKeepsItAll) {
  agent_has({1});
  control_answers(R"({"accepted":[1]})", GetParam());

  wake();

  EXPECT_THAT(agent.acknowledgements, IsEmpty());
  EXPECT_THAT(agent.outbox, SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(For, ACourierWhoseControl,
                         ::testing::Values(202, 301, 400, 401, 403, 404, 413, 500, 503));

TEST_F(ACourier, TriesAgainLaterAndLaterWhileControlIsDown) {
  agent_has({1});
  wake();
  EXPECT_THAT(client.requests(), SizeIs(1));

  pass(999ms);
  EXPECT_THAT(client.requests(), SizeIs(1));
  pass(1ms);
  EXPECT_THAT(client.requests(), SizeIs(2));
  pass(1999ms);
  EXPECT_THAT(client.requests(), SizeIs(2));
  pass(1ms);
  EXPECT_THAT(client.requests(), SizeIs(3));
  pass(4s);
  EXPECT_THAT(client.requests(), SizeIs(4));
  pass(4s);
  EXPECT_THAT(client.requests(), SizeIs(5)) << "no later than the slowest";
}

TEST_F(ACourier, IsNotHurriedByMoreReportsWhileControlIsDown) {
  agent_has({1});
  wake();

  wake();

  EXPECT_THAT(client.requests(), SizeIs(1));
}

TEST_F(ACourier, TellsOfAFailureOnceAndOfItsEnd) {
  agent_has({1});
  wake();
  pass(1s);
  const auto told = said.str();
  control_answers(R"({"accepted":[1]})");

  pass(2s);

  EXPECT_THAT(told, HasSubstr("reports wait: "));
  EXPECT_EQ(told.find("reports wait: "), told.rfind("reports wait: ")) << told;
  EXPECT_THAT(said.str(), HasSubstr("reports are delivered again"));
  EXPECT_THAT(agent.outbox, IsEmpty());
}

TEST_F(ACourier, BeginsAgainQuicklyAfterASuccess) {
  agent_has({1});
  wake();
  pass(1s);
  control_answers(R"({"accepted":[1]})");
  pass(2s);
  agent_has({2});
  wake();
  const auto before = client.requests().size();

  pass(1s);

  EXPECT_THAT(client.requests(), SizeIs(before + 1));
}

TEST_F(ACourier, GivesUpAnAnswerAtItsDeadline) {
  agent_has({1});
  client.will_be_silent();
  courier.wake();

  pass(config.report_time);

  EXPECT_THAT(said.str(), HasSubstr("no answer before the deadline"));
}

TEST_F(ACourier, DeliversAgainWhatItCouldNotAcknowledge) {
  agent_has({1});
  agent.acknowledgement_error = Error{ErrorCode::unreachable, "volgrowd did not answer", {}, 0};
  control_answers(R"({"accepted":[1]})");
  wake();
  agent.acknowledgement_error.reset();
  control_answers(R"({"accepted":[1]})");

  pass(1s);

  EXPECT_THAT(client.requests(), SizeIs(2));
  EXPECT_EQ(client.requests().at(0), client.requests().at(1));
  EXPECT_THAT(agent.outbox, IsEmpty());
}

TEST_F(ACourier, WaitsForAnAgentThatIsNotThere) {
  agent.error = Error{ErrorCode::unreachable, "volgrowd is not running", {}, 0};
  wake();
  EXPECT_THAT(said.str(), HasSubstr("volgrowd is not running"));
  agent.error.reset();
  agent_has({1});
  control_answers(R"({"accepted":[1]})");

  wake();

  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1}));
}

TEST_F(ACourier, TriesAgainWhenAnAgentRefuses) {
  agent.error = Error{ErrorCode::not_authorized, "not you", {}, 0};
  wake();
  agent.error.reset();

  pass(1s);

  EXPECT_THAT(agent.lists, SizeIs(2));
}

TEST_F(ACourier, LooksByItselfNowAndThen) {
  wake();
  agent_has({1});
  control_answers(R"({"accepted":[1]})");

  pass(60s);

  EXPECT_THAT(agent.acknowledgements, ElementsAre(Sequences{1}));
}

TEST(ABatch, HoldsWhatFits) {
  EXPECT_THAT(fitting({}, 10_B), IsEmpty());
  EXPECT_THAT(fitting({{1, "1234"}, {2, "1234"}, {3, "1"}}, 10_B), SizeIs(2));
  EXPECT_THAT(fitting({{1, "1234"}, {2, "12345"}, {3, "1"}}, 10_B), SizeIs(1));
}

TEST(ABatch, HoldsOneReportAtLeast) {
  EXPECT_THAT(fitting({{1, "12345678901234567890"}, {2, ""}}, 10_B), SizeIs(1));
}

}  // namespace
}  // namespace volgrow::relay
