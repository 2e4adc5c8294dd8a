// SPDX-License-Identifier: Apache-2.0
// Every method, signal, view and error on its way from the client over a real bus to the agent and
// back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dbus/serving.h"

namespace volgrow::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Event = Client::Event;

VolumeView a_volume() {
  VolumeView volume;
  volume.id = "0b36ecf5-vol.1";
  volume.wwid = "naa.6001405";
  volume.kind = "iscsi";
  volume.device = "/dev/dm-3";
  volume.size = 10_GiB;
  volume.target_size = 20_GiB;
  volume.state = VolumeState::mismatch;
  volume.paths = {{"sda", "10.0.0.1:3260,iqn.x", 10_GiB, "running"},
                  {"sdb", "10.0.0.2:3260,iqn.x", 20_GiB, "offline"}};
  volume.last_job = 17;
  return volume;
}

JobView a_job(JobId id = 17) {
  JobView job;
  job.id = id;
  job.operation = Operation::rescan;
  job.volume_id = "0b36ecf5-vol.1";
  job.state = JobState::timed_out;
  job.phase = "verify";
  job.result_json = R"({"state":"timed-out"})";
  job.error_name = "PathHung";
  job.error_message = "sdb does not answer";
  job.started_by_uid = 107;
  job.started_at = WallTime(1767225600000001us);
  return job;
}

class AClient : public ::testing::Test {
 protected:
  std::vector<std::string> calls() {
    std::vector<std::string> seen;
    serving.on_loop([&](Server&, ScriptedAgent& agent) { seen = agent.calls; });
    return seen;
  }
  void answer_with(Error error) {
    serving.on_loop([&](Server&, ScriptedAgent& agent) { agent.error = error; });
  }

  Serving serving;
  std::unique_ptr<Client> client = serving.client();
};

TEST_F(AClient, ReachesEveryMethodThatStartsWork) {
  EXPECT_EQ(client->volume_changed("vol-1", 20_GiB, {}), 17U);
  EXPECT_EQ(client->extend("dev:sda", 0_B, {}), 17U);
  EXPECT_EQ(client->rescan({"id:a", "id:b"}, {}), (std::vector<JobId>{17, 18}));
  EXPECT_EQ(client->register_volume("a.b-c_1", R"({"data":{}})", {}), "a.b-c_1");
  EXPECT_TRUE(client->unregister_volume("vol-1"));

  EXPECT_THAT(calls(), ElementsAre("volume_changed vol-1 21474836480", "extend dev:sda 0",
                                   "rescan id:a id:b", R"(register a.b-c_1 {"data":{}})",
                                   "unregister vol-1"));
}

TEST_F(AClient, ReachesEveryMethodThatAsks) {
  EXPECT_EQ(client->plan("dev:sda", 1_B, {}), R"({"schema":"volgrow.result/1"})");
  EXPECT_EQ(client->explain("dev:sda", {}), R"({"schema":"volgrow.result/1"})");

  EXPECT_THAT(calls(), ElementsAre("plan dev:sda 1", "explain dev:sda"));
}

/// Only the relay gets through to the Outbox.
std::string empty_the_outbox(const Serving& serving) {
  return testing::run_as(testing::the_relay(), [&] {
    const auto relay = serving.client();
    const auto entries = relay->list_outbox(10);
    if (!entries) return entries.error().message;
    std::string seen;
    std::vector<std::uint64_t> sequences;
    for (const auto& [sequence, json] : *entries) {
      sequences.push_back(sequence);
      seen += std::to_string(sequence) + ":" + std::to_string(json.size()) + " ";
    }
    const auto done = relay->acknowledge(sequences);
    return done ? seen : done.error().message;
  });
}

TEST_F(AClient, EmptiesTheOutbox) {
  EXPECT_EQ(empty_the_outbox(serving), "1:14 2:14 ");

  EXPECT_THAT(calls(), ElementsAre("list_outbox 10", "acknowledge 1 2"));
}

TEST_F(AClient, GetsAtLeastOneReportHoweverLargeAndNoMoreThanFit) {
  serving.on_loop([](Server&, ScriptedAgent& agent) {
    agent.outbox = {{1, std::string(12 << 20, 'x')}, {2, std::string(6 << 20, 'x')}};
  });

  EXPECT_EQ(empty_the_outbox(serving), "1:12582912 ");
}

TEST_F(AClient, HandsOverEveryOption) {
  RequestOptions options;
  options.mode = Mode::exact;
  options.deadline = 2s;
  options.idempotency_key = "again";
  options.volume_id = "vol-1";
  options.wwid = Wwid{WwidType::eui, "0123456789abcdef"};
  options.dead_paths = DeadPaths::wait;
  options.dry_run = true;

  ASSERT_TRUE(client->extend("dev:sda", 0_B, options));

  RequestOptions arrived;
  serving.on_loop([&](Server&, ScriptedAgent& agent) { arrived = agent.options; });
  EXPECT_EQ(arrived, options);
}

TEST_F(AClient, SeesAVolumeAsTheServerShowsIt) {
  serving.on_loop([](Server& server, ScriptedAgent&) { server.show(a_volume()); });

  EXPECT_EQ(client->volume(a_volume().id), a_volume());
  EXPECT_EQ(client->volumes(), std::vector{a_volume()});
}

TEST_F(AClient, SeesThatAVolumeHadNoJobYet) {
  auto volume = a_volume();
  volume.last_job = 0;
  volume.paths.clear();
  serving.on_loop([&](Server& server, ScriptedAgent&) { server.show(volume); });

  EXPECT_EQ(client->volume(volume.id), volume);
}

TEST_F(AClient, SeesJobsInTheOrderOfTheirNumbers) {
  serving.on_loop([](Server& server, ScriptedAgent&) {
    for (const JobId id : {10U, 9U, 100U})
      server.show(a_job(id));
  });

  EXPECT_EQ(client->job(9), a_job(9));
  EXPECT_EQ(client->jobs(), (std::vector{a_job(9), a_job(10), a_job(100)}));
}

TEST_F(AClient, IsToldWhatIsNotThere) {
  serving.on_loop([](Server& server, ScriptedAgent&) {
    server.show(a_volume());
    server.show(a_job());
    server.hide_volume(a_volume().id);
    server.hide_job(17);
  });

  EXPECT_EQ(client->volume(a_volume().id).error().code, ErrorCode::no_such_volume);
  EXPECT_THAT(client->job(17).error().message, HasSubstr("no job 17"));
  EXPECT_THAT(client->wait(17, 1s).error().message, HasSubstr("no job 17"));
  EXPECT_THAT(client->cancel(17).error().message, HasSubstr("no job 17"));
  EXPECT_EQ(client->volumes(), std::vector<VolumeView>{});
}

TEST_F(AClient, ReadsTheVersion) {
  ManagerProperties manager;
  manager.version = "0.1.0";
  serving.on_loop([&](Server& server, ScriptedAgent&) { server.show(manager); });

  EXPECT_EQ(client->daemon_version(), "0.1.0");
}

TEST_F(AClient, WaitsForAJobAndCancelsIt) {
  serving.on_loop([](Server& server, ScriptedAgent&) { server.show(a_job()); });

  const auto end = client->wait(17, 1500us);
  const auto cancelled = client->cancel(17);

  ASSERT_TRUE(end);
  EXPECT_EQ(end->state, "complete");
  EXPECT_EQ(end->result_json, R"({"state":"complete"})");
  EXPECT_TRUE(cancelled);
  EXPECT_THAT(calls(), ElementsAre("wait 17 2000us", "cancel 17"));
}

TEST_F(AClient, GetsAnAnswerThatIsGivenLater) {
  serving.on_loop([](Server& server, ScriptedAgent& agent) {
    server.show(a_job());
    agent.hold_waits = true;
  });
  std::thread answering([this] {
    serving.until([](ScriptedAgent& agent) { return agent.waits.size() == 1; });
    serving.on_loop([](Server&, ScriptedAgent& agent) {
      agent.waits.front()(JobEnd{"degraded", "{}"});
    });
  });

  const auto end = client->wait(17, 60s);

  answering.join();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->state, "degraded");
}

TEST_F(AClient, IsAnsweredEvenWhenTheAgentDropsTheReply) {
  serving.on_loop([](Server&, ScriptedAgent& agent) { agent.silent = true; });

  const auto job = client->extend("dev:sda", 0_B, {});

  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().code, ErrorCode::internal);
  EXPECT_THAT(job.error().message, HasSubstr("without an answer"));
}

TEST_F(AClient, CanRemoveTheJobItCallsThrough) {
  serving.on_loop([](Server& server, ScriptedAgent& agent) {
    server.show(a_job());
    agent.before_answer = [&server] { server.hide_job(17); };
  });

  EXPECT_TRUE(client->cancel(17));
  EXPECT_FALSE(client->cancel(17));
}

class EveryError : public AClient, public ::testing::WithParamInterface<ErrorCode> {};

TEST_P(EveryError, KeepsItsNameAndSentenceOverTheBus) {
  answer_with({GetParam(), "found 3, expected 4; mend it", "sda", 5});

  const auto job = client->extend("dev:sda", 0_B, {});

  ASSERT_FALSE(job);
  EXPECT_EQ(name_of(job.error().code), name_of(GetParam()));
  EXPECT_THAT(job.error().message, HasSubstr("found 3, expected 4; mend it"));
}

std::vector<ErrorCode> all_codes() {
  std::vector<ErrorCode> codes;
  for (int i = 0; i <= static_cast<int>(ErrorCode::unreachable); ++i)
    codes.push_back(static_cast<ErrorCode>(i));
  return codes;
}

INSTANTIATE_TEST_SUITE_P(Codes, EveryError, ::testing::ValuesIn(all_codes()),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST_F(AClient, GetsASentenceThatHeldBytesNoBusWouldCarry) {
  answer_with({ErrorCode::busy, "name \xff\x1b[31m", "", 0});

  const auto job = client->extend("dev:sda", 0_B, {});

  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().message, "name \\xff\\x1b[31m");
  EXPECT_TRUE(client->daemon_version());  // the connection survived
}

// ---- events -------------------------------------------------------------------------------------

std::string described(const Event& event) {
  constexpr const char* kinds[] = {"new", "progress", "removed", "resized", "gone"};
  return std::string(kinds[static_cast<int>(event.kind)]) + " " + std::to_string(event.job) + " " +
         event.volume_id + " " + event.text + " " + std::to_string(event.before.count()) + ">" +
         std::to_string(event.after.count());
}

TEST_F(AClient, HearsEveryEventInOrder) {
  ASSERT_TRUE(client->subscribe());
  serving.on_loop([](Server& server, ScriptedAgent&) {
    auto job = a_job();
    job.phase = "resolve";
    server.show(job);
    server.announce_job_new(17);
    job.phase = "verify";
    server.show(job);
    server.announce_volume_resized("vol-1", 10_B, 20_B, Origin::spontaneous);
    server.announce_job_removed(17, JobState::complete);
  });

  std::vector<std::string> heard;
  const auto followed = client->follow(
      [&](const Event& event) {
        heard.push_back(described(event));
        return event.kind != Event::Kind::job_removed;
      },
      std::nullopt);

  EXPECT_TRUE(followed);
  EXPECT_THAT(heard, ElementsAre("new 17   0>0", "progress 17  verify 0>0",
                                 "resized 0 vol-1 spontaneous 10>20", "removed 17  complete 0>0"));
}

TEST_F(AClient, MissesNoEventThatComesWhileItCalls) {
  ASSERT_TRUE(client->subscribe());
  serving.on_loop([](Server& server, ScriptedAgent& agent) {
    agent.before_answer = [&server] { server.announce_job_new(17); };
  });

  ASSERT_TRUE(client->extend("dev:sda", 0_B, {}));

  JobId heard = 0;
  ASSERT_TRUE(client->follow(
      [&](const Event& event) {
        heard = event.job;
        return false;
      },
      std::nullopt));
  EXPECT_EQ(heard, 17U);
}

TEST_F(AClient, StopsFollowingAtTheDeadline) {
  const auto now = SystemClock().now();

  const auto followed = client->follow([](const Event&) { return true; }, Deadline{now});

  EXPECT_TRUE(followed);
}

TEST(AClientThatFollows, HearsThatTheDaemonIsGone) {
  testing::PrivateBus bus;
  ScriptedAgent agent;
  const auto loop = EventLoop::create().value();
  auto server = Server::connect(*loop, bus.address(), agent).value();
  ASSERT_TRUE(server->own_name());
  const auto client = Client::connect(bus.address()).value();
  ASSERT_TRUE(client->subscribe());

  server.reset();

  bool gone = false;
  ASSERT_TRUE(client->follow(
      [&](const Event& event) {
        gone = event.kind == Event::Kind::daemon_gone;
        return false;
      },
      std::nullopt));
  EXPECT_TRUE(gone);
}

TEST_F(AClient, HearsThatTheBusIsGone) {
  ASSERT_TRUE(client->subscribe());
  serving.lose_the_bus();

  const auto followed = client->follow([](const Event&) { return true; }, std::nullopt);

  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().code, ErrorCode::unreachable);
}

// ---- without a daemon ---------------------------------------------------------------------------

TEST(AClientOfABusWithoutDaemon, SaysHowToStartIt) {
  testing::PrivateBus bus;
  const auto client = Client::connect(bus.address()).value();

  const auto job = client->extend("dev:sda", 0_B, {});

  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().code, ErrorCode::unreachable);
  EXPECT_EQ(job.error().message, "volgrowd is not running on this bus: systemctl start volgrowd");
}

TEST(AClientWithoutABus, IsUnreachable) {
  const auto client = Client::connect("unix:path=/nonexistent/bus");

  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::unreachable);
}

TEST(AServerWithoutABus, IsUnreachable) {
  ScriptedAgent agent;
  const auto loop = EventLoop::create().value();

  const auto server = Server::connect(*loop, "unix:path=/nonexistent/bus", agent);

  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::unreachable);
}

TEST_F(AClient, LeavesTheNameToTheServerThatOwnsIt) {
  ScriptedAgent agent;
  const auto loop = EventLoop::create().value();
  const auto second = Server::connect(*loop, serving.address(), agent).value();

  const auto owned = second->own_name();

  ASSERT_FALSE(owned);
  EXPECT_EQ(owned.error().code, ErrorCode::unreachable);
  EXPECT_THAT(owned.error().message, HasSubstr("another volgrowd"));
}

TEST(AServerThatLosesItsBus, EndsTheLoopSoThatItsSupervisorStartsItAnew) {
  Serving serving;

  EXPECT_EQ(serving.lose_the_bus(), EXIT_FAILURE);
}

}  // namespace
}  // namespace volgrow::bus
