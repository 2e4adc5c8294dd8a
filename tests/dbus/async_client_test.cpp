// SPDX-License-Identifier: Apache-2.0
// The client of programs with an event loop: calls that end, whatever becomes of daemon and bus,
// and the news that reports wait.
#include "dbus/async_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "tests/dbus/serving.h"

namespace volgrow::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Not a speed limit: how long a broken test may wait.
constexpr Duration patience = 20s;

/// While it lives, the bus takes who connects for the relay.
class AsTheRelay {
 public:
  AsTheRelay() { EXPECT_EQ(::seteuid(testing::relay_uid), 0); }
  AsTheRelay(const AsTheRelay&) = delete;
  AsTheRelay& operator=(const AsTheRelay&) = delete;
  ~AsTheRelay() { EXPECT_EQ(::seteuid(0), 0); }
};

/// The client and the agent share one event loop, with a bus between them.
class AnAsyncClient : public ::testing::Test {
 protected:
  void run_agent() {
    server = Server::connect(*loop, address, agent).value();
    ASSERT_TRUE(server->own_name());
  }
  void connect(const std::string& to) {
    const AsTheRelay account;
    client = AsyncClient::create(
        *loop, clock,
        {.address = to, .first_retry = 50ms, .slowest_retry = 50ms, .on_outbox = [this] {
           ++news;
         }});
  }
  /// Turns the loop until the condition holds; fails the test when it does not in time. An agent
  /// that lost its bus may end the loop meanwhile.
  void until(const std::function<bool()>& condition) {
    const auto end = clock.now() + patience;
    const auto check = loop->before_waiting([&] {
      if (condition() || clock.now() > end) loop->exit(0);
    });
    const auto give_up = loop->at(end, [&] { loop->exit(0); });
    while (!condition() && clock.now() < end)
      ASSERT_TRUE(loop->run());
    EXPECT_TRUE(condition()) << "it did not come to that";
  }
  template <class T>
  Reply<T> into(std::optional<Result<T>>& place) {
    return [&place](Result<T> result) { place = std::move(result); };
  }
  Deadline soon() const { return within(patience, clock.now()); }

  SystemClock clock;
  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  testing::PrivateBus bus;
  const std::string address = "unix:path=" + bus.socket_path().string();
  ScriptedAgent agent;
  std::unique_ptr<Server> server;
  std::unique_ptr<AsyncClient> client;
  int news = 0;
  std::optional<Result<JobId>> job;
};

class AnAsyncClientOfAnAgent : public AnAsyncClient {
 protected:
  void SetUp() override {
    run_agent();
    connect(address);
  }
};

TEST_F(AnAsyncClientOfAnAgent, AnnouncesAVolumeAndHearsOfItsJob) {
  client->volume_changed("vol-1", 20_GiB, soon(), into(job));

  until([&] { return job.has_value(); });

  EXPECT_EQ(*job, Result<JobId>(17U));
  EXPECT_THAT(agent.calls, ElementsAre("volume_changed vol-1 21474836480"));
  EXPECT_EQ(agent.options, RequestOptions());
}

TEST_F(AnAsyncClientOfAnAgent, FetchesAndAcknowledgesReports) {
  std::optional<Result<std::vector<OutboxEntry>>> reports;
  std::optional<Result<void>> done;

  client->list_outbox(10, soon(), into(reports));
  client->acknowledge({1, 2}, soon(), into(done));
  until([&] { return reports && done; });

  ASSERT_TRUE(*reports) << reports->error().message;
  EXPECT_EQ(**reports,
            (std::vector<OutboxEntry>{{1, R"({"sequence":1})"}, {2, R"({"sequence":2})"}}));
  EXPECT_TRUE(*done);
  EXPECT_THAT(agent.calls, ElementsAre("list_outbox 10", "acknowledge 1 2"));
}

TEST_F(AnAsyncClientOfAnAgent, HearsWhyACallWasRefused) {
  agent.error = Error{ErrorCode::no_such_volume, "nobody knows vol-1", {}, 0};

  client->volume_changed("vol-1", 1_GiB, soon(), into(job));
  until([&] { return job.has_value(); });

  EXPECT_EQ(job->error(), *agent.error);
}

TEST_F(AnAsyncClientOfAnAgent, WaitsNoLongerThanItsDeadline) {
  agent.hold_changes = true;

  client->volume_changed("vol-1", 1_GiB, within(20ms, clock.now()), into(job));
  until([&] { return job.has_value(); });

  EXPECT_EQ(job->error().code, ErrorCode::unreachable);
}

TEST_F(AnAsyncClientOfAnAgent, DoesNotAskWithoutTimeLeft) {
  client->volume_changed("vol-1", 1_GiB, within(0s, clock.now()), into(job));

  ASSERT_TRUE(job);
  EXPECT_EQ(job->error().code, ErrorCode::unreachable);
}

TEST_F(AnAsyncClientOfAnAgent, IsToldWhenReportsWait) {
  until([&] { return news == 1; });  // it is connected: whatever there is may be fetched

  server->show(ManagerProperties{.version = {}, .outbox_depth = 3, .multipathd = {}});

  until([&] { return news == 2; });
}

TEST_F(AnAsyncClientOfAnAgent, IsNotToldWhenNoReportIsLeft) {
  server->show(ManagerProperties{.version = {}, .outbox_depth = 3, .multipathd = {}});
  until([&] { return news == 2; });

  server->show(ManagerProperties{.version = {}, .outbox_depth = 0, .multipathd = {}});
  client->volume_changed("vol-1", 1_GiB, soon(), into(job));  // answered after the signal
  until([&] { return job.has_value(); });

  EXPECT_EQ(news, 2);
}

TEST_F(AnAsyncClientOfAnAgent, EndsItsCallsWhenTheAgentGoes) {
  agent.hold_changes = true;
  client->volume_changed("vol-1", 1_GiB, soon(), into(job));
  until([&] { return !agent.changes.empty(); });

  server.reset();
  until([&] { return job.has_value(); });

  EXPECT_EQ(job->error().code, ErrorCode::unreachable);
}

TEST_F(AnAsyncClientOfAnAgent, EndsItsCallsWhenTheBusGoes) {
  agent.hold_changes = true;
  client->volume_changed("vol-1", 1_GiB, soon(), into(job));
  until([&] { return !agent.changes.empty(); });

  bus.stop();
  until([&] { return job.has_value(); });

  EXPECT_EQ(job->error().code, ErrorCode::unreachable);
}

TEST_F(AnAsyncClientOfAnAgent, MayBeDestroyedWithCallsUnderWay) {
  agent.hold_changes = true;
  client->volume_changed("vol-1", 1_GiB, soon(), into(job));
  until([&] { return !agent.changes.empty(); });

  client.reset();

  EXPECT_FALSE(job);
}

TEST_F(AnAsyncClientOfAnAgent, IsThereAgainWhenTheBusIs) {
  until([&] { return news == 1; });
  server.reset();
  bus.restart();
  until([&] { return news == 2; });

  run_agent();
  until([&] { return news == 3; });
  client->volume_changed("vol-1", 1_GiB, soon(), into(job));
  until([&] { return job.has_value(); });

  EXPECT_EQ(*job, Result<JobId>(17U));
}

TEST_F(AnAsyncClient, IsToldWhenAnAgentComes) {
  connect(address);
  until([&] { return news == 1; });

  run_agent();

  until([&] { return news == 2; });
}

TEST_F(AnAsyncClient, SaysWhenThereIsNoAgent) {
  connect(address);

  client->volume_changed("vol-1", 1_GiB, soon(), into(job));
  until([&] { return job.has_value(); });

  EXPECT_EQ(job->error().code, ErrorCode::unreachable);
  EXPECT_THAT(job->error().message, HasSubstr("systemctl start volgrowd"));
}

TEST_F(AnAsyncClient, SaysAtOnceWhenThereIsNoBus) {
  connect("unix:path=/nonexistent/bus");

  client->volume_changed("vol-1", 1_GiB, soon(), into(job));

  ASSERT_TRUE(job);
  EXPECT_EQ(job->error().code, ErrorCode::unreachable);
  EXPECT_THAT(job->error().message, HasSubstr("unix:path=/nonexistent/bus"));
  EXPECT_EQ(news, 0);
}

}  // namespace
}  // namespace volgrow::bus
