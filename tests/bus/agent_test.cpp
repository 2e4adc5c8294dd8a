// SPDX-License-Identifier: Apache-2.0
// The daemon as its callers meet it: real processes, a real bus, real loop devices.
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <filesystem>

#include "stack/lock.h"
#include "tests/fakes/agent_host.h"

namespace volgrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Kind = bus::Client::Event::Kind;

Bytes kernel_bytes(const RealLoop& loop) {
  std::uint64_t bytes = 0;
  ::ioctl(loop.node(), BLKGETSIZE64, &bytes);
  return Bytes(bytes);
}

std::string word(const Result<JobId>& job) {
  return job ? fmt::format("job") : std::string(name_of(job.error().code));
}

class TheAgent : public AnAgentHost {};

// --- the main road ---

TEST_F(TheAgent, ShowsARegisteredVolumeAsTheKernelDoes) {
  auto& loop = registered("vol-1", 64_MiB);

  const auto volume = client->volume("vol-1");

  ASSERT_TRUE(volume) << volume.error().message;
  EXPECT_EQ(volume->device, node_of(loop));
  EXPECT_EQ(volume->kind, "loop");
  EXPECT_EQ(volume->size, 64_MiB);
  EXPECT_EQ(volume->target_size, 64_MiB);
  EXPECT_EQ(volume->state, VolumeState::ok);
  EXPECT_THAT(volume->wwid, StartsWith("file."));
  ASSERT_EQ(volume->paths.size(), 1U);
  EXPECT_EQ(volume->paths[0].size, 64_MiB);
}

TEST_F(TheAgent, MakesAVolumeBiggerWhenItHearsThatItGrew) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);

  const auto result = end_of(client->volume_changed("vol-1", 128_MiB, {}));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.identity, IdentityProof::pinned);
  EXPECT_EQ(result.previous, 64_MiB);
  EXPECT_EQ(result.size, 128_MiB);
  EXPECT_EQ(kernel_bytes(loop), 128_MiB);
  EXPECT_EQ(client->volume("vol-1")->size, 128_MiB);
  EXPECT_EQ(client->volume("vol-1")->state, VolumeState::ok);
}

TEST_F(TheAgent, TellsWhatHappensInItsOrder) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  ASSERT_TRUE(client->subscribe());

  const auto job = client->volume_changed("vol-1", 128_MiB, {});

  ASSERT_TRUE(job);
  std::string order;
  for (const auto& event :
       events_until([](const Event& e) { return e.kind == Kind::job_removed; })) {
    if (event.kind == Kind::job_new) order += "new ";
    if (event.kind == Kind::volume_resized)
      order +=
          fmt::format("resized {} {} {} ", event.before.count(), event.after.count(), event.text);
    if (event.kind == Kind::job_removed) order += "removed " + event.text;
  }
  EXPECT_EQ(order, "new resized 67108864 134217728 event removed complete");
}

TEST_F(TheAgent, ShowsTheNewSizeBeforeItSaysThatTheJobEnded) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  ASSERT_TRUE(client->subscribe());
  ASSERT_TRUE(client->volume_changed("vol-1", 128_MiB, {}));

  events_until([](const Event& e) { return e.kind == Kind::job_removed; });

  EXPECT_EQ(client->volume("vol-1")->size, 128_MiB);
}

TEST_F(TheAgent, ShowsAPhaseThatLasts) {
  registered("vol-1", 64_MiB);
  ASSERT_TRUE(client->subscribe());
  ASSERT_TRUE(client->volume_changed("vol-1", 128_MiB, {}));

  const auto events = events_until(
      [](const Event& e) { return e.kind == Kind::job_progress && e.text == "waiting"; });

  EXPECT_EQ(events.back().text, "waiting");
}

TEST_F(TheAgent, FindsEverythingRightTheSecondTime) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  end_of(client->volume_changed("vol-1", 128_MiB, {}));

  EXPECT_EQ(end_of(client->volume_changed("vol-1", 128_MiB, {})).state, JobState::unchanged);
}

TEST_F(TheAgent, ExtendsByDevicePathWithoutARegistration) {
  auto& loop = add_loop(64_MiB);
  grow_file(loop, 128_MiB);

  const auto result = end_of(client->extend(node_of(loop), 128_MiB, {}));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.identity, IdentityProof::first_sight);
}

TEST_F(TheAgent, KnowsARegisteredVolumeByItsDeviceToo) {
  auto& loop = registered("vol-1", 64_MiB);

  const auto result = end_of(client->extend(node_of(loop), Bytes(), {}));

  EXPECT_EQ(result.volume_id, "vol-1");
  EXPECT_EQ(result.identity, IdentityProof::pinned);
}

TEST_F(TheAgent, ExtendsByConnectionInfoAsCinderMakesIt) {
  auto& loop = add_loop(64_MiB);
  grow_file(loop, 128_MiB);
  const auto info = fmt::format(
      R"({{"driver_volume_type":"local","data":{{"device_path":"{}","auth_password":"geheim","volume_id":"vol-7"}}}})",
      node_of(loop));

  const auto result = end_of(client->extend(info, 128_MiB, {}));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.volume_id, "vol-7");
}

TEST_F(TheAgent, RescansEveryRegisteredVolume) {
  auto& first = registered("vol-1", 64_MiB);
  auto& second = registered("vol-2", 64_MiB);
  grow_file(first, 128_MiB);
  grow_file(second, 96_MiB);

  const auto jobs = client->rescan({}, {});

  ASSERT_TRUE(jobs);
  ASSERT_EQ(jobs->size(), 2U);
  for (const auto job : *jobs)
    EXPECT_EQ(end_of(job).state, JobState::complete);
  EXPECT_EQ(kernel_bytes(first), 128_MiB);
  EXPECT_EQ(kernel_bytes(second), 96_MiB);
}

TEST_F(TheAgent, PlansAndExplainsWithoutTouching) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);

  const auto plan = client->plan("vol-1", 128_MiB, {});
  const auto explained = client->explain("vol-1", {});

  ASSERT_TRUE(plan && explained);
  EXPECT_THAT(*plan, HasSubstr(R"("action":"planned")"));
  EXPECT_THAT(*explained, AllOf(HasSubstr("diagnosis"), HasSubstr("volgrow extend vol-1")));
  EXPECT_EQ(kernel_bytes(loop), 64_MiB);
}

// --- what the kernel says ---

TEST_F(TheAgent, ShowsAGrowthThatSomebodyElseMade) {
  auto& loop = registered("vol-1", 64_MiB);
  ASSERT_TRUE(client->subscribe());
  grow_file(loop, 128_MiB);

  ASSERT_EQ(::ioctl(loop.node(), LOOP_SET_CAPACITY, 0), 0);

  const auto event =
      events_until([](const Event& e) { return e.kind == Kind::volume_resized; }).back();
  EXPECT_EQ(event.text, "spontaneous");
  EXPECT_EQ(event.after, 128_MiB);
  EXPECT_EQ(client->volume("vol-1")->size, 128_MiB);
}

TEST_F(TheAgent, RefusesToShrink) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 32_MiB);

  const auto result = end_of(client->volume_changed("vol-1", 0_B, {}));

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(result.error->code, ErrorCode::would_shrink);
  EXPECT_EQ(kernel_bytes(loop), 64_MiB);
  EXPECT_EQ(client->volume("vol-1")->state, VolumeState::shrunk);
}

TEST_F(TheAgent, RefusesAnotherFileBehindTheSameDevice) {
  const auto mine = daemon.folder() + "/mine";
  const auto other = daemon.folder() + "/other";
  resize_sparse(mine, 64_MiB);
  resize_sparse(other, 64_MiB);
  const auto loop = RealLoop::attach(mine, {}, {}, O_RDONLY);
  ASSERT_TRUE(loop);
  ASSERT_TRUE(client->register_volume("vol-1", connection_to(node_of(*loop)), {}));
  ASSERT_TRUE(loop->change_file(other));
  resize_sparse(other, 128_MiB);

  const auto result = end_of(client->volume_changed("vol-1", 0_B, {}));

  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::wwid_mismatch);
  EXPECT_EQ(kernel_bytes(*loop), 64_MiB);
  EXPECT_EQ(client->volume("vol-1")->state, VolumeState::mismatch);
}

// --- jobs ---

TEST_F(TheAgent, JoinsARunningJobThatIsAskedForAgain) {
  registered("vol-1", 64_MiB);
  const auto first =
      client->volume_changed("vol-1", 128_MiB, {});  // the target lags: it stays open
  const auto second = client->volume_changed("vol-1", 128_MiB, {});

  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST_F(TheAgent, CancelsAJobThatWaitsForItsTarget) {
  registered("vol-1", 64_MiB);
  const auto job = client->volume_changed("vol-1", 128_MiB, {});
  ASSERT_TRUE(job);

  ASSERT_TRUE(client->cancel(*job));

  EXPECT_EQ(end_of(*job).state, JobState::cancelled);
}

TEST_F(TheAgent, SaysThatAJobIsStillRunning) {
  registered("vol-1", 64_MiB);
  const auto job = client->volume_changed("vol-1", 128_MiB, {});
  ASSERT_TRUE(job);

  const auto polled = client->wait(*job, 0ms);
  const auto waited = client->wait(*job, 30ms);

  EXPECT_EQ(polled->state, "running");
  EXPECT_EQ(waited->state, "running");
  EXPECT_EQ(waited->result_json, "");
}

TEST_F(TheAgent, FailsWhenTheTargetIsStillTooSmallAtTheDeadline) {
  registered("vol-1", 64_MiB);
  RequestOptions options;
  options.deadline = 200ms;

  const auto result = end_of(client->volume_changed("vol-1", 128_MiB, options));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(result.error->code, ErrorCode::size_mismatch);
}

TEST_F(TheAgent, FinishesAJobWhoseTargetGrowsInTime) {
  auto& loop = registered("vol-1", 64_MiB);
  const auto job = client->volume_changed("vol-1", 128_MiB, {});
  ASSERT_TRUE(job);

  grow_file(loop, 128_MiB);

  EXPECT_EQ(end_of(*job).state, JobState::complete);
}

TEST_F(TheAgent, GivesTheStoredJobForARepeatedKey) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  RequestOptions options;
  options.idempotency_key = "once";
  const auto first = client->volume_changed("vol-1", 128_MiB, options);
  end_of(first);

  const auto again = client->volume_changed("vol-1", 128_MiB, options);
  const auto other = client->volume_changed("vol-1", 256_MiB, options);

  EXPECT_EQ(again, first);
  EXPECT_EQ(word(other), "InvalidArgs");
}

TEST_F(TheAgent, IsBusyWhileSomebodyElseHoldsTheVolumesLock) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  struct stat node {};
  ::fstat(loop.node(), &node);
  Layer top;
  top.kind = LayerKind::loop;
  top.device = loop.name();
  top.identity.number = node.st_rdev;
  const auto path = daemon.runtime_directory() + "/" + lock_name(top);
  const Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);

  const auto result = end_of(client->volume_changed("vol-1", 128_MiB, {}));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(result.error->code, ErrorCode::busy);
  EXPECT_EQ(kernel_bytes(loop), 64_MiB);
}

// --- registration ---

TEST_F(TheAgent, RegistersTheSameVolumeTwiceWithoutHarm) {
  auto& loop = registered("vol-1", 64_MiB);

  EXPECT_TRUE(client->register_volume("vol-1", connection_to(node_of(loop)), {}));
  EXPECT_EQ(client->volumes()->size(), 1U);
}

TEST_F(TheAgent, RefusesToPinOneDeviceForTwoVolumes) {
  auto& loop = registered("vol-1", 64_MiB);

  const auto second = client->register_volume("vol-2", connection_to(node_of(loop)), {});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::ambiguous_volume);
  EXPECT_THAT(second.error().message, HasSubstr("vol-1"));
}

TEST_F(TheAgent, RefusesAnotherDeviceForARegisteredVolume) {
  registered("vol-1", 64_MiB);
  auto& other = add_loop(64_MiB);

  const auto second = client->register_volume("vol-1", connection_to(node_of(other)), {});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::wwid_mismatch);
}

TEST_F(TheAgent, DoesNotLetACallReplaceAPin) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  RequestOptions options;
  options.wwid = Wwid{WwidType::naa, "60014050000000000000000000000bad"};

  EXPECT_EQ(word(client->volume_changed("vol-1", 0_B, options)), "WwidMismatch");
  EXPECT_EQ(kernel_bytes(loop), 64_MiB);
  EXPECT_NE(client->volume("vol-1")->state, VolumeState::mismatch);  // a wrong call is no alarm
}

TEST_F(TheAgent, TakesOneKeyForOneJobOnly) {
  registered("vol-1", 64_MiB);
  registered("vol-2", 64_MiB);
  RequestOptions options;
  options.idempotency_key = "once";

  EXPECT_EQ(client->rescan({}, options).error().code, ErrorCode::invalid_args);
  EXPECT_THAT(*client->jobs(), IsEmpty());
}

TEST_F(TheAgent, StartsAllOrNoneOfARescan) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);

  EXPECT_FALSE(client->rescan({"id:vol-1", "id:nobody"}, {}));
  EXPECT_THAT(*client->jobs(), IsEmpty());
}

TEST_F(TheAgent, ShowsARefusedVolumeAsNotWell) {
  auto& loop = registered("vol-1", 64_MiB);
  std::filesystem::remove(file_of(loop));
  resize_sparse(file_of(loop), 128_MiB);

  const auto result = end_of(client->volume_changed("vol-1", 0_B, {}));

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_NE(client->volume("vol-1")->state, VolumeState::ok);
}

TEST_F(TheAgent, ForgetsAVolumeThatIsUnregistered) {
  registered("vol-1", 64_MiB);

  ASSERT_TRUE(client->unregister_volume("vol-1"));

  EXPECT_THAT(*client->volumes(), IsEmpty());
  EXPECT_EQ(word(client->volume_changed("vol-1", 0_B, {})), "NoSuchVolume");
  EXPECT_EQ(client->unregister_volume("vol-1").error().code, ErrorCode::no_such_volume);
}

TEST_F(TheAgent, KeepsNoSecretOfAConnection) {
  auto& loop = add_loop(64_MiB);
  const auto info = fmt::format(
      R"({{"driver_volume_type":"local","data":{{"device_path":"{}","auth_password":"geheim-7"}}}})",
      node_of(loop));
  ASSERT_TRUE(client->register_volume("vol-1", info, {}));
  end_of(client->volume_changed("vol-1", 0_B, {}));

  daemon.stop();

  for (const auto& file : std::filesystem::directory_iterator(daemon.state_directory())) {
    const auto text = read_text_file(file.path(), 64_MiB);
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, Not(HasSubstr("geheim-7"))) << file.path();
  }
  EXPECT_THAT(daemon.log(), Not(HasSubstr("geheim-7")));
}

// --- who may ---

TEST_F(TheAgent, LetsAnOperatorExtendAndNotReadTheOutbox) {
  registered("vol-1", 64_MiB);

  const auto said = as(testing::an_operator(), [](bus::Client& c) {
    const auto job = c.extend("vol-1", 0_B, {});
    const auto outbox = c.list_outbox(1);
    return word(job) + " " + std::string(outbox ? "outbox" : name_of(outbox.error().code));
  });

  EXPECT_EQ(said, "job NotAuthorized");
}

TEST_F(TheAgent, LetsTheRelayNotifyAndNothingElse) {
  registered("vol-1", 64_MiB);

  const auto said = as(testing::the_relay(), [](bus::Client& c) {
    const auto event = c.volume_changed("vol-1", 0_B, {});
    RequestOptions with_wwid;
    with_wwid.wwid = Wwid{WwidType::naa, "6001405aa"};
    return fmt::format("{} {} {} {}", word(event), word(c.volume_changed("vol-1", 0_B, with_wwid)),
                       word(c.extend("vol-1", 0_B, {})),
                       c.unregister_volume("vol-1") ? "gone" : "refused");
  });

  EXPECT_EQ(said, "job NotAuthorized NotAuthorized refused");
}

TEST_F(TheAgent, LetsAStrangerDoNothing) {
  registered("vol-1", 64_MiB);

  const auto said = as(testing::a_stranger(), [](bus::Client& c) {
    return word(c.volume_changed("vol-1", 0_B, {})) + " " + word(c.extend("vol-1", 0_B, {}));
  });

  EXPECT_EQ(said, "NotAuthorized NotAuthorized");
  EXPECT_THAT(*client->jobs(), IsEmpty());
}

// --- the outbox and restarts ---

TEST_F(TheAgent, PutsAReportOfEveryEndIntoTheOutbox) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  end_of(client->volume_changed("vol-1", 128_MiB, {}));

  const auto before = outbox_as_relay();
  const auto acknowledged = as(testing::the_relay(), [](bus::Client& relay) {
    return std::string(relay.acknowledge({1, 77}) ? "yes" : "no");
  });

  EXPECT_THAT(before, AllOf(StartsWith("1 {\"schema\":\"volgrow.report/1\""),
                            HasSubstr("\"volume_bytes\":134217728"), HasSubstr("\"sequence\":1")));
  EXPECT_EQ(acknowledged, "yes");
  EXPECT_EQ(outbox_as_relay(), "");
}

TEST_F(TheAgent, RemembersEverythingAcrossARestart) {
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  const auto job = client->volume_changed("vol-1", 128_MiB, {});
  const auto result = end_of(job);
  const auto reports = outbox_as_relay();

  EXPECT_EQ(daemon.stop(), 0);
  ASSERT_TRUE(daemon.start()) << daemon.log();
  client = connect();

  EXPECT_EQ(client->volume("vol-1")->size, 128_MiB);
  EXPECT_EQ(end_of(job), result);
  EXPECT_EQ(outbox_as_relay(), reports);
  const auto next = client->volume_changed("vol-1", 0_B, {});
  ASSERT_TRUE(next);
  EXPECT_GT(*next, *job);
}

TEST_F(TheAgent, SeesAtStartWhatGrewWhileItWasDown) {
  auto& loop = registered("vol-1", 64_MiB);
  daemon.stop();
  grow_file(loop, 128_MiB);
  ::ioctl(loop.node(), LOOP_SET_CAPACITY, 0);

  ASSERT_TRUE(daemon.start()) << daemon.log();
  client = connect();
  end_of(client->volume_changed("vol-1", 0_B, {}));

  EXPECT_EQ(client->volume("vol-1")->size, 128_MiB);
}

// --- hostile input ---

class HostileText : public TheAgent, public ::testing::WithParamInterface<std::string> {};

TEST_P(HostileText, IsRefusedAndChangesNothing) {
  const auto job = client->extend(GetParam(), 0_B, {});

  if (job) {
    const auto result = end_of(*job);
    EXPECT_TRUE(result.error);
    EXPECT_THAT(result.layers, IsEmpty());
  }
  EXPECT_TRUE(client->daemon_version());
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, HostileText,
    ::testing::Values("", "../../etc/shadow", "/dev/../etc/shadow", "/etc/shadow", "/proc/self/mem",
                      "/dev/null", "/dev/mem", "/dev", "dev:../../etc", "dm:a/b", "wwid:zz",
                      "id:-x", "id:\x01", std::string(300000, 'a'), std::string(4097, '/'),
                      std::string(100000, '{'), std::string("{\"a\":") + std::string(50000, '['),
                      R"({"driver_volume_type":7,"data":{}})", R"({"driver_volume_type":"local"})",
                      R"({"driver_volume_type":"local","data":[]})",
                      R"({"driver_volume_type":"local","data":{"device_path":7}})",
                      R"({"driver_volume_type":"local","data":{"device_path":"../../etc/shadow"}})",
                      R"({"driver_volume_type":"local","data":{"device_path":"/etc/shadow"}})",
                      R"({"driver_volume_type":"iscsi","data":{}})"));

TEST_F(TheAgent, FollowsNoSymbolicLinkOutOfDev) {
  const auto link = daemon.folder() + "/link";
  std::filesystem::create_symlink("/etc/shadow", link);

  const auto result = end_of(client->extend(link, 0_B, {}));

  EXPECT_TRUE(result.error);
  EXPECT_THAT(result.layers, IsEmpty());
}

class ACrowdedAgent : public AnAgentHost {
 protected:
  ACrowdedAgent() : AnAgentHost("[jobs]\nmost_jobs_per_caller = 20\nmost_waits_per_caller = 3\n") {}
};

TEST_F(ACrowdedAgent, StopsAFloodAndServesTheOthers) {
  registered("vol-1", 64_MiB);
  registered("vol-2", 64_MiB);
  const auto flooded = as(testing::an_operator(), [](bus::Client& c) {
    std::size_t accepted = 0;
    std::string last;
    for (std::uint64_t i = 0; i < 200; ++i) {
      const auto job = c.volume_changed("vol-1", 1_GiB + Bytes(i * 512), {});
      accepted += job ? 1U : 0U;
      last = word(job);
    }
    return fmt::format("{} {}", accepted, last);
  });

  EXPECT_EQ(flooded, "20 LimitsExceeded");
  EXPECT_EQ(end_of(client->volume_changed("vol-2", 0_B, {})).state, JobState::unchanged);
}

class AnAgentThatNeedsIdentity : public AnAgentHost {
 protected:
  AnAgentThatNeedsIdentity() : AnAgentHost("[identity]\nrequire_identity = true\n") {}
};

TEST_F(AnAgentThatNeedsIdentity, GrowsNothingItHasNotBeenTold) {
  auto& loop = add_loop(64_MiB);
  grow_file(loop, 128_MiB);

  const auto result = end_of(client->extend(node_of(loop), 128_MiB, {}));

  EXPECT_EQ(result.error->code, ErrorCode::wwid_mismatch);
  EXPECT_EQ(kernel_bytes(loop), 64_MiB);
}

}  // namespace
}  // namespace volgrow
