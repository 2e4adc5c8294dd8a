// SPDX-License-Identifier: Apache-2.0
// The client against the real server, and against ends of a socket that lie, hang or go away.
#include "backend/client.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include <sstream>

#include "backend/listener.h"
#include "backend/server.h"
#include "tests/backend/fake_driver.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AClient : public ::testing::Test {
 protected:
  Deadline soon() const { return within(10s, loop.clock().now()); }

  template <class C>
  Result<typename C::Answer> ask(C call) {
    std::optional<Result<typename C::Answer>> result;
    client->call(std::move(call), soon(),
                 [&](Result<typename C::Answer> answer) { result = std::move(answer); });
    EXPECT_TRUE(loop.run_until([&] { return result.has_value(); }));
    return *result;
  }

  TemporaryDirectory folder;
  std::string path = folder / "backend.sock";
  FakeTimeLoop loop;
  std::unique_ptr<Client> client = make_client(loop, loop.clock(), path);
};

class AClientWithItsServer : public AClient {
 protected:
  AClientWithItsServer() { start(); }
  ~AClientWithItsServer() override { driver->let_go(); }

  void start() {
    server = Server::create({loop, loop.clock(), *log}, {{"fast", driver}}, 0, {}).value();
    EXPECT_THAT(server->listen(bind_listener(path, 0).value()), Succeeds());
  }

  std::ostringstream text;
  std::unique_ptr<Log> log = stream_log(text, LogLevel::info);
  std::shared_ptr<FakeDriver> driver = std::make_shared<FakeDriver>();
  std::unique_ptr<Server> server;
};

TEST_F(AClientWithItsServer, GetsTheAnswerOfEachCall) {
  const VolumeName volume{"fast", "a"};

  EXPECT_EQ(ask(Create{volume, 1_GiB}), Measured{1_GiB});
  EXPECT_EQ(ask(Extend{volume, 2_GiB}), Measured{2_GiB});
  EXPECT_EQ(ask(GetSize{volume}), Measured{2_GiB});
  EXPECT_EQ(ask(GetCapabilities{"fast"})->free, 5_GiB);
  EXPECT_THAT(ask(Export{volume, {"host", {}}}), Succeeds());
  EXPECT_EQ(ask(Unexport{volume, {"host", {}}}), Unexported{"/dev/loop9"});
  EXPECT_EQ(ask(Remove{volume}), Removed{});
  EXPECT_THAT(ask(GetSize{volume}), FailsWith(ErrorCode::no_such_volume, "there is no a"));
}

TEST_F(AClientWithItsServer, HasSeveralCallsInFlightWhoseAnswersComeInAnyOrder) {
  std::vector<std::string> ended;
  driver->hold("a");
  client->call(Extend{{"fast", "a"}, 1_GiB}, soon(), [&](auto) { ended.emplace_back("slow"); });
  client->call(Create{{"fast", "b"}, 1_GiB}, soon(), [&](auto) { ended.emplace_back("quick"); });
  ASSERT_TRUE(loop.run_until([&] { return ended.size() == 1; }));
  driver->let_go();

  ASSERT_TRUE(loop.run_until([&] { return ended.size() == 2; }));

  EXPECT_THAT(ended, ElementsAre("quick", "slow"));
}

TEST_F(AClientWithItsServer, HasManyCallsInFlight) {
  std::size_t answered = 0;
  for (int i = 0; i < 1000; ++i)
    client->call(Create{{"fast", std::to_string(i)}, 1_GiB}, soon(),
                 [&](const Result<Measured>& made) { answered += made ? 1 : 0; });

  ASSERT_TRUE(loop.run_until([&] { return answered == 1000; }));
}

TEST_F(AClientWithItsServer, KeepsWhatIsTooMuchAtOnceUntilThereIsRoom) {
  std::size_t answered = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 2'500; ++i)
    client->call(Create{{"fast", std::to_string(i)}, 1_GiB}, soon(),
                 [&](const Result<Measured>& made) { ++(made ? answered : refused); });

  ASSERT_TRUE(loop.run_until([&] { return answered + refused == 2'500; }));
  EXPECT_EQ(refused, 0);
}

TEST_F(AClientWithItsServer, SaysOfWhatWasNeverSentThatItWasNot) {
  driver->hold("a");
  std::vector<std::string> told;
  for (int i = 0; i < 1025; ++i)
    client->call(Extend{{"fast", "a"}, 1_GiB}, soon(),
                 [&](const Result<Measured>& grown) { told.push_back(grown.error().message); });
  loop.advance(10s);

  ASSERT_TRUE(loop.run_until([&] { return told.size() == 1025; }));

  EXPECT_THAT(told, Contains(HasSubstr("too many calls to answer before")));
  EXPECT_THAT(told, Contains(HasSubstr("ask for the size")));
}

TEST_F(AClientWithItsServer, IsToldTheDeadlineByTheServerOrItself) {
  driver->hold("a");
  std::optional<Error> told;
  client->call(Extend{{"fast", "a"}, 1_GiB}, soon(),
               [&](const Result<Measured>& grown) { told = grown.error(); });
  ask(GetCapabilities{"fast"});
  loop.advance(10s);

  ASSERT_TRUE(loop.run_until([&] { return told.has_value(); }));

  EXPECT_EQ(told->code, ErrorCode::timed_out);
  EXPECT_THAT(told->message, HasSubstr("ask for the size"));
}

TEST_F(AClientWithItsServer, ConnectsAgainAfterTheServerWasRestarted) {
  EXPECT_THAT(ask(GetCapabilities{"fast"}), Succeeds());
  server.reset();
  start();

  // The old connection may be found lost only by this call; the one after it makes a new one.
  std::ignore = ask(GetCapabilities{"fast"});
  EXPECT_THAT(ask(GetCapabilities{"fast"}), Succeeds());
}

TEST_F(AClientWithItsServer, IsRefusedWhereItMayNotAsk) {
  const Server::Needs needs{loop, loop.clock(), *log};
  server = Server::create(needs, {}, std::nullopt, {.connections = 0}).value();
  EXPECT_THAT(server->listen(bind_listener(path, 0).value()), Succeeds());

  EXPECT_THAT(ask(GetCapabilities{"fast"}),
              FailsWith(ErrorCode::limits_exceeded, "has 0 connections already"));
}

TEST_F(AClient, SaysThatNobodyListensButNeverInsideTheCall) {
  bool told = false;
  client->call(GetCapabilities{"fast"}, soon(), [&](const Result<Capabilities>& answer) {
    told = true;
    EXPECT_THAT(answer, FailsWith(ErrorCode::unreachable, "volgrow-backend does not answer at"));
  });
  EXPECT_FALSE(told);

  EXPECT_TRUE(loop.run_until([&] { return told; }));
}

TEST_F(AClient, GivesUpAtTheDeadlineOnAServerThatSaysNothing) {
  const auto listener = bind_listener(path, 0);
  std::optional<Error> told;
  client->call(GetSize{{"fast", "a"}}, soon(),
               [&](const Result<Measured>& answer) { told = answer.error(); });
  loop.advance(10s);

  ASSERT_TRUE(loop.run_until([&] { return told.has_value(); }));

  EXPECT_EQ(told->code, ErrorCode::timed_out);
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(AClient, ThatIsDestroyedTellsNobody) {
  const auto listener = bind_listener(path, 0);
  client->call(GetSize{{"fast", "a"}}, soon(), [](const Result<Measured>&) { FAIL(); });

  client.reset();

  EXPECT_EQ(loop.timers(), 0U);
}

/// A server that answers what the test says, whatever it was asked.
class AClientOfALiar : public AClient {
 protected:
  AClientOfALiar() : listener(bind_listener(path, 0).value()) {
    watch = loop.on_ready(listener.get(), EPOLLIN,
                          [this](std::uint32_t) {
                            connection = Fd(::accept(listener.get(), nullptr, nullptr));
                            lie();
                          })
                .value();
  }
  void lie() {
    ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (answer.empty()) connection = Fd();
  }

  Fd listener;
  Fd connection;
  std::string answer;
  EventLoop::Watch watch;
};

TEST_F(AClientOfALiar, DoesNotTakeAnAnswerOfAnotherKind) {
  answer = to_packet(Answer{1, Removed{}});

  EXPECT_THAT(ask(GetSize{{"fast", "a"}}),
              FailsWith(ErrorCode::unreachable, "answered something else than size of volume a"));
}

TEST_F(AClientOfALiar, DoesNotTakeRubbish) {
  answer = "rubbish";

  EXPECT_THAT(ask(GetSize{{"fast", "a"}}), FailsWith(ErrorCode::unreachable, "cannot be read"));
}

TEST_F(AClientOfALiar, SaysThatTheConnectionWasLost) {
  answer = "";

  EXPECT_THAT(ask(GetSize{{"fast", "a"}}), FailsWith(ErrorCode::unreachable, "was lost"));
}

TEST_F(AClientOfALiar, IsToldWhyAConnectionIsRefused) {
  answer = to_packet(Answer{0, failure(ErrorCode::not_authorized, "uid 7 may not ask")});

  EXPECT_THAT(ask(GetSize{{"fast", "a"}}), FailsWith(ErrorCode::not_authorized, "uid 7"));
}

}  // namespace
}  // namespace volgrow::backend
