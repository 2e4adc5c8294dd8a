// SPDX-License-Identifier: Apache-2.0
// The whole agent, called over a bus, above a multipathd that says everything one has ever said,
// and what none should: whatever it answers, the sizes decide. The kernel with the map is a fake;
// bus, journal and multipathd's socket are real.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "agent/agent.h"
#include "connectors/multipathd_socket.h"
#include "dbus/client.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/fake_multipathd.h"
#include "tests/fakes/inline_pool.h"
#include "tests/fakes/private_bus.h"
#include "tests/fakes/real_loop.h"
#include "tests/fakes/scripted_multipathd.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// What the tests' real clock has to wait for where nobody answers.
constexpr Duration a_moment = 300ms;

/// The kernel that reacts, on real time, asking multipathd over a socket.
class KernelWithSocket final : public FakeKernel {
 public:
  explicit KernelWithSocket(std::string address) : socket_{{std::move(address)}, ::geteuid()} {}

  Result<std::string> multipathd(std::string_view command, Deadline deadline) override {
    auto reply = multipathd_command(socket_, command, deadline, clock_);
    // What it did is seen from here on, also where it said nothing.
    const std::scoped_lock done(deed_);
    return reply;
  }
  const Clock& clock() const override { return clock_; }
  /// The multipathd of the fake kernel itself, to carry a command out.
  std::string carry_out(const std::string& command) {
    const std::scoped_lock doing(deed_);
    return FakeKernel::multipathd().answer(command, within(1s, clock_.now())).value();
  }

 private:
  MultipathdSocket socket_;
  SystemClock clock_;
  std::mutex deed_;
};

/// The agent in a thread, as it would be in its process.
class AgentThread {
 public:
  AgentThread(const std::string& address, Host& host, const std::string& folder)
      : stop_(::eventfd(0, EFD_CLOEXEC)) {
    std::promise<void> ready;
    auto is_ready = ready.get_future();
    thread_ =
        std::jthread([this, address, &host, folder, &ready] { run(address, host, folder, ready); });
    is_ready.get();
  }
  AgentThread(const AgentThread&) = delete;
  AgentThread& operator=(const AgentThread&) = delete;
  ~AgentThread() {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) != sizeof one) std::abort();
  }

 private:
  static agent::Config config() {
    agent::Config config;
    config.limits.grow = a_moment;
    return config;
  }

  void run(const std::string& address, Host& host, const std::string& folder,
           std::promise<void>& ready) {
    const SystemClock clock;
    const auto configuration = config();
    std::ostringstream said;
    const auto log = stream_log(said, LogLevel::info);
    const auto loop = EventLoop::create().value();
    const auto journal = agent::Journal::open(folder + "/journal.sqlite", "host", clock).value();
    agent::InlinePool pool(*loop, host);
    agent::Agent agent({*loop, clock, host, *journal, pool, configuration,
                        agent::AccessRules(std::nullopt, std::nullopt), folder, *log});
    const auto server = bus::Server::connect(*loop, address, agent).value();
    const auto stopping =
        loop->on_ready(stop_.get(), EPOLLIN, [&](std::uint32_t) { loop->exit(0); });
    agent.start(*server).value();
    server->own_name().value();
    ready.set_value();
    loop->run().value();
  }

  Fd stop_;
  std::jthread thread_;
};

/// What multipathd makes of one `resize map`, and what it says then.
using Turn = std::function<Scene(KernelWithSocket&, const std::string& command)>;

Turn does_and_says(std::string reply) {
  return [reply](KernelWithSocket& kernel, const std::string& command) {
    kernel.carry_out(command);
    return answering(reply);
  };
}
Turn only_says(std::string reply) {
  return [reply](KernelWithSocket&, const std::string&) { return answering(reply); };
}
Turn does_and_sends(std::string bytes, bool hangs_up = true) {
  return [=](KernelWithSocket& kernel, const std::string& command) {
    kernel.carry_out(command);
    return Scene{.bytes = bytes, .hangs_up = hangs_up};
  };
}
Turn only_sends(std::string bytes, bool hangs_up = true) {
  return [=](KernelWithSocket&, const std::string&) {
    return Scene{.bytes = bytes, .hangs_up = hangs_up};
  };
}

class AVolumeAboveAMultipathd : public ::testing::Test {
 protected:
  AVolumeAboveAMultipathd() {
    const Wwid wwid{WwidType::naa, "6001405a0102030405060708090a0b0c"};
    for (const auto& [name, address] : {std::pair("sda", "1:0:0:1"), std::pair("sdb", "2:0:0:1")})
      kernel.add_disk(name, {.address = address, .target_size = 20_GiB, .wwid = wwid});
    kernel.add_map("dm-3", {"sda", "sdb"}, {.alias = "mpatha", .wwid = "3" + wwid.hex});
    start();
  }

  void start() {
    agent = std::make_unique<AgentThread>(bus.address(), kernel, folder.path());
    client = bus::Client::connect(bus.address()).value();
  }

  /// It takes these turns at `resize map`, then the last one again and again; all else it does as a
  /// multipathd should.
  void multipathd_that(std::vector<Turn> turns) {
    script = std::move(turns);
    listen();
  }
  void listen() {
    multipathd = std::make_unique<ScriptedMultipathd>(socket, [this](const std::string& command) {
      if (!command.starts_with("resize map ")) return answering(kernel.carry_out(command));
      const auto turn = script[std::min(resizes++, script.size() - 1)];
      return turn(kernel, command);
    });
  }

  Result<JobId> begin(Duration deadline) {
    RequestOptions options;
    options.deadline = deadline;
    return client->extend("dm:mpatha", 20_GiB, options);
  }
  JobResult end_of(const Result<JobId>& job) {
    return parse_job_result(client->wait(job.value(), 30s).value().result_json).value();
  }
  JobResult extend(Duration deadline = 10s) { return end_of(begin(deadline)); }
  /// "complete", "failed SizeMismatch" …
  static std::string end(const JobResult& result) {
    const auto state = std::string(name_of(result.state));
    return result.error ? fmt::format("{} {}", state, name_of(result.error->code)) : state;
  }
  /// What the map was left at, by the result and by the kernel.
  void expect_size(const JobResult& result, Bytes size) {
    EXPECT_EQ(result.size, size);
    EXPECT_EQ(kernel.map("dm-3").size, size);
  }

  testing::PrivateBus bus;
  TemporaryDirectory folder;
  std::string socket = folder / "multipathd.socket";
  KernelWithSocket kernel{socket};
  std::vector<Turn> script;
  std::size_t resizes = 0;  ///< told so far; the script's thread counts
  std::unique_ptr<ScriptedMultipathd> multipathd;
  std::unique_ptr<AgentThread> agent;
  std::unique_ptr<bus::Client> client;
};

// ---- it does what it was told, and says so in its ways

TEST_F(AVolumeAboveAMultipathd, IsCompleteWhenTheMapGrew) {
  multipathd_that({does_and_says("ok\n")});

  const auto result = extend();

  EXPECT_EQ(end(result), "complete");
  expect_size(result, 20_GiB);
  EXPECT_EQ(resizes, 1U);
}

TEST_F(AVolumeAboveAMultipathd, IsCompleteAlthoughTheAnswerWasThatItFailed) {
  multipathd_that({does_and_says("fail\n"), only_says("fail\n")});

  const auto result = extend();

  EXPECT_EQ(end(result), "complete");
  expect_size(result, 20_GiB);
}

TEST_F(AVolumeAboveAMultipathd, IsCompleteWhenItDiesInMidReplyHavingDoneIt) {
  multipathd_that({does_and_sends(promising(100, "ok"))});

  EXPECT_EQ(end(extend()), "complete");
}

TEST_F(AVolumeAboveAMultipathd, IsCompleteWhenItHangsUpWithoutAWordHavingDoneIt) {
  multipathd_that({does_and_sends("")});

  EXPECT_EQ(end(extend()), "complete");
}

TEST_F(AVolumeAboveAMultipathd, IsCompleteWhenItNeverAnswersHavingDoneIt) {
  multipathd_that({does_and_sends("", false)});

  EXPECT_EQ(end(extend()), "complete");
}

// ---- it does it at the second time

TEST_F(AVolumeAboveAMultipathd, IsTriedAgainWhenItHadNoTimeInOldWords) {
  multipathd_that({only_says("timeout\n"), does_and_says("ok\n")});

  EXPECT_EQ(end(extend()), "complete");
  EXPECT_EQ(resizes, 2U);
}

TEST_F(AVolumeAboveAMultipathd, IsTriedAgainWhenItHadNoTimeInNewWords) {
  multipathd_that({only_says("fail\ntimeout\n"), does_and_says("ok\n")});

  EXPECT_EQ(end(extend()), "complete");
  EXPECT_EQ(resizes, 2U);
}

TEST_F(AVolumeAboveAMultipathd, IsTriedAgainWhenItHungUpBeforeDoingIt) {
  multipathd_that({only_sends(""), does_and_says("ok\n")});

  EXPECT_EQ(end(extend()), "complete");
}

TEST_F(AVolumeAboveAMultipathd, IsTriedAgainWhenItsFrameIsNonsense) {
  multipathd_that({only_sends(promising(std::size_t{1} << 40, "")), does_and_says("ok\n")});

  EXPECT_EQ(end(extend()), "complete");
}

TEST_F(AVolumeAboveAMultipathd, WaitsForOneThatIsRestarting) {
  script = {does_and_says("ok\n")};
  ASSERT_TRUE(client->subscribe());
  const auto job = begin(20s);
  ASSERT_TRUE(client->follow([](const auto& event) { return event.text != "growing"; },
                             within(10s, SystemClock().now())));

  listen();

  EXPECT_EQ(end(end_of(job)), "complete");
}

// ---- it does not do it

TEST_F(AVolumeAboveAMultipathd, FailsByItsSizeWhenOkMeantNothing) {
  multipathd_that({only_says("ok\n")});

  const auto result = extend();

  EXPECT_EQ(end(result), "failed SizeMismatch");
  expect_size(result, 10_GiB);
}

TEST_F(AVolumeAboveAMultipathd, IsRefusedWithTheReasonThatNewerVersionsGive) {
  multipathd_that({only_says("fail\nsize of path sdb differs\n")});

  const auto result = extend();

  EXPECT_EQ(result.error->code, ErrorCode::multipath_refused);
  EXPECT_THAT(result.error->message, HasSubstr("size of path sdb differs"));
  expect_size(result, 10_GiB);
}

TEST_F(AVolumeAboveAMultipathd, IsRefusedWithoutAReasonToo) {
  multipathd_that({only_says("fail\n")});

  const auto result = extend();

  EXPECT_EQ(result.error->code, ErrorCode::multipath_refused);
  expect_size(result, 10_GiB);
}

TEST_F(AVolumeAboveAMultipathd, NamesMultipathdWhenItNeverHasTimeBeforeTheDeadline) {
  multipathd_that({only_says("timeout\n")});

  const auto result = extend(1s);

  EXPECT_EQ(end(result), "failed MultipathUnavailable");
  EXPECT_GT(resizes, 1U);
  expect_size(result, 10_GiB);
}

TEST_F(AVolumeAboveAMultipathd, NamesMultipathdWhenNobodyListensBeforeTheDeadline) {
  const auto result = extend(1s);

  EXPECT_EQ(end(result), "failed MultipathUnavailable");
  expect_size(result, 10_GiB);
}

TEST_F(AVolumeAboveAMultipathd, IsNotHeldUpByOneThatNeverAnswers) {
  multipathd_that({only_sends("", false)});

  const auto result = extend(2s);

  EXPECT_THAT(result.state, ::testing::AnyOf(JobState::failed, JobState::timed_out));
  expect_size(result, 10_GiB);
}

// ---- and whatever it was, the next job finds things as they are

TEST_F(AVolumeAboveAMultipathd, IsFinishedByTheNextJobOnceItIsHonest) {
  multipathd_that({only_says("ok\n"), only_says("ok\n"), does_and_says("ok\n")});
  while (extend().state != JobState::complete)
    ASSERT_LT(resizes, 4U);

  EXPECT_EQ(end(extend()), "unchanged");
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
}

}  // namespace
}  // namespace volgrow
