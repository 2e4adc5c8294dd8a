// SPDX-License-Identifier: Apache-2.0
// The real client against a server that a test plays byte for byte: what is sent, what is
// understood, and every way in which a server can fail to answer.
#include "http/client.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/fakes/fake_time_loop.h"
#include "tests/http/a_client.h"
#include "tests/http/raw_peer.h"

namespace volgrow {
namespace {

using http::Client;
using http::Outgoing;
using http::Response;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pointee;
using ::testing::StartsWith;

class AClient : public ::testing::Test {
 protected:
  std::string url(const std::string& path = "/") const {
    return "http://" + listener.endpoint() + path;
  }
  Deadline deadline() const { return within(seconds(10), loop.clock().now()); }
  std::unique_ptr<Outcome> send(Outgoing outgoing) {
    return sent(*client, std::move(outgoing), deadline());
  }
  std::unique_ptr<Outcome> get() { return send({.url = url()}); }

  template <class Condition>
  void run_until(Condition condition) {
    ASSERT_TRUE(loop.run_until(condition));
  }
  /// Until the server has a request that ends in `end`; returns it.
  std::string heard(const std::string& end = "\r\n\r\n") {
    run_until([&] { return listener.client() && listener.client()->received().ends_with(end); });
    return listener.client()->take_received();
  }
  void answer(std::string_view bytes) { listener.client()->send(bytes); }
  /// What came of a request to which the server says `bytes` and then hangs up.
  std::unique_ptr<Outcome> outcome_of(std::string_view bytes) {
    auto outcome = get();
    heard();
    answer(bytes);
    listener.hang_up();
    run_until([&] { return outcome->is_there(); });
    return outcome;
  }

  FakeTimeLoop loop;
  RawListener listener{loop};
  http::ClientLimits limits{.head = 1_KiB, .body = 1_KiB};
  std::unique_ptr<Client> client = Client::create(loop, loop.clock(), limits).value();
};

TEST_F(AClient, SendsMethodFieldsAndBodyAsTheyAre) {
  const auto outcome =
      send({.method = "POST",
            .url = url("/os%2Fevents?a=%20b"),
            .fields = {{"X-Auth-Token", "t"}, {"Content-Type", "application/json"}},
            .body = "{\"events\":[]}"});

  EXPECT_EQ(heard("]}"),
            "POST /os%2Fevents?a=%20b HTTP/1.1\r\nHost: " + listener.endpoint() +
                "\r\nUser-Agent: volgrow/" VOLGROW_VERSION
                "\r\nAccept: */*\r\nX-Auth-Token: t\r\nContent-Type: application/json\r\n"
                "Content-Length: 13\r\n\r\n{\"events\":[]}");
}

TEST_F(AClient, SendsABigBodyWithoutAskingFirst) {
  const auto outcome =
      send({.method = "PUT", .url = url(), .body = std::string(3'000'000, 'x') + "end"});

  const auto request = heard("end");

  EXPECT_THAT(request, AllOf(Not(HasSubstr("Expect")), Not(HasSubstr("Content-Type"))));
}

TEST_F(AClient, GivesStatusFieldsAndBodyOfTheAnswer) {
  const auto outcome = get();
  heard();

  answer("HTTP/1.1 404 Not Found\r\nX-Id: 1\r\nx-id:2 \r\nContent-Length: 2\r\n\r\n{}");
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome,
              Pointee(AnswersWith(Response{
                  .status = 404, .fields = {{"X-Id", "1"}, {"x-id", "2"}}, .body = "{}"})));
}

TEST_F(AClient, GivesABodyThatComesInChunksWithoutItsTrailer) {
  const auto outcome = get();
  heard();

  answer("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
  answer("HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n");
  answer("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n");
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome,
              Pointee(AnswersWith(Response{
                  .status = 207, .fields = {{"Transfer-Encoding", "chunked"}}, .body = "abcde"})));
}

TEST_F(AClient, UsesAConnectionAgain) {
  for (int i = 0; i < 3; ++i) {
    const auto outcome = get();
    heard();
    answer("HTTP/1.1 204 No Content\r\n\r\n");
    run_until([&] { return outcome->is_there(); });
    EXPECT_THAT(outcome, Pointee(AnswersWith(Response{.status = 204})));
  }

  EXPECT_EQ(listener.clients(), 1U);
}

TEST_F(AClient, ConnectsAgainWhenAConnectionEndedMeanwhile) {
  outcome_of("HTTP/1.1 204 No Content\r\n\r\n");

  EXPECT_THAT(outcome_of("HTTP/1.1 204 No Content\r\n\r\n"),
              Pointee(AnswersWith(Response{.status = 204})));
}

TEST_F(AClient, AsksForTheHeadOnly) {
  const auto outcome = send({.method = "HEAD", .url = url()});
  EXPECT_THAT(heard(), StartsWith("HEAD / HTTP/1.1\r\n"));

  answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome, Pointee(AnswersWith(Response{.status = 200})));
}

TEST_F(AClient, FollowsNoRedirect) {
  const auto outcome =
      outcome_of("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");

  EXPECT_THAT(
      outcome,
      Pointee(AnswersWith(Response{.status = 302, .fields = {{"Location", "/elsewhere"}}})));
}

TEST_F(AClient, AsksNoProxyOfTheEnvironment) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);

  const auto outcome = outcome_of("HTTP/1.1 204 No Content\r\n\r\n");
  ::unsetenv("http_proxy");

  EXPECT_THAT(outcome, Pointee(AnswersWith(Response{.status = 204})));
}

TEST_F(AClient, SaysThatNobodyListens) {
  const auto outcome = send({.url = "http://127.0.0.1:1/v3"});
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "GET http://127.0.0.1:1/v3: ")));
  EXPECT_EQ(outcome->result->error().error_number, ECONNREFUSED);
}

TEST_F(AClient, LooksUpANameWithoutHoldingTheLoop) {
  const auto port = listener.endpoint().substr(listener.endpoint().rfind(':'));
  const auto outcome = send({.url = "http://localhost" + port + "/"});

  EXPECT_THAT(heard(), HasSubstr("Host: localhost" + port));
}

TEST_F(AClient, SaysWhenAServerDoesNotAnswerRight) {
  for (const auto* const bytes : {
           "",                                                         // hangs up
           "HTTP/1.1 200 OK\r\nContent-Le",                            // within the head
           "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",       // within the body
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz",  // no chunk
           "HTTP/9.9 200 OK\r\n\r\n",
           "SSH-2.0-OpenSSH_9\r\n",
       }) {
    const auto outcome = outcome_of(bytes);

    EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "GET " + url()))) << bytes;
  }
}

TEST_F(AClient, SaysWhenAServerResetsTheConnection) {
  const auto outcome = get();
  heard();

  answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  listener.client()->vanish();
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "GET " + url())));
}

TEST_F(AClient, RefusesAnAnswerThatIsTooLong) {
  const std::string head = "HTTP/1.1 200 OK\r\n";

  EXPECT_THAT(outcome_of(head + "Content-Length: 1025\r\n\r\n" + std::string(1025, 'x')),
              Pointee(FailsWith(ErrorCode::limits_exceeded, "1024")));
  EXPECT_THAT(outcome_of(head + "\r\n" + std::string(100'000, 'x')),
              Pointee(FailsWith(ErrorCode::limits_exceeded, "1024")));
  EXPECT_THAT(outcome_of(head + "X: " + std::string(1024, 'x') + "\r\n\r\n"),
              Pointee(FailsWith(ErrorCode::limits_exceeded, "1024")));
}

TEST_F(AClient, GivesUpAtTheDeadline) {
  const auto outcome = get();
  heard();
  answer("HTTP/1.1 200 OK\r\n");

  loop.advance(seconds(9));
  loop.exit(0);
  ASSERT_TRUE(loop.run());
  EXPECT_FALSE(outcome->is_there());
  loop.advance(seconds(1));
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::timed_out, "GET " + url())));
  run_until([&] { return listener.client()->ended(); });
}

TEST_F(AClient, SendsNothingAfterTheDeadline) {
  const auto outcome = sent(*client, {.url = url()}, Deadline{loop.clock().now()});
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::timed_out, "")));
  EXPECT_EQ(listener.clients(), 0U);
}

TEST_F(AClient, TellsNobodyWhatCameOfARequestThatWasGivenUp) {
  const auto given_up = get();
  heard();
  given_up->pending.reset();
  run_until([&] { return listener.client()->ended(); });

  const auto other = outcome_of("HTTP/1.1 204 No Content\r\n\r\n");

  EXPECT_THAT(other, Pointee(AnswersWith(Response{.status = 204})));
  EXPECT_FALSE(given_up->is_there());
}

TEST_F(AClient, TellsNobodyAnythingAfterItsEnd) {
  const auto one = get();
  heard();
  const auto two = send({.url = "ftp://127.0.0.1/"});

  client.reset();
  run_until([&] { return listener.client()->ended(); });

  EXPECT_FALSE(one->is_there());
  EXPECT_FALSE(two->is_there());
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(AClient, MayEndInItsOwnAnswer) {
  bool called = false;
  const auto pending = client->send({.url = url()}, deadline(), [&](Result<Response>) {
    client.reset();
    called = true;
  });
  const auto other = send({.url = url()});
  heard();

  answer("HTTP/1.1 204 No Content\r\n\r\n");
  listener.hang_up();
  run_until([&] { return called; });

  EXPECT_FALSE(other->is_there());
}

TEST_F(AClient, MayBeAskedAgainFromAnAnswer) {
  std::unique_ptr<Outcome> second;
  const auto first =
      client->send({.url = url()}, deadline(), [&](Result<Response>) { second = get(); });
  heard();
  answer("HTTP/1.1 204 No Content\r\n\r\n");

  heard();
  answer("HTTP/1.1 204 No Content\r\n\r\n");
  run_until([&] { return second->is_there(); });

  EXPECT_THAT(second, Pointee(AnswersWith(Response{.status = 204})));
}

TEST_F(AClient, LetsNoMoreConnectionsThanItsLimitReachAHost) {
  limits.connections_per_host = 2;
  client = Client::create(loop, loop.clock(), limits).value();
  std::vector<std::unique_ptr<Outcome>> outcomes;
  for (int i = 0; i < 5; ++i)
    outcomes.push_back(get());

  run_until([&] { return listener.clients() == 2; });
  const auto other = sent(*client, {.url = "http://127.0.0.1:1/"}, deadline());
  run_until([&] { return other->is_there(); });

  EXPECT_EQ(listener.clients(), 2U);
}

TEST_F(AClient, CannotSendWhatIsNoRequest) {
  for (const auto& outgoing : {
           Outgoing{.method = "GET /", .url = url()},
           Outgoing{.url = "file:///etc/passwd"},
           Outgoing{.url = "127.0.0.1/"},
           Outgoing{.url = "http://"},
           Outgoing{.url = url("/a\r\nX: 1")},
           Outgoing{.url = url(), .fields = {{"X", "1\r\nY: 2"}}},
           Outgoing{.url = url(), .fields = {{"X\n", "1"}}},
           Outgoing{.url = url(), .fields = {{"", "1"}}},
       }) {
    const auto outcome = send(outgoing);
    run_until([&] { return outcome->is_there(); });

    EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::invalid_args, ""))) << outgoing.url;
  }
}

TEST_F(AClient, RepeatsNoSecretInAnError) {
  const std::string secret = "hunter2";
  const http::Fields token{{"X-Auth-Token", secret}};
  std::vector<std::unique_ptr<Outcome>> outcomes;
  for (const auto& where :
       {"http://u:" + secret + "@127.0.0.1:1/?token=" + secret, "http://u:" + secret + "@",
        "http://u:" + secret + "@127.0.0.1:x/", "gopher://u:" + secret + "@127.0.0.1/"})
    outcomes.push_back(send({.url = where, .fields = token}));
  outcomes.push_back(send({.url = url(), .fields = {{"X-Auth-Token", secret + "\n"}}}));
  outcomes.push_back(sent(*client, {.url = url("/?" + secret), .fields = token}, Deadline{}));

  for (const auto& outcome : outcomes) {
    run_until([&] { return outcome->is_there(); });
    ASSERT_FALSE(*outcome->result);
    EXPECT_THAT(outcome->result->error().message, Not(HasSubstr(secret)));
  }
}

TEST(AUrl, IsToldWithoutItsSecrets) {
  EXPECT_EQ(http::without_secrets("https://h:1/a/b"), "https://h:1/a/b");
  EXPECT_EQ(http::without_secrets("https://u:p@h/a?t=1#f"), "https://h/a");
  EXPECT_EQ(http::without_secrets("http://u:p@q@h"), "http://h");
  EXPECT_EQ(http::without_secrets("http://h/a@b"), "http://h/a@b");
  EXPECT_EQ(http::without_secrets("u:p@h/a"), "h/a");
  EXPECT_EQ(http::without_secrets("http://h/\x1b[1m"), "http://h/\\x1b[1m");
}

}  // namespace
}  // namespace volgrow
