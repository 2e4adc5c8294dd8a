// SPDX-License-Identifier: Apache-2.0
// What the agent makes of the kernel's events: the bus and the journal are real, kernel and time
// are fakes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <sstream>

#include "agent/agent.h"
#include "core/json.h"
#include "core/result.h"
#include "dbus/client.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/inline_pool.h"
#include "tests/fakes/private_bus.h"
#include "tests/fakes/real_loop.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Uevent change(std::string device) {
  return {.action = "change", .device = std::move(device), .subsystem = "block"};
}

Uevent resized(std::string device) {
  auto event = change(std::move(device));
  event.resized = true;
  return event;
}

Uevent unit_attention(std::string address, std::string what) {
  return {.action = "change",
          .device = std::move(address),
          .subsystem = "scsi",
          .announcement = std::move(what)};
}

class AnAgentThatListens : public ::testing::Test {
 protected:
  AnAgentThatListens() {
    for (const auto& [name, address] : {std::pair("sda", "1:0:0:1"), std::pair("sdb", "2:0:0:1")}) {
      kernel.add_disk(name, {.address = address, .wwid = wwid});
      kernel.set_attribute(fmt::format("class/scsi_device/{}/device/block/{}/size", address, name),
                           "0");
    }
    kernel.add_map("dm-3", {"sda", "sdb"}, {.wwid = "3" + wwid.hex});
    config.audit_interval = Duration::zero();
  }
  void start() {
    agent = std::make_unique<agent::Agent>(
        agent::Agent::Needs{loop, loop.clock(), kernel, *journal, pool, config,
                            agent::AccessRules(std::nullopt, std::nullopt), folder.path(), *log});
    server = bus::Server::connect(loop, bus.address(), *agent).value();
    agent->start(*server).value();
    server->own_name().value();
    pass(5s);
  }
  void register_it() {
    bool done = false;
    agent->register_volume(
        {":1.1", 0, {}}, "vol-1",
        R"({"driver_volume_type": "local", "data": {"device_path": "/dev/dm-3"}})", {},
        [&](const Result<std::string>& id) {
          EXPECT_TRUE(id) << id.error().message;
          done = true;
        });
    pass(5s);
    ASSERT_TRUE(done);
  }
  void start_again() {
    server.reset();
    agent.reset();
    start();
  }
  /// As a client on the bus sees it.
  std::string shown_state() {
    auto asked = std::async(std::launch::async, [this] {
      return bus::Client::connect(bus.address()).value()->volume("vol-1").value().state;
    });
    while (asked.wait_for(0s) != std::future_status::ready)
      pass(250ms);
    return std::string(name_of(asked.get()));
  }
  void hear(std::vector<Uevent> events, bool lost = false) {
    agent->on_uevents({std::move(events), lost});
  }
  void pass(Duration span, Duration step = 250ms) {
    for (Duration passed{}; passed < span; passed += step) {
      loop.advance(step);
      for (int turns = 0; turns < 30; ++turns) {
        const auto idle = loop.when_idle([this] { loop.exit(0); }).value();
        loop.run().value();
      }
    }
  }
  void targets_have(Bytes size) {
    for (const auto* path : {"sda", "sdb"})
      kernel.path(path).target_size = size;
  }
  /// Reports of jobs that ended, the oldest first.
  std::vector<JobResult> reports() {
    std::vector<JobResult> results;
    const auto entries = journal->outbox(100).value();
    for (const auto& [sequence, json] : entries)
      results.push_back(report_from(parse_json(json).value()).value().result);
    return results;
  }

  const Wwid wwid{WwidType::naa, "6001405a0102030405060708090a0b0c"};
  testing::PrivateBus bus;
  TemporaryDirectory folder;
  FakeTimeLoop loop;
  FakeKernel kernel;
  agent::InlinePool pool{loop, kernel};
  agent::Config config;
  std::ostringstream said;
  std::unique_ptr<Log> log = stream_log(said, LogLevel::debug);
  std::unique_ptr<agent::Journal> journal =
      agent::Journal::open(folder / "journal.sqlite", "host-1", loop.clock()).value();
  std::unique_ptr<agent::Agent> agent;
  std::unique_ptr<bus::Server> server;
};

TEST_F(AnAgentThatListens, TakesOverGrowthThatAUnitAttentionAnnounced) {
  start();
  register_it();
  targets_have(20_GiB);
  hear({unit_attention("2:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
  pass(5s);
  ASSERT_THAT(reports(), SizeIs(1));
  EXPECT_EQ(reports()[0].state, JobState::complete);
  EXPECT_EQ(reports()[0].volume_id, "vol-1");
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
  EXPECT_THAT(said.str(), HasSubstr("nobody announced it"));
}

TEST_F(AnAgentThatListens, TakesOverWhatSomebodyBeganByHand) {
  start();
  register_it();
  targets_have(20_GiB);
  kernel.path("sda").size = 20_GiB;  // one path was rescanned
  hear({resized("sda")});
  pass(5s);
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
  EXPECT_THAT(reports(), SizeIs(1));
}

TEST_F(AnAgentThatListens, GivesUpNoPathForASizeThatNobodyAskedFor) {
  start();
  register_it();
  targets_have(20_GiB);
  kernel.path("sdb").state = "transport-offline";
  hear({unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
  pass(20s);
  EXPECT_EQ(kernel.map("dm-3").size, 10_GiB);
  EXPECT_THAT(*kernel.list("block/dm-3/slaves"), SizeIs(2));
  kernel.path("sdb").state = "running";
  hear({change("sdb")});
  pass(30s);
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
}

TEST_F(AnAgentThatListens, DoesNotLookAtWhatItsOwnJobDid) {
  start();
  register_it();
  const auto before = loop.timers();
  hear({resized("sda"), resized("sdb"), resized("dm-3")});
  EXPECT_EQ(loop.timers(), before);
  hear({unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
  EXPECT_GT(loop.timers(), before);
}

TEST_F(AnAgentThatListens, RepairsALivePathOfSizeZero) {
  start();
  register_it();
  kernel.path("sdb").size = Bytes();  // rescanned while its target could not answer
  hear({change("sdb")});
  pass(5s);
  EXPECT_EQ(kernel.path("sdb").size, 10_GiB);
  ASSERT_THAT(reports(), SizeIs(1));
  EXPECT_EQ(reports()[0].size, 10_GiB);
}

TEST_F(AnAgentThatListens, LooksAtEveryUnitBehindAPortWhoseListChanged) {
  start();
  register_it();
  targets_have(20_GiB);
  hear({unit_attention("1:0:0:7", "INQUIRY_DATA_HAS_CHANGED")});
  pass(5s);
  EXPECT_THAT(reports(), IsEmpty());
  hear({unit_attention("1:0:0:7", "REPORTED_LUNS_DATA_HAS_CHANGED")});
  pass(5s);
  EXPECT_THAT(reports(), SizeIs(1));
}

TEST_F(AnAgentThatListens, FindsInItsAuditWhatHadNoEvent) {
  config.audit_interval = 60s;
  start();
  register_it();
  targets_have(20_GiB);
  pass(20s, 1s);
  EXPECT_THAT(reports(), IsEmpty());
  pass(60s, 1s);
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
}

TEST_F(AnAgentThatListens, ReadsEverythingAgainWhenEventsWereLost) {
  start();
  register_it();
  targets_have(20_GiB);
  for (int batch = 0; batch < 1000; ++batch)
    hear({}, true);
  pass(5s);
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
  const auto text = said.str();
  const auto first = text.find("events were lost");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("events were lost", first + 1), std::string::npos) << "told once for a burst";
}

TEST_F(AnAgentThatListens, LeavesVolumesAloneWhereThePolicyIsNever) {
  config.auto_growth = agent::AutoGrowth::never;
  start();
  register_it();
  targets_have(20_GiB);
  hear({unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
  pass(5s);
  EXPECT_THAT(reports(), IsEmpty());
  EXPECT_EQ(kernel.map("dm-3").size, 10_GiB);
}

TEST_F(AnAgentThatListens, GrowsUnregisteredVolumesWhereThePolicyIsAll) {
  config.auto_growth = agent::AutoGrowth::all;
  config.audit_interval = 60s;
  start();
  targets_have(20_GiB);
  hear({unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED"),
        unit_attention("2:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
  pass(5s);
  EXPECT_EQ(kernel.map("dm-3").size, 20_GiB);
  ASSERT_THAT(reports(), SizeIs(1)) << "one volume, whatever its paths say";
  EXPECT_EQ(reports()[0].wwid, wwid);
  targets_have(30_GiB);
  pass(70s, 1s);
  EXPECT_EQ(kernel.map("dm-3").size, 30_GiB) << "by the audit";
}

TEST_F(AnAgentThatListens, LeavesUnregisteredVolumesAloneByDefault) {
  start();
  targets_have(20_GiB);
  hear({unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED"), resized("sda")});
  pass(5s);
  EXPECT_EQ(kernel.map("dm-3").size, 10_GiB);
}

TEST_F(AnAgentThatListens, NeverFollowsAVolumeThatHasBecomeSmaller) {
  config.auto_growth = agent::AutoGrowth::all;
  start();
  register_it();
  targets_have(5_GiB);
  for (int event = 0; event < 3; ++event) {
    hear({unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
    pass(5s);
  }
  EXPECT_THAT(reports(), IsEmpty());
  EXPECT_EQ(kernel.path("sda").size, 10_GiB);
  const auto text = said.str();
  const auto first = text.find("has become smaller at its target");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("has become smaller at its target", first + 1), std::string::npos);
}

TEST_F(AnAgentThatListens, NeverFollowsAnotherVolume) {
  start();
  register_it();
  targets_have(20_GiB);
  for (const auto* path : {"sda", "sdb"})
    kernel.path(path).designators = {{WwidType::naa, "6001405ffffffffffffffffffffffff0"}};
  hear({unit_attention("1:0:0:1", "INQUIRY_DATA_HAS_CHANGED")});
  pass(5s);
  EXPECT_THAT(reports(), IsEmpty());
  EXPECT_EQ(kernel.path("sda").size, 10_GiB);
  EXPECT_THAT(said.str(), HasSubstr("another volume answers there"));
}

TEST_F(AnAgentThatListens, TellsOfADeviceThatSomebodyMadeSmaller) {
  start();
  register_it();
  targets_have(5_GiB);
  for (const auto* path : {"sda", "sdb"})
    kernel.path(path).size = 5_GiB;
  kernel.map("dm-3").size = 5_GiB;
  for (int event = 0; event < 3; ++event) {
    hear({resized("dm-3"), unit_attention("1:0:0:1", "CAPACITY_DATA_HAS_CHANGED")});
    pass(5s);
  }
  const auto text = said.str();
  const auto first = text.find("dm-3 has become smaller: 5 GiB");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("dm-3 has become smaller", first + 1), std::string::npos)
      << "it is told once";
  EXPECT_THAT(text, Not(HasSubstr("nobody announced it")));
  EXPECT_EQ(shown_state(), "shrunk");
  start_again();
  EXPECT_EQ(shown_state(), "shrunk") << "a restart makes nothing well";
  register_it();
  EXPECT_EQ(shown_state(), "ok") << "its owner accepts it";
}

}  // namespace
}  // namespace volgrow
