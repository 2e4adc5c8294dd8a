// SPDX-License-Identifier: Apache-2.0
// The event loop with real descriptors, timers and signals. Order is made, never waited for.
#include "core/event_loop.h"

#include <gmock/gmock.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/fd.h"

namespace volgrow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AnEventLoop : public ::testing::Test {
 protected:
  static Fd ready_descriptor() { return Fd(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)); }
  TimePoint now() const { return SystemClock().now(); }
  auto say(std::string what) {
    return [this, what = std::move(what)] { said.push_back(what); };
  }
  auto exit_with(int status) {
    return [this, status] { loop->exit(status); };
  }

  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  std::vector<std::string> said;
};

TEST_F(AnEventLoop, ReturnsTheStatusGivenToExit) {
  const auto soon = loop->at(now(), exit_with(7));

  EXPECT_EQ(loop->run(), 7);
}

TEST_F(AnEventLoop, ReturnsAtOnceWhenExitCameBeforeRun) {
  const auto soon = loop->at(now(), say("timer"));
  loop->exit(3);

  EXPECT_EQ(loop->run(), 3);
  EXPECT_THAT(said, ElementsAre());
}

TEST_F(AnEventLoop, RunsAgainAfterItsExit) {
  const auto first = loop->at(now(), exit_with(1));
  ASSERT_EQ(loop->run(), 1);
  const auto second = loop->at(now(), exit_with(2));

  EXPECT_EQ(loop->run(), 2);
}

TEST_F(AnEventLoop, TellsWhatADescriptorIsReadyFor) {
  const auto fd = ready_descriptor();
  std::uint32_t seen = 0;
  const auto watch = loop->on_ready(fd.get(), EPOLLIN | EPOLLOUT, [&](std::uint32_t ready) {
    seen = ready;
    loop->exit(0);
  });

  ASSERT_TRUE(loop->run());

  EXPECT_EQ(seen, EPOLLIN | EPOLLOUT);
}

TEST_F(AnEventLoop, WatchesADescriptorOnlyForWhatItWasChangedTo) {
  const auto fd = ready_descriptor();
  const auto watch =
      loop->on_ready(fd.get(), EPOLLIN, [&](std::uint32_t) { said.push_back("fd"); });
  loop->change_events(**watch, 0);
  const auto idle = loop->when_idle(exit_with(0));

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre());
}

TEST_F(AnEventLoop, RefusesADescriptorThatCannotBePolled) {
  const auto watch = loop->on_ready(-1, EPOLLIN, [](std::uint32_t) {});

  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, ErrorCode::internal);
  EXPECT_EQ(watch.error().error_number, EBADF);
}

TEST_F(AnEventLoop, CallsTimersInTheOrderOfTheirMomentsAndEachOnce) {
  const auto base = now();
  const auto later = loop->at(base, say("later"));
  const auto sooner = loop->at(base - std::chrono::microseconds(1), say("sooner"));
  const auto idle = loop->when_idle(exit_with(0));

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre("sooner", "later"));
}

TEST_F(AnEventLoop, TakesAMomentLongPastForNow) {
  const auto watch = loop->at(TimePoint::min(), exit_with(4));

  EXPECT_EQ(loop->run(), 4);
}

TEST_F(AnEventLoop, DeliversASignalInsteadOfDyingOfIt) {
  const auto watch = loop->on_signal(SIGUSR1, exit_with(5));

  ASSERT_EQ(::raise(SIGUSR1), 0);

  EXPECT_EQ(loop->run(), 5);
}

TEST_F(AnEventLoop, GroupsIdleWorkBehindEverythingThatIsReady) {
  const auto fd = ready_descriptor();
  EventLoop::Watch reader;
  const auto idle = loop->when_idle([this] {
    said.push_back("idle");
    loop->exit(0);
  });
  reader = loop->on_ready(fd.get(), EPOLLIN,
                          [&](std::uint32_t) {
                            said.push_back("read");
                            if (said.size() == 3) reader.reset();
                          })
               .value();

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre("read", "read", "read", "idle"));
}

TEST_F(AnEventLoop, CallsIdleWorkOnce) {
  const auto idle = loop->when_idle(say("idle"));
  EventLoop::Watch next;
  const auto ender = loop->when_idle([&] { next = loop->when_idle(exit_with(0)).value(); });

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre("idle"));
}

TEST_F(AnEventLoop, PreparesBeforeEveryWait) {
  const auto prepare = loop->before_waiting(say("prepare"));
  const auto first = loop->at(now(), say("event"));
  EventLoop::Watch last;
  const auto idle = loop->when_idle([&] { last = loop->when_idle(exit_with(0)).value(); });

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre("prepare", "event", "prepare", "prepare"));
}

TEST_F(AnEventLoop, ExitsFromThePreparationAlthoughNothingIsReady) {
  const auto prepare = loop->before_waiting(exit_with(6));

  EXPECT_EQ(loop->run(), 6);
}

TEST_F(AnEventLoop, LetsAPreparationEndItself) {
  EventLoop::Watch prepare;
  prepare = loop->before_waiting([&, kept = std::string("prepared once, on live captures")] {
                  prepare.reset();
                  said.push_back(kept);
                })
                .value();
  EventLoop::Watch second;
  const auto first = loop->when_idle([&] { second = loop->when_idle(exit_with(0)).value(); });

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre("prepared once, on live captures"));
}

TEST_F(AnEventLoop, LetsACallbackDestroyItsOwnWatchAndFinish) {
  const auto fd = ready_descriptor();
  EventLoop::Watch watch;
  watch =
      loop->on_ready(fd.get(), EPOLLIN,
                     [&, kept = std::string(64, 'x')](std::uint32_t) {
                       watch.reset();
                       said.push_back(
                           kept);  // a capture that died with the watch would be reported by ASan
                     })
          .value();
  const auto idle = loop->when_idle(exit_with(0));

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre(std::string(64, 'x')));
}

TEST_F(AnEventLoop, DoesNotCallAWatchThatAnotherCallbackDestroyed) {
  const auto one = ready_descriptor();
  const auto two = ready_descriptor();
  std::array<EventLoop::Watch, 2> watches;
  const auto only_one = [&](std::uint32_t) {
    said.push_back("called");
    watches = {};
  };
  watches[0] = loop->on_ready(one.get(), EPOLLIN, only_one).value();
  watches[1] = loop->on_ready(two.get(), EPOLLIN, only_one).value();
  const auto idle = loop->when_idle(exit_with(0));

  ASSERT_TRUE(loop->run());

  EXPECT_THAT(said, ElementsAre("called"));
}

TEST_F(AnEventLoop, MayBeGoneBeforeItsWatches) {
  auto watch = loop->at(now(), say("never"));

  loop.reset();
  watch->reset();

  EXPECT_THAT(said, ElementsAre());
}

TEST_F(AnEventLoop, EndsWithTheErrorThatACallbackThrew) {
  const auto watch = loop->at(now(), [] { throw std::runtime_error("the bus is gone"); });

  const auto ended = loop->run();

  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::internal);
  EXPECT_THAT(ended.error().message, HasSubstr("the bus is gone"));
}

TEST_F(AnEventLoop, EndsWithTheErrorThatAPreparationThrew) {
  const auto watch = loop->before_waiting([] { throw 42; });

  const auto ended = loop->run();

  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::internal);
}

class AnInit : public AnEventLoop {
 protected:
  AnInit() {
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address_), sizeof(sa_family_t));
    socklen_t size = sizeof address_;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address_), &size);
    const std::string name(address_.sun_path + 1, size - sizeof(sa_family_t) - 1);
    ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  }
  ~AnInit() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }
  std::string heard() {
    std::array<char, 256> text{};
    const auto size = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  Fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address_{AF_UNIX, {}};
};

TEST_F(AnInit, HearsWhatItIsTold) {
  notify_service_manager("READY=1");

  EXPECT_EQ(heard(), "READY=1");
}

TEST_F(AnInit, HearsTheWatchdogWhenItAsksForOne) {
  ::setenv("WATCHDOG_USEC", "60000000", 1);

  ASSERT_TRUE(loop->enable_watchdog());

  EXPECT_EQ(heard(), "WATCHDOG=1");
}

TEST_F(AnInit, HearsNothingWhenItAskedForNoWatchdog) {
  ASSERT_TRUE(loop->enable_watchdog());

  EXPECT_EQ(heard(), "");
}

}  // namespace
}  // namespace volgrow
