// SPDX-License-Identifier: Apache-2.0
// A server and its well-behaved clients: requests come whole, answers leave in order, now or later.
#include "http/server.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <stdexcept>

#include "tests/http/a_server.h"

namespace volgrow {
namespace {

using http::Answer;
using http::Request;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr auto grown = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ngrown\n";

TEST_F(AServer, GivesTheApplicationTheWholeRequest) {
  auto peer = client();

  peer.send(
      "PUT /v3/a%2Fb?name=x%20y&all&name=z HTTP/1.1\r\nHost: h\r\nX-Twice: 1\r\nx-twice: 2\r\n"
      "Content-Length: 5\r\n\r\nbytes");
  answers(peer);

  EXPECT_THAT(
      requests,
      ElementsAre(Request{
          .method = "PUT",
          .path = "/v3/a%2Fb",
          .query = {{"name", "x y"}, {"all", ""}, {"name", "z"}},
          .fields = {{"Host", "h"}, {"X-Twice", "1"}, {"x-twice", "2"}, {"Content-Length", "5"}},
          .body = "bytes",
          .peer = "127.0.0.1"}));
}

TEST_F(AServer, AnswersWithStatusFieldsAndBody) {
  response = {.status = 202, .fields = {{"X-Id", "req-1"}, {"X-Id", "req-2"}}, .body = "{}"};
  auto peer = client();

  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");

  EXPECT_EQ(answers(peer),
            "HTTP/1.1 202 Accepted\r\nX-Id: req-1\r\nX-Id: req-2\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_F(AServer, AnswersOneRequestAfterTheOtherOnOneConnection) {
  auto peer = client();

  peer.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto first = answers(peer);
  peer.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto second = answers(peer);

  EXPECT_EQ(first, grown);
  EXPECT_EQ(second, grown);
  EXPECT_EQ(server().connections(), 1U);
}

TEST_F(AServer, AnswersPipelinedRequestsInTheirOrder) {
  auto peer = client();

  peer.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
      "abcGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  answers(peer, 3);

  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_EQ(requests[0].path, "/1");
  EXPECT_EQ(requests[1].body, "abc");
  EXPECT_EQ(requests[2].path, "/3");
}

TEST_F(AServer, AnswersMorePipelinedRequestsThanItsMemoryHolds) {
  auto peer = client();

  for (int i = 0; i < 5000; ++i)
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  peer.finish();
  expect_end(peer);

  EXPECT_EQ(whole_answers(peer.received()), 5000U);
}

TEST_F(AServer, WaitsForARequestThatComesInPieces) {
  auto peer = client();
  auto other = client();

  for (const auto* const piece :
       {"PO", "ST / HTTP/1.1\r\nHo", "st: h\r\nContent-Length: 4\r", "\n\r\nab"}) {
    peer.send(piece);
    other.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
    answers(other);
  }
  peer.send("cd");

  EXPECT_EQ(answers(peer), grown);
  EXPECT_EQ(requests.back().body, "abcd");
}

TEST_F(AServer, TakesABodyInChunks) {
  auto peer = client();

  peer.send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;extension=1\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");

  EXPECT_EQ(answers(peer), grown);
  EXPECT_EQ(requests.back().body, "abcde");
}

TEST_F(AServer, TellsAClientThatAsksFirstToSendItsBody) {
  auto peer = client();

  peer.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  run_until([&] { return !peer.received().empty(); });
  const auto first = peer.take_received();
  peer.send("ab");

  EXPECT_EQ(first, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(answers(peer), grown);
}

TEST_F(AServer, AnswersHeadWithTheLengthAndWithoutTheBody) {
  auto peer = client();

  peer.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  expect_end(peer);

  EXPECT_EQ(without_date(peer.received()),
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n");
}

TEST_F(AServer, SendsNoBodyWithAStatusThatHasNone) {
  response = {.status = 204};
  auto peer = client();

  peer.send("DELETE / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(answers(peer, 2), "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(AServer, ClosesAfterAnOldClientsRequest) {
  auto peer = client();

  peer.send("GET / HTTP/1.0\r\n\r\n");
  expect_end(peer);

  EXPECT_THAT(peer.received(), EndsWith("\r\n\r\ngrown\n"));
  EXPECT_FALSE(peer.was_reset());
}

TEST_F(AServer, ClosesWhenAClientHasClosedItsSideAndHasItsAnswers) {
  auto peer = client();

  peer.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  peer.finish();
  expect_end(peer);

  EXPECT_EQ(without_date(peer.received()), std::string(grown) + grown);
}

TEST_F(AServer, SendsABigAnswerWhole) {
  response.body = std::string(3'000'000, 'x');
  auto peer = client();

  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_THAT(answers(peer), EndsWith("\r\n\r\n" + response.body));
}

TEST_F(AServer, SendsAnAnswerThatIsGivenLater) {
  auto peer = client();
  peer.send("POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
  run_until([&] { return !waiting.empty(); });

  waiting.front()({.status = 202});

  EXPECT_THAT(answers(peer), StartsWith("HTTP/1.1 202 Accepted"));
}

TEST_F(AServer, GivesEveryClientItsOwnAnswerWhenTheyAreGivenInAnotherOrder) {
  auto one = client();
  auto two = client();
  one.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting.size() == 1; });
  two.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting.size() == 2; });

  waiting[1]({.body = "two"});
  waiting[0]({.body = "one"});

  EXPECT_THAT(answers(one), EndsWith("\r\n\r\none"));
  EXPECT_THAT(answers(two), EndsWith("\r\n\r\ntwo"));
}

TEST_F(AServer, KeepsPipelinedRequestsBehindAnAnswerThatIsGivenLater) {
  auto peer = client();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });

  waiting.front()({.body = "later"});

  EXPECT_EQ(answers(peer, 2),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlater" + std::string(grown));
}

TEST_F(AServer, SaysThatItFailedWhenAnAnswerIsDropped) {
  auto peer = client();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });

  waiting.clear();

  EXPECT_THAT(answers(peer), StartsWith("HTTP/1.1 500 "));
}

TEST_F(AServer, SaysThatItFailedInsteadOfSendingAFieldThatBeginsAnother) {
  response.fields = {{"X-Name", "a\r\nSet-Cookie: b"}};
  auto peer = client();

  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto answer = answers(peer);

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie")));
}

TEST_F(AServer, SaysThatItFailedInsteadOfSendingAStatusThatIsNone) {
  response.status = 102;
  auto peer = client();

  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_THAT(answers(peer), StartsWith("HTTP/1.1 500 "));
}

TEST_F(AServer, TakesAnAnswerForAClientThatIsGone) {
  auto peer = client();
  auto other = client();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });
  peer.vanish();

  waiting.front()({.body = std::string(1'000'000, 'x')});
  other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(answers(other), grown);
  EXPECT_EQ(server().connections(), 1U);
}

TEST_F(AServer, TakesAnAnswerAfterItsOwnEnd) {
  auto peer = client();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });

  end_server();
  waiting.front()({.body = "too late"});
  expect_end(peer);

  EXPECT_EQ(peer.received(), "");
}

TEST_F(AServer, EndsWithAnAnswerThatWasGivenAndNotSent) {
  auto peer = client();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });

  waiting.front()({.body = "just now"});
  end_server();
  expect_end(peer);

  EXPECT_EQ(peer.received(), "");
}

TEST_F(AServer, EndsInTheMiddleOfRequestsAndAnswers) {
  response.body = std::string(3'000'000, 'x');
  auto half_asked = client();
  auto half_answered = client();
  half_asked.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
  half_answered.stop_reading();
  half_answered.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !requests.empty(); });

  end_server();
  expect_end(half_asked);

  EXPECT_EQ(half_asked.received(), "");
}

TEST_F(AServer, LeavesNothingOnTheLoopWhenItEnds) {
  auto peer = client();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  answers(peer);

  end_server();

  EXPECT_EQ(loop.timers(), 0U);
}

class AnApplicationThatAnswersOthersFirst : public AServer {
 protected:
  void on_request(Request request, Answer answer) override {
    for (auto& other : waiting)
      other({.body = "other"});
    waiting.clear();
    if (request.path == "/later") return waiting.push_back(std::move(answer));
    answer(response);
  }
};

TEST_F(AnApplicationThatAnswersOthersFirst, AnswersThemFromWithinItsOwnRequest) {
  auto one = client();
  auto two = client();
  one.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });

  two.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(answers(two), grown);
  EXPECT_THAT(answers(one), EndsWith("\r\n\r\nother"));
}

class AnApplicationThatThrows : public AServer {
 protected:
  void on_request(Request, Answer) override { throw std::runtime_error("out of everything"); }
};

TEST_F(AnApplicationThatThrows, EndsTheLoopWithWhatItThrew) {
  auto peer = client();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  const auto ended = loop.run();

  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("out of everything"));
}

TEST_F(AServer, TellsWhereItListens) {
  EXPECT_THAT(server().endpoint(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(server().endpoint(), Not(EndsWith(":0")));
}

TEST_F(AServer, ListensOnIpv6) {
  options.listen = "[::1]:0";
  auto peer = client();

  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  answers(peer);

  EXPECT_THAT(server().endpoint(), StartsWith("[::1]:"));
  EXPECT_EQ(requests.at(0).peer, "::1");
}

TEST_F(AServer, ListensOnEveryAddressAndTellsIpv4ClientsAsSuch) {
  options.listen = ":0";
  const auto& everywhere = server().endpoint();
  RawPeer peer(loop, "127.0.0.1" + everywhere.substr(everywhere.rfind(':')));

  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  answers(peer);

  EXPECT_EQ(requests.at(0).peer, "127.0.0.1");
}

TEST_F(AServer, DoesNotListenWhereAnotherDoes) {
  options.listen = server().endpoint();

  const auto second = listening();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().error_number, EADDRINUSE);
  EXPECT_THAT(second.error().message, HasSubstr(options.listen));
}

TEST_F(AServer, DoesNotListenOnWhatIsNoAddress) {
  for (const auto* const address :
       {"", "8776", "localhost:8776", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "::1:8776",
        "[::1]", "127.0.0.1:70000", "[::1:8776", "300.0.0.1:80"}) {
    options.listen = address;

    const auto started = listening();

    ASSERT_FALSE(started) << address;
    EXPECT_EQ(started.error().code, ErrorCode::invalid_args) << started.error().message;
  }
}

}  // namespace
}  // namespace volgrow
