// SPDX-License-Identifier: Apache-2.0
// The client of multipathd's socket against a multipathd that plays a script over a real one.
#include "connectors/multipathd_socket.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "core/bytes.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/real_loop.h"
#include "tests/fakes/scripted_multipathd.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What is left for a command nobody will answer.
constexpr Duration a_moment = 20ms;

class AMultipathd : public testing::Test {
 protected:
  void plays(std::deque<Scene> script) {
    daemon = std::make_unique<ScriptedMultipathd>(path, std::move(script));
  }
  Result<std::string> ask(std::string_view command, Duration limit = 30s) {
    return multipathd_command(socket, command, within(limit, clock.now()), clock);
  }
  Result<std::string> ask() { return ask("resize map mpatha"); }

  TemporaryDirectory directory;
  std::string path = directory / "multipathd.socket";
  std::string abstract = fmt::format("@volgrow-test/{}/multipathd", ::getpid());
  MultipathdSocket socket{{path, abstract}, ::geteuid()};
  SystemClock clock;
  std::unique_ptr<ScriptedMultipathd> daemon;
};

TEST_F(AMultipathd, IsAskedInItsFrameAndItsReplyHandedOnWithoutTheNul) {
  plays({answering("ok\n")});

  EXPECT_EQ(ask(), "ok\n");
  EXPECT_THAT(daemon->heard(), ElementsAre("resize map mpatha"));
}

TEST_F(AMultipathd, MayRefuseWithReasonOrWithout) {
  plays({answering("fail\n"), answering("fail\nsdb: size 20 does not match\nresize failed\n")});

  EXPECT_EQ(ask(), "fail\n");
  EXPECT_EQ(ask(), "fail\nsdb: size 20 does not match\nresize failed\n");
}

TEST_F(AMultipathd, ThatHadNoTimeIsUnavailableInBothItsWords) {
  plays({answering("timeout\n"), answering("fail\ntimeout\n")});

  EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, "too busy to begin"));
  EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, "too busy to begin"));
}

TEST_F(AMultipathd, ThatNamesATimeoutAsTheReasonHasRefused) {
  plays({answering("fail\ntimeout of the path checker\n")});

  EXPECT_EQ(ask(), "fail\ntimeout of the path checker\n");
}

TEST_F(AMultipathd, IsHeardOutWhenItSpeaksByteByByte) {
  plays({{.bytes = framed("pid 4711 idle\n"), .in_single_bytes = true}});

  EXPECT_EQ(ask("show daemon"), "pid 4711 idle\n");
}

TEST_F(AMultipathd, MayHaveMoreToSayThanASocketHolds) {
  const std::string paths(std::size_t{3} << 20, 'p');
  plays({answering(paths)});

  EXPECT_EQ(ask("show paths"), paths);
}

TEST_F(AMultipathd, MayLeaveTheNulAway) {
  plays({{.bytes = promising(3, "ok\n")}});

  EXPECT_EQ(ask(), "ok\n");
}

TEST_F(AMultipathd, MayPadItsReplyWithNuls) {
  plays({{.bytes = promising(8, std::string_view("ok\n\0\0\0\0\0", 8))}});

  EXPECT_EQ(ask(), "ok\n");
}

TEST_F(AMultipathd, IsGivenUpWhenItHangsUpBeforeReplying) {
  plays({{.bytes = ""}});

  EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, "hung up"));
}

TEST_F(AMultipathd, IsGivenUpWhenItDiesInMidReply) {
  const auto whole = framed("ok\n");
  for (const std::size_t size : {std::size_t{1}, sizeof(std::size_t), whole.size() - 1}) {
    plays({{.bytes = whole.substr(0, size)}});

    EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, "unknown")) << size;
  }
}

TEST_F(AMultipathd, IsNotBelievedAnAbsurdLength) {
  for (const auto size : {std::size_t{0}, std::size_t{32} << 20, SIZE_MAX}) {
    plays({{.bytes = promising(size, "ok\n")}});

    EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, fmt::format("{} bytes", size)));
  }
}

Bytes most_memory_so_far() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return Bytes(static_cast<std::uint64_t>(used.ru_maxrss) << 10);
}

TEST_F(AMultipathd, ThatLiesAboutTheLengthCostsNoMemory) {
  plays({{.bytes = promising((std::size_t{32} << 20) - 1, "ok\n")}});
  const auto before = most_memory_so_far();

  EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, "hung up"));
  EXPECT_LT(most_memory_so_far(), before + 16_MiB);
}

TEST_F(AMultipathd, ThatSaysNothingIsLeftAtTheDeadline) {
  plays({{.bytes = "", .hangs_up = false}});

  const auto reply = ask("resize map mpatha", a_moment);

  EXPECT_THAT(reply, FailsWith(ErrorCode::timed_out, "'resize map mpatha'"));
  EXPECT_THAT(reply, FailsWith(ErrorCode::timed_out, "unknown"));
}

TEST_F(AMultipathd, ThatStopsInMidReplyIsLeftAtTheDeadline) {
  plays({{.bytes = framed("ok\n").substr(0, 9), .hangs_up = false}});

  EXPECT_THAT(ask("resize map mpatha", a_moment), FailsWith(ErrorCode::timed_out, "unknown"));
}

TEST_F(AMultipathd, IsToldNothingWhenNoTimeIsLeft) {
  plays({});
  const FakeClock still;

  const auto reply = multipathd_command(socket, "resize map mpatha", Deadline{still.now()}, still);

  EXPECT_THAT(reply, FailsWith(ErrorCode::timed_out, "no time was left to send"));
  EXPECT_EQ(ask("show daemon"), "ok\n");
  EXPECT_THAT(daemon->heard(), ElementsAre("show daemon"));
}

TEST_F(AMultipathd, IsAskedOnlyWhatItCanRead) {
  plays({});

  for (const auto& command : {std::string(), std::string(512, 'x'), std::string("show\ndaemon"),
                              std::string("show\0daemon", 11)})
    EXPECT_THAT(ask(command), FailsWith(ErrorCode::internal, "no command")) << command.size();
  EXPECT_EQ(ask(std::string(511, 'x')), "ok\n");
  EXPECT_THAT(daemon->heard(), ElementsAre(std::string(511, 'x')));
}

TEST_F(AMultipathd, ThatIsAbsentIsUnavailableUnderBothNames) {
  const auto reply = ask();

  EXPECT_THAT(reply,
              FailsWith(ErrorCode::multipath_unavailable, path + ": No such file or directory"));
  EXPECT_THAT(reply,
              FailsWith(ErrorCode::multipath_unavailable, abstract + ": Connection refused"));
}

TEST_F(AMultipathd, IsFoundAgainAfterItsRestart) {
  plays({answering("fail\n")});
  ASSERT_EQ(ask(), "fail\n");
  daemon.reset();

  EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable, path + ": Connection refused"));
  plays({answering("ok\n")});
  EXPECT_EQ(ask(), "ok\n");
}

TEST_F(AMultipathd, OfAnOldVersionIsFoundByItsAbstractName) {
  const ScriptedMultipathd old(abstract, {answering("ok\n")});

  EXPECT_EQ(ask(), "ok\n");
  EXPECT_THAT(old.heard(), ElementsAre("resize map mpatha"));
}

TEST_F(AMultipathd, IsAskedByItsPathFirst) {
  const ScriptedMultipathd old(abstract);
  plays({});

  ASSERT_EQ(ask(), "ok\n");
  EXPECT_THAT(daemon->heard(), ElementsAre("resize map mpatha"));
  EXPECT_THAT(old.heard(), IsEmpty());
}

TEST_F(AMultipathd, ThatIsNotItsOwnersIsToldNothing) {
  const ScriptedMultipathd stranger(abstract);
  socket.owner = ::geteuid() + 1;

  EXPECT_THAT(ask(), FailsWith(ErrorCode::multipath_unavailable,
                               fmt::format("belongs to a process of user {}", ::geteuid())));
  socket.owner = ::geteuid();
  EXPECT_EQ(ask("show daemon"), "ok\n");  // heard after the one before, if that had been sent
  EXPECT_THAT(stranger.heard(), ElementsAre("show daemon"));
}

/// Runs until this thread of ours sleeps in the kernel: an event, though one that must be looked
/// for.
void wait_until_asleep(pid_t thread) {
  std::string status;
  do {
    std::this_thread::yield();
    std::ifstream file(fmt::format("/proc/self/task/{}/stat", thread));
    std::getline(file, status);
  } while (status.find(") S") == std::string::npos);
}

std::atomic<bool> interrupted = false;

TEST_F(AMultipathd, IsWaitedForWhenASignalInterrupts) {
  struct sigaction noting {};
  noting.sa_handler = [](int) { interrupted = true; };
  ::sigaction(SIGUSR1, &noting, nullptr);  // no SA_RESTART: the wait ends with EINTR
  const auto waiting = ::gettid();
  const auto handle = ::pthread_self();
  const auto interrupt = [&] {
    wait_until_asleep(waiting);
    ::pthread_kill(handle, SIGUSR1);
    while (!interrupted)
      std::this_thread::yield();
    wait_until_asleep(waiting);  // an answer that is there already would hide the interruption
  };
  plays({{.bytes = framed("ok\n"), .first = interrupt}});

  EXPECT_EQ(ask(), "ok\n");
  EXPECT_TRUE(interrupted);
}

class ACrowdedMultipathd : public AMultipathd {
 protected:
  /// Connects until the listener, which never accepts, has no place left.
  void SetUp() override {
    socket.addresses = {path};
    ASSERT_LT(path.size(), sizeof name.sun_path);
    std::ranges::copy(path, name.sun_path);
    const auto* address = reinterpret_cast<const sockaddr*>(&name);
    ASSERT_EQ(::bind(listener.get(), address, sizeof name), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    do
      crowd.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    while (::connect(crowd.back().get(), address, sizeof name) == 0);
    ASSERT_EQ(errno, EAGAIN);
  }

  sockaddr_un name{AF_UNIX, {}};
  Fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<Fd> crowd, served;
};

TEST_F(ACrowdedMultipathd, IsWaitedForUntilTheDeadline) {
  EXPECT_THAT(ask("resize map mpatha", a_moment),
              FailsWith(ErrorCode::timed_out, "no time was left to send"));
}

TEST_F(ACrowdedMultipathd, IsSpokenToAsSoonAsThereIsAPlace) {
  const auto waiting = ::gettid();
  const auto reply = framed("ok\n");
  const std::jthread server([&] {
    wait_until_asleep(waiting);
    for (std::size_t i = 0; i < crowd.size(); ++i) {  // all but the last got a place, then we
      served.emplace_back(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ::send(served.back().get(), reply.data(), reply.size(), MSG_NOSIGNAL);
    }
  });

  EXPECT_EQ(ask(), "ok\n");
}

}  // namespace
}  // namespace volgrow
