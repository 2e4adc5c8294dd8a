// SPDX-License-Identifier: Apache-2.0
// What a client may not do, or not for long: the server says so where it can, cuts it off where it
// cannot, and serves the others meanwhile.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include "http/server.h"
#include "tests/http/a_server.h"

namespace volgrow {
namespace {

using http::Refusal;
using http::Response;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr auto get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class AServerWithLimits : public AServer {
 protected:
  AServerWithLimits() {
    options.limits.body = Bytes(1000);
    options.limits.target = Bytes(200);
    options.limits.head = 4_KiB;
    options.limits.receiving = seconds(30);
    options.limits.idle = seconds(75);
    options.limits.sending = seconds(20);
    options.on_refused = [](const Refusal& refusal) {
      return Response{.status = refusal.status,
                      .fields = {{"X-Refused", "yes"}},
                      .body = fmt::format("<{}>", refusal.reason)};
    };
  }
  std::string answer_to(std::string_view request) {
    auto peer = client();
    peer.send(request);
    return answers(peer);
  }
  void expect_served(RawPeer& other) {
    other.send(get);
    EXPECT_THAT(answers(other), StartsWith("HTTP/1.1 200 OK"));
  }
  static auto refused(int status) {
    return AllOf(StartsWith(fmt::format("HTTP/1.1 {} ", status)), HasSubstr("X-Refused: yes\r\n"),
                 EndsWith(">"));
  }
};

std::string post(std::size_t size, std::string_view extra = "") {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}Content-Length: {}\r\n\r\n", extra, size);
}

TEST_F(AServerWithLimits, TakesABodyOfExactlyItsLimit) {
  EXPECT_THAT(answer_to(post(1000) + std::string(1000, 'x')), StartsWith("HTTP/1.1 200 OK"));

  EXPECT_THAT(requests.at(0).body, SizeIs(1000));
}

TEST_F(AServerWithLimits, RefusesALongerBodyBeforeItComes) {
  EXPECT_THAT(answer_to(post(1001)), refused(413));

  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(AServerWithLimits, RefusesALongerBodyOfAClientThatAskedFirst) {
  EXPECT_THAT(answer_to(post(1001, "Expect: 100-continue\r\n")), refused(413));
}

TEST_F(AServerWithLimits, LetsAClientReadItsRefusalThatSendsTheWholeBodyFirst) {
  auto peer = client();
  peer.stop_reading();
  peer.send(post(8'000'000) + std::string(8'000'000, 'x'));
  run_until([&] { return peer.has_sent_all(); });

  peer.start_reading();
  expect_end(peer);

  EXPECT_THAT(without_date(peer.received()), refused(413));
  EXPECT_FALSE(peer.was_reset());
}

TEST_F(AServerWithLimits, RefusesALongerBodyInChunksAtItsEnd) {
  auto peer = client();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100; ++i)
    peer.send("64\r\n" + std::string(100, 'x') + "\r\n");
  peer.send("0\r\n\r\n");

  EXPECT_THAT(answers(peer), refused(413));
  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(AServerWithLimits, RefusesALongAddress) {
  EXPECT_THAT(answer_to("GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"),
              refused(414));
}

TEST_F(AServerWithLimits, TakesAHeadOfItsLimit) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nX: ";

  EXPECT_THAT(answer_to(begin + std::string(4096 - begin.size() - 4, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(AServerWithLimits, RefusesALongHead) {
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(4096, 'a') + "\r\n\r\n"),
              refused(431));
}

TEST_F(AServerWithLimits, RefusesAHeadThatIsLongerThanItsMemory) {
  auto peer = client();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1'000'000, 'a'));
  expect_end(peer);

  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 431 "));
  EXPECT_FALSE(peer.was_reset());
}

TEST_F(AServerWithLimits, RefusesMoreFieldsThanItsMemoryHolds) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 10'000; ++i)
    head += "a:\r\n";
  auto peer = client();
  peer.send(head + "\r\n");
  expect_end(peer);

  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(AServerWithLimits, RefusesARequestLineWithoutEnd) {
  auto peer = client();
  peer.send("GET /" + std::string(1'000'000, 'a'));
  expect_end(peer);

  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 414 "));
}

TEST_F(AServerWithLimits, RefusesWhatTwoReadersCouldReadInTwoWays) {
  for (const auto* const request : {
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nX-Space : 1\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1\r\na\r\n0\r\n\r\n",
       })
    EXPECT_THAT(answer_to(request), refused(400)) << request;
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
              refused(501));

  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(AServerWithLimits, EndsConnectionsThatDoNotSpeakHttp) {
  for (const std::string_view noise :
       {std::string_view("\r\n\r\n\r\n!\r\n"), std::string_view("SSH-2.0-OpenSSH_9\r\n"),
        std::string_view("GET\r\n\r\n"),
        std::string_view("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"),
        std::string_view("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        std::string_view("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "fffffffffffffffff\r\n")}) {
    auto peer = client();
    peer.send(noise);
    peer.finish();
    expect_end(peer);
  }
  auto other = client();

  expect_served(other);
}

TEST_F(AServerWithLimits, LetsMoreConnectionsWaitUntilOneEnds) {
  options.limits.connections = 2;
  auto one = another_client();
  auto two = client();
  expect_served(*one);
  expect_served(two);
  auto three = client();
  three.send(get);
  expect_served(two);
  EXPECT_THAT(three.received(), IsEmpty());

  one->vanish();

  EXPECT_THAT(answers(three), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(AServerWithLimits, ClosesMoreConnectionsOfOneAddressAtOnce) {
  options.limits.connections_per_address = 2;
  auto one = client();
  auto two = client();
  expect_served(one);
  expect_served(two);
  auto three = client();

  expect_end(three);

  expect_served(two);
}

TEST_F(AServerWithLimits, CutsAClientThatSendsItsHeadTooSlowly) {
  auto slow = client();
  auto other = client();
  slow.send("GET / HTTP/1.1\r\n");
  expect_served(other);
  for (int i = 0; i < 29; ++i) {
    loop.advance(seconds(1));
    slow.send("X: 1\r\n");
    expect_served(other);
  }
  EXPECT_FALSE(slow.ended());

  loop.advance(seconds(1));
  expect_end(slow);

  expect_served(other);
}

TEST_F(AServerWithLimits, CutsAClientThatSendsNothing) {
  auto silent = client();
  auto other = client();
  expect_served(other);

  loop.advance(seconds(30));
  expect_end(silent);

  expect_served(other);
}

TEST_F(AServerWithLimits, CutsAClientThatSendsItsBodyTooSlowly) {
  auto slow = client();
  auto other = client();
  slow.send(post(100));
  expect_served(other);
  for (int i = 0; i < 29; ++i) {
    slow.send("x");
    loop.advance(seconds(1));
    expect_served(other);
  }
  EXPECT_FALSE(slow.ended());

  loop.advance(seconds(1));
  expect_end(slow);
}

TEST_F(AServerWithLimits, CutsAClientThatAsksForNothingMore) {
  auto idle = client();
  expect_served(idle);

  loop.advance(seconds(74));
  expect_served(idle);
  loop.advance(seconds(75));
  expect_end(idle);

  EXPECT_EQ(server().connections(), 0U);
}

TEST_F(AServerWithLimits, GivesALaterRequestItsOwnTime) {
  auto peer = client();
  expect_served(peer);
  loop.advance(seconds(70));
  peer.send("POST / HTTP/1.1\r\nHost: h\r\n");
  auto other = client();
  expect_served(other);

  loop.advance(seconds(29));
  peer.send("Content-Length: 0\r\n\r\n");

  EXPECT_THAT(answers(peer), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(AServerWithLimits, CutsAClientThatReadsItsAnswerTooSlowly) {
  response.body = std::string(20'000'000, 'x');
  auto slow = client();
  slow.stop_reading();
  slow.send(get);
  run_until([&] { return !requests.empty(); });

  loop.advance(seconds(20));
  auto other = client();
  response.body = "short";
  expect_served(other);

  EXPECT_EQ(server().connections(), 1U);
}

TEST_F(AServerWithLimits, LetsTheApplicationTakeItsTime) {
  auto peer = client();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return !waiting.empty(); });

  loop.advance(std::chrono::hours(1));
  auto other = client();
  expect_served(other);
  waiting.front()({.body = "at last"});

  EXPECT_THAT(answers(peer), EndsWith("at last"));
}

TEST_F(AServerWithLimits, EndsARefusedClientThatDoesNotLeave) {
  auto stubborn = client();
  stubborn.send(post(2000));
  answers(stubborn);
  auto other = client();
  expect_served(other);
  EXPECT_EQ(loop.timers(),
            2U);  // the connection of the other, and what is left of the stubborn one

  loop.advance(seconds(20));
  expect_served(other);

  EXPECT_EQ(loop.timers(), 1U);
}

TEST_F(AServerWithLimits, RestsWhileAChunkSizeDoesNotEnd) {
  auto peer = client();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
            std::string(200'000, 'x'));
  int turns = 0;
  const auto counter = loop.before_waiting([&] {
    if (++turns > 10'000) loop.exit(1);
  });
  const auto idle = loop.when_idle([this] { loop.exit(0); });

  EXPECT_EQ(loop.run(), 0);
}

}  // namespace
}  // namespace volgrow
