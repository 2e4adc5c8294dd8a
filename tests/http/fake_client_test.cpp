// SPDX-License-Identifier: Apache-2.0
// The fake client keeps the promises of the real one.
#include <gmock/gmock.h>

#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/http/a_client.h"

namespace volgrow {
namespace {

using http::Outgoing;
using http::Response;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Pointee;

class AFakeClient : public ::testing::Test {
 protected:
  std::unique_ptr<Outcome> send(const std::string& url) {
    return sent(client, {.url = url}, within(seconds(10), loop.clock().now()));
  }
  void turn() {
    const auto idle = loop.when_idle([this] { loop.exit(0); });
    ASSERT_TRUE(loop.run());
  }

  FakeTimeLoop loop;
  FakeHttpClient client{loop};
};

TEST_F(AFakeClient, PlaysAnswersInOrderAndKeepsWhatWasSent) {
  client.will_answer(Response{.status = 202});
  client.will_answer(failure(ErrorCode::unreachable, "gone"));

  const auto one = send("http://one");
  const auto two = send("http://two");
  const auto three = send("http://three");
  EXPECT_FALSE(one->is_there());
  turn();

  EXPECT_THAT(one, Pointee(AnswersWith(Response{.status = 202})));
  EXPECT_THAT(two, Pointee(FailsWith(ErrorCode::unreachable, "gone")));
  EXPECT_THAT(three, Pointee(FailsWith(ErrorCode::unreachable, "no answer")));
  EXPECT_THAT(client.requests(),
              ElementsAre(Outgoing{.url = "http://one"}, Outgoing{.url = "http://two"},
                          Outgoing{.url = "http://three"}));
}

TEST_F(AFakeClient, IsSilentUntilTheDeadline) {
  client.will_be_silent();
  const auto outcome = send("http://one");
  turn();
  EXPECT_FALSE(outcome->is_there());

  loop.advance(seconds(10));
  turn();

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::timed_out, "")));
}

TEST_F(AFakeClient, TellsNobodyWhatCameOfARequestThatWasGivenUp) {
  client.will_answer(Response{});
  const auto outcome = send("http://one");

  outcome->pending.reset();
  turn();

  EXPECT_FALSE(outcome->is_there());
  EXPECT_EQ(client.waiting(), 0U);
}

}  // namespace
}  // namespace volgrow
