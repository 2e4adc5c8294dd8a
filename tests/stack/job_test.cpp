// SPDX-License-Identifier: Apache-2.0
// What becomes of a volume, from the first look to the verdict, over a kernel that reacts.
#include "stack/job.h"

#include "tests/stack/a_volume.h"

namespace volgrow {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

MATCHER_P2(IsLayer, device, action, "") {
  return arg.device == device && arg.action == action;
}

std::optional<ErrorCode> error_of(const JobResult& result) {
  return result.error ? std::optional(result.error->code) : std::nullopt;
}

// --- a loop device, whole ---

class ALoopVolume : public AVolume {
 protected:
  ALoopVolume() {
    kernel.add_loop("loop0", "/images/vol", 10_GiB);
    subject = "/dev/loop0";
  }
};

TEST_F(ALoopVolume, IsCompleteWhenItsFileGrew) {
  kernel.file("/images/vol").size = 20_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.previous, 10_GiB);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(result.volume, 20_GiB);
  EXPECT_EQ(result.device, "/dev/loop0");
  EXPECT_EQ(layer(result, "loop0").before_bytes, 10_GiB);
  EXPECT_EQ(layer(result, "loop0").after_bytes, 20_GiB);
  EXPECT_EQ(layer(result, "loop0").target_bytes, 20_GiB);
  EXPECT_EQ(layer(result, "loop0").action, LayerAction::rescanned);
  EXPECT_EQ(layer(result, "/images/vol").action, LayerAction::unchanged);
}

TEST_F(ALoopVolume, IsUnchangedAndUntouchedTheSecondTime) {
  kernel.file("/images/vol").size = 20_GiB;
  run(to(20_GiB));
  const auto touched = kernel.changes();

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::unchanged);
  EXPECT_EQ(kernel.changes(), touched);
}

TEST_F(ALoopVolume, WaitsForATargetThatLagsBehind) {
  kernel.when_probed("loop0", 4, [&] { kernel.file("/images/vol").size = 20_GiB; });

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(ALoopVolume, GrowsOnceMoreWhenItsTargetGrewDuringTheRescan) {
  kernel.file("/images/vol").size = 20_GiB;
  kernel.after_growth("loop0", [&] { kernel.file("/images/vol").size = 30_GiB; });

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 30_GiB);
}

TEST_F(AVolume, IsDegradedWhenOnlyTheSecondRescanWasRefused) {
  with_single_path();
  kernel.path("sda").target_size = 20_GiB;
  kernel.after_growth("sda", [&] { kernel.path("sda").target_size = 30_GiB; });
  before_batch = [&](const Batch& batch) {
    const bool second = kernel.path("sda").target_size == 30_GiB;
    if (second && std::holds_alternative<GrowStep>(batch.steps.front().action))
      kernel.path("sda").state = "offline";
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(AVolume, IsCompleteWhenItsTargetAnswersAgainInTheSecondRound) {
  with_paths(2);
  for (const auto* path : {"sda", "sdb"})
    kernel.path(path).target_size = 20_GiB;
  kernel.after_growth("sda", [&] { kernel.path("sda").answers = false; });
  kernel.after_growth("sdb", [&] { kernel.path("sdb").target_size = 30_GiB; });
  before_batch = [&](const Batch& batch) {
    const bool second = kernel.path("sdb").target_size == 30_GiB;
    if (second && std::holds_alternative<ProbeStep>(batch.steps.front().action)) {
      kernel.path("sda").answers = true;
      kernel.path("sda").target_size = 30_GiB;
    }
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.size, 30_GiB);
  EXPECT_EQ(result.state, JobState::complete);
}

TEST_F(ALoopVolume, IsRefusedWhenItWouldShrink) {
  kernel.file("/images/vol").size = 5_GiB;

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::would_shrink);
  EXPECT_EQ(layer(result, "loop0").action, LayerAction::refused);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, FailsWithBothSizesWhenItsTargetStaysTooSmall) {
  kernel.file("/images/vol").size = 15_GiB;

  const auto result = run(to(20_GiB), 5s);

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::size_mismatch);
  EXPECT_THAT(result.error->message, HasSubstr("15 GiB"));
  EXPECT_THAT(result.error->message, HasSubstr("20 GiB"));
  EXPECT_GE(result.duration, 5s);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, FailsAtOnceWhenItIsLargerThanExactlyWanted) {
  kernel.file("/images/vol").size = 21_GiB;
  auto request = to(20_GiB);
  request.mode = Mode::exact;

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::size_mismatch);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, TakesALargerSizeWhenAtLeastIsWanted) {
  kernel.file("/images/vol").size = 21_GiB;

  EXPECT_EQ(run(to(20_GiB)).state, JobState::complete);
}

TEST_F(ALoopVolume, FailsWhenTheKernelDoesNotFollow) {
  kernel.file("/images/vol").size = 20_GiB;
  kernel.loop("loop0").ignores_growth = true;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::size_mismatch);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_EQ(layer(result, "loop0").action, LayerAction::failed);
}

TEST_F(ALoopVolume, IsNotTouchedByAPlan) {
  kernel.file("/images/vol").size = 20_GiB;
  auto request = to(20_GiB);
  request.operation = Operation::plan;

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::unchanged);
  EXPECT_EQ(layer(result, "loop0").action, LayerAction::planned);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, IsNotTouchedByADryRun) {
  kernel.file("/images/vol").size = 20_GiB;
  auto request = to(20_GiB);
  request.dry_run = true;

  const auto result = run(request);

  EXPECT_EQ(layer(result, "loop0").action, LayerAction::planned);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, IsExplainedByItsFirstWrongLayer) {
  kernel.file("/images/vol").size = 20_GiB;
  Request request;
  request.operation = Operation::explain;
  request.volume_id = "vol-1";

  const auto result = run(request);

  ASSERT_TRUE(result.diagnosis);
  EXPECT_EQ(result.diagnosis->device, "loop0");
  EXPECT_THAT(result.diagnosis->problem, HasSubstr("20 GiB"));
  EXPECT_EQ(result.diagnosis->fix, "volgrow extend vol-1");
}

TEST_F(ALoopVolume, IsExplainedAsHealthyWhenItIs) {
  Request request;
  request.operation = Operation::explain;

  const auto result = run(request);

  EXPECT_FALSE(result.diagnosis);
  EXPECT_FALSE(result.error);
}

TEST_F(ALoopVolume, IsGrownAtFirstSightAndSaysSo) {
  kernel.file("/images/vol").size = 20_GiB;

  const auto result = run(any_growth());

  EXPECT_EQ(result.identity, IdentityProof::first_sight);
  EXPECT_EQ(result.state, JobState::complete);
}

TEST_F(ALoopVolume, IsRefusedAtFirstSightWhereIdentityIsRequired) {
  kernel.file("/images/vol").size = 20_GiB;
  Request request;
  request.pin_required = true;

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::wwid_mismatch);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, IsCancelledBeforeAnythingIsWritten) {
  kernel.file("/images/vol").size = 20_GiB;
  auto job = job_for(to(20_GiB));
  before_batch = [&](const Batch&) { job.cancel_requested = job.phase == Phase::probing; };

  const auto result = run(job);

  EXPECT_EQ(result.state, JobState::cancelled);
  EXPECT_EQ(error_of(result), ErrorCode::cancelled);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, IsMeasuredWhenItIsCancelledAfterARescan) {
  kernel.file("/images/vol").size = 20_GiB;
  auto job = job_for(to(20_GiB));
  before_batch = [&](const Batch&) {
    job.cancel_requested = job.cancel_requested || job.phase == Phase::growing;
  };

  const auto result = run(job);

  EXPECT_EQ(result.state, JobState::cancelled);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(ALoopVolume, IsNoDeviceWhenNobodyHasItsName) {
  subject = "/dev/loop9";

  const auto result = run(any_growth());

  EXPECT_EQ(error_of(result), ErrorCode::no_such_device);
  EXPECT_EQ(exit_status_of(result.state, error_of(result)), 4);
}

TEST_F(ALoopVolume, IsNotGrownUnderANameThatBelongsToAnotherDeviceByNow) {
  kernel.file("/images/vol").size = 20_GiB;
  kernel.when_probed("loop0", 1, [&] { kernel.reuse_name("loop0"); });

  const auto result = run(to(20_GiB));

  EXPECT_NE(result.state, JobState::complete);
  EXPECT_EQ(error_of(result), ErrorCode::no_such_device);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, TimesOutWithoutWritingWhenItsDeadlineIsOver) {
  kernel.file("/images/vol").size = 20_GiB;
  kernel.when_probed("loop0", 1, [&] { kernel.fake_clock().advance(10s); });

  const auto result = run(to(20_GiB), 1s);

  EXPECT_EQ(result.state, JobState::timed_out);
  EXPECT_EQ(error_of(result), ErrorCode::timed_out);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, IsUnchangedPastItsDeadlineWhenTheConsumerHasItAlready) {
  kernel.when_probed("loop0", 1, [&] { kernel.fake_clock().advance(10s); });

  EXPECT_EQ(run(to(10_GiB), 1s).state, JobState::unchanged);
}

TEST_F(ALoopVolume, CanBeGivenUpBeforeItsFirstWrite) {
  kernel.file("/images/vol").size = 20_GiB;
  auto job = job_for(to(20_GiB));
  auto next = advance(job, {}, kernel.clock().now());
  while (!job.writes)
    next = advance(job, perform_all(std::get<Batch>(next)), kernel.clock().now());

  const auto result =
      abandon(job, {ErrorCode::busy, "the lock is held", "", 0}, kernel.clock().now());

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::busy);
  EXPECT_EQ(layer(result, "loop0").action, LayerAction::skipped);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopVolume, IsNotCompleteWhenItsConsumersDeviceCannotBeReadInTheEnd) {
  kernel.file("/images/vol").size = 20_GiB;
  kernel.after_growth("loop0", [&] { kernel.remove_device("loop0"); });

  const auto result = run(to(20_GiB));

  EXPECT_NE(result.state, JobState::complete);
  EXPECT_NE(result.state, JobState::unchanged);
  EXPECT_TRUE(result.error);
  EXPECT_FALSE(result.size);
}

TEST_F(ALoopVolume, IsNotUnchangedWhenItsTargetShrankDuringTheLook) {
  auto job = job_for(any_growth());
  before_batch = [&](const Batch&) {
    if (job.phase == Phase::verifying) kernel.file("/images/vol").size = 5_GiB;
  };

  const auto result = run(job);

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::would_shrink);
}

// --- an image file ---

TEST_F(AVolume, OfAFileBeneathARootIsMeasured) {
  kernel.add_file("/images/disk.raw", 20_GiB);
  subject = "/images/disk.raw";

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::unchanged);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(AVolume, OfAFileOutsideTheRootsIsRefusedAndNotEvenMeasured) {
  kernel.add_file("/etc/shadow", Bytes(1234));
  subject = "/etc/shadow";

  const auto result = run(any_growth());

  EXPECT_EQ(error_of(result), ErrorCode::not_supported);
  EXPECT_THAT(result.layers, IsEmpty());
  EXPECT_FALSE(result.size);
}

// --- one SCSI path ---

TEST_F(AVolume, OnOnePathGrows) {
  with_single_path();
  kernel.path("sda").target_size = 20_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_THAT(kernel.changes(), testing::SizeIs(1));
}

TEST_F(AVolume, OnAnOfflinePathIsRefused) {
  with_single_path();
  kernel.path("sda").state = "offline";

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::no_usable_path);
  EXPECT_THAT(result.error->message, HasSubstr("offline"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AVolume, OfSizeZeroWithAGoodTargetIsRepaired) {
  with_single_path();
  kernel.path("sda").size = Bytes();

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 10_GiB);
}

// Defect 4 of the reference: a stale device is rescanned and another tenant's size adopted.
TEST_F(AVolume, IsRefusedWhenAnotherVolumeAnswersAtItsLun) {
  with_single_path();
  auto request = any_growth();
  request.pinned = kernel.path("sda").designators.front();
  kernel.path("sda").designators = {Wwid{WwidType::naa, "60014050000000000000000000000bad"}};
  kernel.path("sda").target_size = 20_GiB;

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::wwid_mismatch);
  EXPECT_THAT(result.error->message, HasSubstr("naa.60014050000000000000000000000bad"));
  EXPECT_EQ(result.identity, IdentityProof::unknown) << "what answers is not what was pinned";
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AVolume, FailsWhenAnotherVolumeAnswersAfterTheRescan) {
  with_single_path();
  auto request = any_growth();
  request.pinned = kernel.path("sda").designators.front();
  kernel.path("sda").target_size = 20_GiB;
  kernel.after_growth("sda", [&] {
    kernel.path("sda").designators = {Wwid{WwidType::naa, "60014050000000000000000000000bad"}};
  });

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::wwid_mismatch);
}

// Defect 7: a hung path holds everything for minutes.
TEST_F(AVolume, OnAHungPathEndsWithinItsProbe) {
  with_single_path();
  kernel.path("sda").hangs = true;

  const auto result = run(to(20_GiB), 30s);

  EXPECT_LE(result.duration, 4s);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AVolume, IsNotRescannedWhenItsPathClosedAfterTheProbe) {
  with_single_path();
  kernel.path("sda").target_size = 20_GiB;
  before_batch = [&](const Batch& batch) {
    for (const auto& step : batch.steps)
      if (std::holds_alternative<GrowStep>(step.action)) kernel.path("sda").state = "offline";
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(error_of(result), ErrorCode::no_usable_path);
  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AVolume, IsDegradedWhenItsTargetDoesNotAnswerAfterTheRescan) {
  with_single_path();
  kernel.path("sda").target_size = 20_GiB;
  kernel.after_growth("sda", [&] { kernel.path("sda").answers = false; });

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_THAT(layer(result, "sda").reason, HasSubstr("could not be asked again"));
}

TEST_F(AVolume, WaitsForAPathThatIsClosedWhenItsTargetIsAskedOnceMore) {
  with_single_path();
  kernel.path("sda").target_size = 20_GiB;
  kernel.after_growth("sda", [&] { kernel.path("sda").state = "blocked"; });
  before_batch = [&](const Batch& batch) {
    const bool verifies = std::holds_alternative<VerifyStep>(batch.steps.front().action);
    if (verifies && batch.pause > Duration::zero()) kernel.path("sda").state = "running";
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_THAT(layer(result, "sda").reason, Not(HasSubstr("could not be asked again")));
}

TEST_F(AVolume, WaitsForAClosedPathNoLongerThanForASilentOne) {
  with_single_path();
  kernel.path("sda").target_size = 20_GiB;
  kernel.after_growth("sda", [&] { kernel.path("sda").state = "blocked"; });

  const auto result = run(to(20_GiB), 60s);

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_GE(result.duration, JobLimits().dead_path_grace);
  EXPECT_LE(result.duration, 2 * JobLimits().dead_path_grace);
}

TEST_F(AVolume, NeverShrinksWhatIsAboveItsTarget) {
  with_paths(2);
  kernel.device("dm-3").size = 20_GiB;

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::would_shrink);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_THAT(result.layers, Contains(IsLayer("dm-3", LayerAction::refused)));
}

TEST_F(AVolume, IsAnAlarmWhenAnotherOneAnswersWhateverElseWentWrong) {
  with_paths(2);
  kernel.path("sda").target_size = kernel.path("sdb").target_size = 20_GiB;
  kernel.path("sdb").ignores_growth = true;
  kernel.after_growth("sda", [&] {
    kernel.path("sda").designators = {Wwid{WwidType::naa, "60014050000000000000000000000bad"}};
  });

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::wwid_mismatch);
}

// --- multipath ---

class AVolumeWithFourPaths : public AVolume {
 protected:
  AVolumeWithFourPaths() { with_paths(4); }

  void grow_targets(std::initializer_list<const char*> paths) {
    for (const auto* path : paths)
      kernel.path(path).target_size = 20_GiB;
  }
};

TEST_F(AVolumeWithFourPaths, GrowsEveryPathAndThenItsMap) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.device, "/dev/dm-3");
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(result.previous, 10_GiB);
  for (const auto* path : {"sda", "sdb", "sdc", "sdd"})
    EXPECT_THAT(result.layers, Contains(IsLayer(path, LayerAction::rescanned)));
  EXPECT_THAT(result.layers, Contains(IsLayer("dm-3", LayerAction::resized)));
}

TEST_F(AVolumeWithFourPaths, RescansOnlyWhatDiffers) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  kernel.path("sdb").size = 20_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "sdb").action, LayerAction::unchanged);
  EXPECT_THAT(kernel.changes(), testing::SizeIs(3));
}

// Defect 1: the size of the last path is the result.
TEST_F(AVolumeWithFourPaths, IsDegradedWhenTheLastPathKeepsItsOldSize) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  kernel.path("sdd").ignores_growth = true;

  const auto result = run(to(20_GiB), 5s);

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(error_of(result), ErrorCode::paths_disagree);
  EXPECT_EQ(result.size, 10_GiB);  // the map did not grow
  EXPECT_THAT(result.layers, Contains(IsLayer("dm-3", LayerAction::refused)));
  EXPECT_THAT(layer(result, "dm-3").reason, HasSubstr("PathsDisagree"));
  EXPECT_THAT(result.layers, Contains(IsLayer("sdd", LayerAction::failed)));
}

// Defect 1, its other half: whichever path is old, it is not the last one that counts.
TEST_F(AVolumeWithFourPaths, IsDegradedWhenTheFirstPathKeepsItsOldSize) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  kernel.path("sda").ignores_growth = true;

  EXPECT_EQ(run(to(20_GiB), 5s).size, 10_GiB);
}

// Defect 2: the map "succeeds" and does not change.
TEST_F(AVolumeWithFourPaths, FailsWhenItsMapSaysOkAndDoesNotGrow) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  kernel.device("dm-3").ignores_growth = true;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::size_mismatch);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_EQ(result.volume, 10_GiB);
  EXPECT_THAT(result.layers, Contains(IsLayer("dm-3", LayerAction::failed)));
}

// Defect 3: no expected size, no comparison of paths, no before and after.
TEST_F(AVolumeWithFourPaths, IsRefusedWhileItsTargetsDisagree) {
  grow_targets({"sda", "sdb", "sdc"});

  const auto result = run(any_growth(), 5s);

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::paths_disagree);
  EXPECT_GE(result.duration, 5s);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AVolumeWithFourPaths, GrowsWhenItsTargetsAgreeInTime) {
  grow_targets({"sda", "sdb", "sdc"});
  kernel.when_probed("sdd", 3, [&] { grow_targets({"sdd"}); });

  EXPECT_EQ(run(any_growth(), 5s).state, JobState::complete);
}

TEST_F(AVolumeWithFourPaths, IsRefusedWhenItsPathsAreDifferentVolumes) {
  kernel.path("sdc").designators = {Wwid{WwidType::naa, "60014050000000000000000000000bad"}};

  const auto result = run(any_growth());

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::wwid_mismatch);
  EXPECT_THAT(result.error->message, HasSubstr("sdc"));
  EXPECT_THAT(result.error->message, HasSubstr("sda"));
}

TEST_F(AVolumeWithFourPaths, LeavesItsMapAloneWhileAPathIsDead) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  kernel.path("sdb").state = "transport-offline";

  auto request = to(20_GiB);
  request.dead_paths = DeadPaths::wait;

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_THAT(result.layers, Contains(IsLayer("sdb", LayerAction::deferred)));
  EXPECT_THAT(result.layers, Contains(IsLayer("dm-3", LayerAction::deferred)));
  EXPECT_THAT(layer(result, "dm-3").reason, HasSubstr("sdb"));
}

TEST_F(AVolumeWithFourPaths, IsRefusedWithNoLivePath) {
  for (const auto* path : {"sda", "sdb", "sdc", "sdd"})
    kernel.path(path).state = "offline";

  const auto result = run(to(20_GiB));

  EXPECT_EQ(error_of(result), ErrorCode::no_usable_path);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AVolumeWithFourPaths, IsWrittenToWithItsLockHeldOnly) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  auto job = job_for(to(20_GiB));
  before_batch = [&](const Batch& batch) {
    for (const auto& step : batch.steps) {
      const bool grows = std::holds_alternative<GrowStep>(step.action);
      EXPECT_TRUE(job.writes || !grows);
    }
  };

  EXPECT_EQ(run(job).state, JobState::complete);
}

/// Each goes to a worker and back, and after the rescans udev's programs compete for the
/// processors.
TEST_F(AVolumeWithFourPaths, GrowsInFiveBatches) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  std::vector<std::size_t> steps;
  before_batch = [&](const Batch& batch) { steps.push_back(batch.steps.size()); };

  EXPECT_EQ(run(to(20_GiB)).state, JobState::complete);

  EXPECT_THAT(steps, testing::ElementsAre(1, 4, 4, 1, 5));  // look, ask, rescan, resize, verify
}

TEST_F(AVolumeWithFourPaths, IsNotWaitedForByAPlan) {
  auto request = to(20_GiB);
  request.operation = Operation::plan;

  const auto result = run(request);

  EXPECT_EQ(error_of(result), ErrorCode::size_mismatch);
  EXPECT_EQ(result.duration, 0s);
}

/// The worker of a step of that kind on sdb does not come back.
template <class Kind>
void hang_on_sdb(const Batch& batch, std::vector<StepResult>& results) {
  for (std::size_t i = 0; i < results.size(); ++i)
    if (const auto* step = std::get_if<Kind>(&batch.steps[i].action))
      if (step->layer.device == "sdb")
        results[i].answer = failure(ErrorCode::path_hung, "its worker is given up", "sdb");
}

TEST_F(AVolumeWithFourPaths, IsMeasuredOnceMoreWhereARescanWasNotAnswered) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  after_batch = hang_on_sdb<GrowStep>;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "sdb").after_bytes, 20_GiB);
}

TEST_F(AVolumeWithFourPaths, IsNotProvenWhereTheLastLookHung) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  after_batch = hang_on_sdb<VerifyStep>;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(layer(result, "sdb").after_bytes, 20_GiB);
  EXPECT_THAT(layer(result, "sdb").reason, HasSubstr("could not be asked again"));
}

TEST_F(AVolumeWithFourPaths, ShowsTheSizeAtTheEndWhereTheLastLookHung) {
  grow_targets({"sda", "sdb", "sdc", "sdd"});
  after_batch = [&](const Batch& batch, std::vector<StepResult>& results) {
    hang_on_sdb<VerifyStep>(batch, results);
    if (std::holds_alternative<VerifyStep>(batch.steps.front().action))
      kernel.path("sdb").size = 15_GiB;
  };

  EXPECT_EQ(layer(run(to(20_GiB)), "sdb").after_bytes, 15_GiB);
}

// --- what a layer above answers ---

struct MapRow {
  ErrorCode answers;
  bool paths_differ;
  JobState state;
};

class AMapThatAnswers : public AVolume, public testing::WithParamInterface<MapRow> {};

TEST_P(AMapThatAnswers, DecidesTheStateByWhatWasWritten) {
  with_paths(2);
  kernel.path("sda").target_size = kernel.path("sdb").target_size = 20_GiB;
  if (!GetParam().paths_differ) kernel.path("sda").size = kernel.path("sdb").size = 20_GiB;
  maps->refuses = Error{GetParam().answers, "said the map", "dm-3", 0};

  const auto result = run(to(20_GiB), 5s);

  EXPECT_EQ(result.state, GetParam().state);
  EXPECT_EQ(error_of(result), GetParam().answers);
  EXPECT_EQ(result.size, 10_GiB);
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, AMapThatAnswers,
    testing::Values(MapRow{ErrorCode::multipath_refused, true, JobState::degraded},
                    MapRow{ErrorCode::multipath_refused, false, JobState::refused},
                    MapRow{ErrorCode::multipath_unavailable, true, JobState::failed},
                    MapRow{ErrorCode::multipath_unavailable, false, JobState::failed},
                    MapRow{ErrorCode::path_hung, true, JobState::timed_out},
                    MapRow{ErrorCode::internal, true, JobState::failed}));

TEST_F(AVolume, WithCryptOnTopGivesTheConsumerTheRest) {
  with_paths(2);
  with_crypt_on("dm-3");
  kernel.path("sda").target_size = kernel.path("sdb").target_size = 20_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.device, "/dev/dm-7");
  EXPECT_EQ(result.volume, 20_GiB);
  EXPECT_EQ(result.size, 20_GiB - crypt_header);
}

TEST_F(AVolume, WithALockedCryptLayerIsDegradedAndEverythingBelowIsDone) {
  with_paths(2);
  with_crypt_on("dm-3");
  kernel.path("sda").target_size = kernel.path("sdb").target_size = 20_GiB;
  crypts->refuses = Error{ErrorCode::key_required, "a passphrase is needed", "dm-7", 0};

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(error_of(result), ErrorCode::key_required);
  EXPECT_EQ(result.volume, 20_GiB);
  EXPECT_EQ(result.size, 10_GiB - crypt_header);
}

// --- finding it ---

TEST_F(AVolume, WithAMapNobodyCanGrowIsRefusedByName) {
  with_paths(2);
  kernel.set_attribute("block/dm-3/dm/uuid", "mpath-x");
  std::vector<std::unique_ptr<Connector>> only_scsi;
  only_scsi.push_back(scsi_connector());
  connectors = Connectors(std::move(only_scsi));

  const auto result = run(any_growth());

  EXPECT_EQ(error_of(result), ErrorCode::not_supported);
  EXPECT_THAT(result.error->message, HasSubstr("dm-3"));
}

TEST_F(AVolume, IsFoundByItsMapsName) {
  with_paths(2);
  subject = "dm:mpatha";

  EXPECT_EQ(run(any_growth()).device, "/dev/dm-3");
}

TEST_F(AVolume, IsFoundByItsIdentity) {
  with_single_path();
  kernel.add_loop("loop0", "/images/vol", 10_GiB);
  subject = "wwid:" + to_string(kernel.path("sda").designators.front());

  EXPECT_EQ(run(any_growth()).device, "/dev/sda");
}

TEST_F(AVolume, IsAmbiguousWhenTwoPathsAreJoinedByNothing) {
  with_single_path();
  kernel.add_disk("sdb", {.address = "2:0:0:1"});
  subject = "wwid:" + to_string(kernel.path("sda").designators.front());

  const auto result = run(any_growth());

  EXPECT_EQ(error_of(result), ErrorCode::ambiguous_volume);
  EXPECT_EQ(exit_status_of(result.state, error_of(result)), 2);
}

TEST_F(AVolume, OfAnUnknownDriverIsNotSupported) {
  subject = R"({"driver_volume_type":"rbd","data":{"name":"volumes/x"}})";

  const auto result = run(any_growth());

  EXPECT_EQ(error_of(result), ErrorCode::not_supported);
  EXPECT_THAT(result.error->message, HasSubstr("rbd"));
}

TEST_F(AVolume, IsNotFoundUnderAnIdNobodyRegistered) {
  subject = "id:vol-9";

  const auto result = run(any_growth());

  EXPECT_EQ(error_of(result), ErrorCode::no_such_volume);
  EXPECT_EQ(exit_status_of(result.state, error_of(result)), 4);
}

}  // namespace
}  // namespace volgrow
