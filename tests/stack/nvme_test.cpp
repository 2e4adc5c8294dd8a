// SPDX-License-Identifier: Apache-2.0
// Layers that follow later and by themselves: NVMe's paths, which are asked and follow some time
// after, and the head above them, which is never asked.
#include <fmt/format.h>

#include "tests/fakes/fake_nvme.h"
#include "tests/stack/a_volume.h"

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const first_rescan = "write class/nvme/nvme0/rescan_controller 1";
const char* const second_rescan = "write class/nvme/nvme1/rescan_controller 1";

class ANamespace : public AVolume {
 protected:
  ANamespace() {
    subject = "dev:nvme0n1";
    nvme.add_controller("nvme0");
    nvme.add_controller("nvme1", {.address = "traddr=10.0.0.2,trsvcid=4420"});
  }
  void with_two_paths(NamespaceOptions options = {}) {
    nvme.add_joined({"nvme0", "nvme1"}, std::move(options));
  }
  FakeController& one() { return nvme.controller("nvme0"); }
  FakeController& two() { return nvme.controller("nvme1"); }
  Bytes kernel_size(const std::string& device) { return kernel.device(device).size; }

  FakeNvme nvme{kernel};
};

TEST_F(ANamespace, GrowsOnEveryPathAndItsHeadFollows) {
  with_two_paths();
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.previous, 10_GiB);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(result.device, "/dev/nvme0n1");
  EXPECT_EQ(layer(result, "nvme0c0n1").action, LayerAction::rescanned);
  EXPECT_EQ(layer(result, "nvme0c1n1").action, LayerAction::rescanned);
  EXPECT_EQ(layer(result, "nvme0n1").action, LayerAction::resized);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan, second_rescan));
}

TEST_F(ANamespace, IsFoundByOneOfItsPathsAndByItsIdentity) {
  with_two_paths();
  for (const auto* name :
       {"dev:nvme0c1n1", "nvme0c0n1", "wwid:uuid.00000000-0000-4000-8000-000000000005"}) {
    subject = name;
    const auto result = run(any_growth());
    EXPECT_EQ(result.state, JobState::unchanged) << name;
    EXPECT_EQ(result.device, "/dev/nvme0n1") << name;
    EXPECT_EQ(result.layers.size(), 3) << name;
  }
}

TEST_F(ANamespace, IsFoundByAnNgidThatTheKernelCallsEui) {
  with_two_paths({.identity = Wwid{WwidType::nguid, std::string(32, 'a')}});
  subject = "wwid:nguid." + std::string(32, 'a');

  EXPECT_EQ(run(any_growth()).state, JobState::unchanged);
}

TEST_F(ANamespace, OfFourKibibyteBlocksIsMeasuredInBytes) {
  with_two_paths({.block_bits = 12});
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "nvme0c0n1").target_bytes, 20_GiB);
}

TEST_F(ANamespace, ThatTheKernelHasFollowedAlreadyIsSentNothing) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  for (const auto* device : {"nvme0c0n1", "nvme0c1n1", "nvme0n1"})
    kernel.device(device).size = 20_GiB;

  EXPECT_EQ(run(to(20_GiB)).state, JobState::unchanged);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

// The array announces its growth while it is asked for it: what the kernel does then is not done
// twice, and is told as what it is.
TEST_F(ANamespace, ThatTheKernelFollowsMeanwhileIsSentNothing) {
  with_two_paths();
  after_batch = [&](const Batch&, auto&) {
    if (nvme.path("nvme0c0n1").target_size == 20_GiB) return;
    nvme.target_grows(20_GiB);
    one().rescans_in = two().rescans_in = Duration::zero();
    nvme.announce("nvme0");
    nvme.announce("nvme1");
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "nvme0c0n1").action, LayerAction::resized);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ANamespace, IsRescannedOnlyThroughControllersThatAreBehind) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  kernel.device("nvme0c1n1").size = 20_GiB;
  kernel.device("nvme0n1").size = 20_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan));
  EXPECT_EQ(layer(result, "nvme0c1n1").action, LayerAction::unchanged);
}

TEST_F(ANamespace, IsWaitedForWhileTheKernelTakesItsTime) {
  with_two_paths();
  two().rescans_in = 12s;
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "nvme0c1n1").after_bytes, 20_GiB);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan, second_rescan));
  EXPECT_GE(result.duration, 12s);
  EXPECT_LE(result.duration, 14s);
}

TEST_F(ANamespace, WhosePathNeverFollowsIsNotSaidToHaveGrown) {
  with_two_paths();
  two().deaf = true;
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB), 60s);

  EXPECT_EQ(layer(result, "nvme0c1n1").action, LayerAction::failed);
  EXPECT_EQ(layer(result, "nvme0c1n1").after_bytes, 10_GiB);
  EXPECT_NE(result.state, JobState::complete);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->device, "nvme0c1n1");
  EXPECT_GE(result.duration, JobLimits().grow);
  EXPECT_LE(result.duration, JobLimits().grow + 2s);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan, second_rescan));
}

TEST_F(ANamespace, IsNotWaitedForBeyondTheDeadline) {
  with_two_paths();
  one().deaf = two().deaf = true;
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB), 4s);

  EXPECT_NE(result.state, JobState::complete);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_LE(result.duration, 5s);
}

TEST_F(ANamespace, CanBeCancelledWhileItIsWaitedFor) {
  with_two_paths();
  one().deaf = two().deaf = true;
  nvme.target_grows(20_GiB);
  auto job = job_for(to(20_GiB));
  before_batch = [&](const Batch&) {
    if (!kernel.changes().empty()) job.cancel_requested = true;
  };

  const auto result = run(job);

  EXPECT_EQ(result.state, JobState::cancelled);
  EXPECT_LE(result.duration, 2s);
}

/// The state of the second controller, and how the path that is then of no use looks to us.
class ANamespaceWithALostController : public ANamespace,
                                      public testing::WithParamInterface<const char*> {
 protected:
  ANamespaceWithALostController() { with_two_paths(); }
  void lose() {
    const std::string how = GetParam();
    if (how == "silent") {
      two().answers = false;
    } else if (how == "inaccessible") {
      nvme.path("nvme0c1n1").ana_state = how;
    } else {
      two().state = how;
    }
  }
};

TEST_P(ANamespaceWithALostController, GrowsWithoutItAndIsDegraded) {
  lose();
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "nvme0c0n1").action, LayerAction::rescanned);
  EXPECT_EQ(layer(result, "nvme0c1n1").action, LayerAction::deferred);
  EXPECT_EQ(layer(result, "nvme0n1").action, LayerAction::resized);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan));
  EXPECT_LE(result.duration, 1s) << "nobody waits for the dead";
}

TEST_P(ANamespaceWithALostController, ThatIsLostWhileItFollowsGrowsWithoutIt) {
  nvme.target_grows(20_GiB);
  two().rescans_in = 10s;
  one().when_rescanned = [this] { lose(); };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "nvme0c1n1").action, LayerAction::deferred);
  EXPECT_EQ(layer(result, "nvme0n1").action, LayerAction::resized);
  EXPECT_LE(result.duration, 3s);
}

TEST_P(ANamespaceWithALostController, IsWholeAgainWhenItIsBack) {
  lose();
  nvme.target_grows(20_GiB);
  run(to(20_GiB));
  two().answers = true;
  two().state = "live";
  nvme.path("nvme0c1n1").ana_state = "optimized";

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "nvme0c1n1").action, LayerAction::rescanned);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan, second_rescan));
}

INSTANTIATE_TEST_SUITE_P(InAnyWay, ANamespaceWithALostController,
                         testing::Values("connecting", "deleting", "inaccessible", "silent"));

TEST_F(ANamespace, IsNotTouchedWhenNoControllerIsLive) {
  with_two_paths();
  one().state = two().state = "connecting";
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::refused);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::no_usable_path);
  EXPECT_THAT(result.error->message, HasSubstr("'connecting'"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ANamespace, WhoseControllersAreAllLostWhileTheyFollowHasNoPath) {
  with_two_paths();
  one().deaf = two().deaf = true;
  nvme.target_grows(20_GiB);
  after_batch = [&](const Batch&, auto&) {
    if (kernel.changes().size() == 2) one().answers = two().answers = false;
  };

  const auto result = run(to(20_GiB));

  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::no_usable_path);
  EXPECT_LE(result.duration, 2s);
}

TEST_F(ANamespace, WhosePathsDisagreeIsAskedUntilTheyDoNot) {
  with_two_paths();
  nvme.path("nvme0c0n1").target_size = 20_GiB;
  int asked = 0;
  after_batch = [&](const Batch&, auto&) {
    if (++asked == 3) nvme.target_grows(20_GiB);
  };

  EXPECT_EQ(run(to(20_GiB)).state, JobState::complete);
}

TEST_F(ANamespace, WhosePathsDisagreeUntilTheDeadlineIsNotTouched) {
  with_two_paths();
  nvme.path("nvme0c0n1").target_size = 20_GiB;

  const auto result = run(to(20_GiB), 5s);

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(result.error->code, ErrorCode::paths_disagree);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ANamespace, ThatShrankAtItsTargetIsNotTouched) {
  with_two_paths();
  nvme.target_grows(5_GiB);

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(result.error->code, ErrorCode::would_shrink);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ANamespace, ThatShrinksWhileItIsWaitedForIsAnAlarm) {
  with_two_paths();
  two().rescans_in = 2s;
  nvme.target_grows(20_GiB);
  one().when_rescanned = [&] { nvme.path("nvme0c1n1").target_size = 5_GiB; };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(result.error->code, ErrorCode::would_shrink);
}

TEST_F(ANamespace, ThatGrowsOnceMoreWhileItIsWaitedForIsTakenToTheEnd) {
  with_two_paths();
  two().rescans_in = 2s;
  nvme.target_grows(20_GiB);
  one().when_rescanned = [&] { nvme.target_grows(30_GiB); };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 30_GiB);
  EXPECT_EQ(kernel_size("nvme0c0n1"), 30_GiB);
}

TEST_F(ANamespace, OfAnotherIdentityIsRefused) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  auto request = to(20_GiB);
  request.pinned = Wwid{WwidType::uuid, std::string(32, 'f')};

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(result.error->code, ErrorCode::wwid_mismatch);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ANamespace, ThatWasReplacedAtItsTargetIsNotThereAnyMore) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  for (const auto* path : {"nvme0c0n1", "nvme0c1n1"})
    nvme.path(path).identity->hex.back() = '6';

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(result.error->code, ErrorCode::no_such_device);
  EXPECT_THAT(result.error->message, HasSubstr("in its place"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

// What the kernel does when a rescan meets another identity: the disks go.
TEST_F(ANamespace, ThatGoesAwayWhileItIsWaitedForIsNoCrash) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  one().deaf = two().deaf = true;
  after_batch = [&](const Batch&, auto&) {
    if (kernel.changes().size() != 2 || !kernel.list("block/nvme0n1")) return;
    for (const auto* device : {"nvme0c0n1", "nvme0c1n1", "nvme0n1"})
      kernel.remove_device(device);
  };

  const auto result = run(to(20_GiB));

  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::no_such_device);
}

// It shows what the path shows that was looked at last: here the one that has died since.
TEST_F(ANamespace, WhoseHeadStaysBehindAllItsPathsIsMovedByOneMoreRescan) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  kernel.device("nvme0c0n1").size = 20_GiB;
  two().state = "connecting";

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan));
}

TEST_F(ANamespace, IsPlannedWithoutTouchingIt) {
  with_two_paths();
  nvme.target_grows(20_GiB);
  auto request = to(20_GiB);
  request.operation = Operation::plan;

  const auto result = run(request);

  for (const auto* device : {"nvme0c0n1", "nvme0c1n1", "nvme0n1"})
    EXPECT_EQ(layer(result, device).action, LayerAction::planned) << device;
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ANamespace, IsExplainedByThePathThatIsBehind) {
  with_two_paths();
  nvme.path("nvme0c0n1").target_size = 20_GiB;
  kernel.device("nvme0n1").size = 10_GiB;
  Request request;
  request.operation = Operation::explain;

  const auto result = run(request);

  ASSERT_TRUE(result.diagnosis);
  EXPECT_EQ(result.diagnosis->device, "nvme0c0n1");
  EXPECT_THAT(result.diagnosis->fix, HasSubstr("volgrow extend"));
}

TEST_F(ANamespace, WithCryptOnItsHeadGrowsToItsTop) {
  with_two_paths();
  with_crypt_on("nvme0n1");
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB - crypt_header);
}

/// Joined by dm-multipath: each disk is a path, and the map is told.
class AMapOverNamespaces : public ANamespace {
 protected:
  AMapOverNamespaces() {
    subject = "dev:dm-3";
    kernel.add_block("dm-3", 10_GiB);
    kernel.set_attribute("block/dm-3/dm/uuid", "mpath-uuid.00000000-0000-4000-8000-000000000005");
    for (const auto* name : {"nvme0", "nvme1"}) {
      nvme.add_single(name);
      kernel.stack_on("dm-3", std::string(name) + "n1");
    }
  }
};

TEST_F(AMapOverNamespaces, GrowsOnceEveryPathHasFollowed) {
  two().rescans_in = 3s;
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "dm-3").action, LayerAction::resized);
  EXPECT_THAT(kernel.changes(), ElementsAre(first_rescan, second_rescan));
}

TEST_F(AMapOverNamespaces, PartsWithAPathThatIsDead) {
  two().state = "connecting";
  nvme.target_grows(20_GiB);

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "nvme1n1").action, LayerAction::evicted);
}

TEST_F(AMapOverNamespaces, TakesBackAPathThatIsThereAgain) {
  two().state = "connecting";
  nvme.target_grows(20_GiB);
  run(to(20_GiB));
  two().state = "live";

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "nvme1n1").action, LayerAction::readopted);
}

}  // namespace
}  // namespace volgrow
