// SPDX-License-Identifier: Apache-2.0
// Paths that are dead when the volume grows, and paths that come back to their map.
#include "tests/stack/a_volume.h"

namespace volgrow {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ErrorCode error_of(const JobResult& result) {
  return result.error ? result.error->code : ErrorCode::internal;
}

class AMapWithADeadPath : public AVolume {
 protected:
  AMapWithADeadPath() {
    with_paths(2);
    kernel.path("sda").target_size = 20_GiB;
    kernel.path("sdb").target_size = 20_GiB;
    kernel.path("sdb").answers = false;
  }

  std::vector<std::string> members() const { return *kernel.list("block/dm-3/slaves"); }
};

TEST_F(AMapWithADeadPath, GrowsWithoutItAfterTheGrace) {
  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(kernel.device("dm-3").size, 20_GiB);
  EXPECT_EQ(layer(result, "sda").action, LayerAction::rescanned);
  EXPECT_EQ(layer(result, "dm-3").action, LayerAction::resized);
  EXPECT_EQ(layer(result, "sdb").action, LayerAction::evicted);
  EXPECT_THAT(layer(result, "sdb").reason, HasSubstr("returns to dm-3"));
  EXPECT_THAT(members(), Not(Contains("sdb")));
  EXPECT_GE(result.duration, 5s);
  EXPECT_FALSE(result.error);
}

TEST_F(AMapWithADeadPath, GrowsWithoutItWhicheverItIs) {
  kernel.path("sda").answers = false;
  kernel.path("sdb").answers = true;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(kernel.device("dm-3").size, 20_GiB);
  EXPECT_EQ(layer(result, "sda").action, LayerAction::evicted);
  EXPECT_THAT(members(), testing::ElementsAre("sdb"));
}

TEST_F(AMapWithADeadPath, GrowsAtOnceWhenTheKernelHasGivenThePathUp) {
  kernel.path("sdb").state = "transport-offline";

  const auto result = run(to(20_GiB));

  EXPECT_EQ(layer(result, "sdb").action, LayerAction::evicted);
  EXPECT_LT(result.duration, 1s);
}

TEST_F(AMapWithADeadPath, SaysWhatTheTargetAnsweredOfAPathItDoesNotMapAnyMore) {
  kernel.path("sdb").answers = true;
  kernel.path("sdb").unmapped = true;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(layer(result, "sdb").action, LayerAction::evicted);
  EXPECT_THAT(layer(result, "sdb").reason, HasSubstr("no such logical unit"));
  EXPECT_THAT(layer(result, "sdb").reason, Not(HasSubstr("no answer")));
}

TEST_F(AMapWithADeadPath, IsLeftAloneWhenDeadPathsAreWaitedFor) {
  auto request = to(20_GiB);
  request.dead_paths = DeadPaths::wait;

  const auto result = run(request);

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_EQ(layer(result, "dm-3").action, LayerAction::deferred);
  EXPECT_THAT(members(), Contains("sdb"));
}

TEST_F(AMapWithADeadPath, KeepsItWhenItAnswersWithinTheGrace) {
  before_batch = [&](const Batch&) {
    if (kernel.clock().now() > TimePoint() + 3s) kernel.path("sdb").answers = true;
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "sdb").after_bytes, 20_GiB);
  EXPECT_THAT(members(), Contains("sdb"));
}

TEST_F(AMapWithADeadPath, IsDeferredWhenTheDeadlineComesBeforeTheGrace) {
  const auto result = run(to(20_GiB), 2s);

  EXPECT_EQ(result.state, JobState::timed_out);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_EQ(layer(result, "dm-3").action, LayerAction::deferred);
  EXPECT_THAT(members(), Contains("sdb"));
}

TEST_F(AMapWithADeadPath, LosesNoneWhenAllAreDead) {
  kernel.path("sda").answers = false;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::no_usable_path);
  EXPECT_THAT(members(), Contains("sda"));
  EXPECT_THAT(members(), Contains("sdb"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMapWithADeadPath, IsDeferredWhenMultipathdKeepsThePath) {
  maps->refuses = Error{ErrorCode::multipath_refused, "fail", "dm-3", 0};

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(layer(result, "dm-3").action, LayerAction::deferred);
  EXPECT_EQ(kernel.device("dm-3").size, 10_GiB);
}

TEST_F(AMapWithADeadPath, IsAskedAgainWhileMultipathdIsAway) {
  maps->refuses = Error{ErrorCode::multipath_unavailable, "nobody listens", "dm-3", 0};
  maps->refusals = 3;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(layer(result, "sdb").action, LayerAction::evicted);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(AMapWithADeadPath, IsNotPartedFromItByAPlan) {
  auto request = to(20_GiB);
  request.operation = Operation::plan;

  const auto result = run(request);

  EXPECT_EQ(layer(result, "sdb").action, LayerAction::planned);
  EXPECT_THAT(layer(result, "sdb").reason, HasSubstr("leaves dm-3"));
  EXPECT_THAT(members(), Contains("sdb"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMapWithADeadPath, IsPlannedToWaitWhereDeadPathsAreWaitedFor) {
  auto request = to(20_GiB);
  request.operation = Operation::plan;
  request.dead_paths = DeadPaths::wait;

  EXPECT_EQ(layer(run(request), "dm-3").action, LayerAction::deferred);
}

// --- multipathd ---

class AMap : public AVolume {
 protected:
  AMap() {
    with_paths(2);
    kernel.path("sda").target_size = 20_GiB;
    kernel.path("sdb").target_size = 20_GiB;
  }
};

TEST_F(AMap, GrowsWhenMultipathdComesBackBeforeTheDeadline) {
  maps->refuses = Error{ErrorCode::multipath_unavailable, "nobody listens", "dm-3", 0};
  maps->refusals = 3;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(AMap, FailsAtItsOldSizeWhenMultipathdNeverComes) {
  maps->refuses = Error{ErrorCode::multipath_unavailable, "nobody listens", "dm-3", 0};

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(error_of(result), ErrorCode::multipath_unavailable);
  EXPECT_EQ(result.size, 10_GiB);
  EXPECT_EQ(layer(result, "sda").after_bytes, 20_GiB);
}

TEST_F(AMap, IsRefusedWhileItIsSuspendedAndItsPathsAreLeftAlone) {
  maps->closed = Error{ErrorCode::multipath_refused, "dm-3 is suspended", "dm-3", 0};

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::refused);
  EXPECT_EQ(error_of(result), ErrorCode::multipath_refused);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMap, GrowsWhenItWasSuspendedForAMomentOnly) {
  maps->closed = Error{ErrorCode::multipath_refused, "dm-3 is suspended", "dm-3", 0};
  before_batch = [&](const Batch&) {
    if (kernel.clock().now() > TimePoint() + 200ms) maps->closed.reset();
  };

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.size, 20_GiB);
}

TEST_F(AMap, GrowsWhenMultipathdRefusedOnceInTheMiddleOfAReload) {
  maps->refuses = Error{ErrorCode::multipath_refused, "fail", "dm-3", 0};
  maps->refusals = 1;

  EXPECT_EQ(run(to(20_GiB)).state, JobState::complete);
}

TEST_F(AMap, ThatIsSuspendedAtItsRightSizeIsUnchanged) {
  kernel.path("sda").target_size = 10_GiB;
  kernel.path("sdb").target_size = 10_GiB;
  maps->closed = Error{ErrorCode::multipath_refused, "dm-3 is suspended", "dm-3", 0};

  EXPECT_EQ(run(to(10_GiB)).state, JobState::unchanged);
}

// --- paths that were lost ---

class AMapThatLostAPath : public AMap {
 protected:
  AMapThatLostAPath() {
    add_path("sdc", "3:0:0:1");
    kernel.path("sdc").target_size = 20_GiB;
  }
};

TEST_F(AMapThatLostAPath, TakesItBackAtTheNewSize) {
  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "sdc").action, LayerAction::readopted);
  EXPECT_EQ(layer(result, "sdc").after_bytes, 20_GiB);
  EXPECT_THAT(*kernel.list("block/dm-3/slaves"), Contains("sdc"));
}

TEST_F(AMapThatLostAPath, TakesItBackWhenNothingElseIsToBeDone) {
  run(to(20_GiB));
  kernel.unstack("dm-3", "sdc");

  const auto result = run(any_growth());

  EXPECT_EQ(layer(result, "sdc").action, LayerAction::readopted);
  EXPECT_EQ(layer(result, "dm-3").action, LayerAction::unchanged);
}

TEST_F(AMapThatLostAPath, IsOneVolumeWhenThatPathIsNamedToo) {
  subject = "wwid:naa.600140500000000000000000000000a1";

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.device, "/dev/dm-3");
  EXPECT_EQ(layer(result, "sdc").action, LayerAction::readopted);
}

TEST_F(AMapThatLostAPath, IsDegradedWhileThePathIsSilent) {
  kernel.path("sdc").answers = false;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "sdc").action, LayerAction::deferred);
}

TEST_F(AMapThatLostAPath, NeverTouchesItWhenAnotherVolumeAnswersThere) {
  kernel.path("sdc").designators = {*parse_wwid("naa.600140599999999999999999999999ff")};
  kernel.path("sdc").target_size = 30_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(layer(result, "sdc").action, LayerAction::skipped);
  EXPECT_THAT(layer(result, "sdc").reason, HasSubstr("another volume"));
  EXPECT_EQ(kernel.path("sdc").size, 10_GiB);
  EXPECT_THAT(*kernel.list("block/dm-3/slaves"), Not(Contains("sdc")));
}

TEST_F(AMapThatLostAPath, PlansNoReturnWhileItsTargetIsOld) {
  kernel.path("sdc").target_size = 10_GiB;
  auto request = to(20_GiB);
  request.operation = Operation::plan;

  EXPECT_NE(layer(run(request), "sdc").action, LayerAction::planned);
}

TEST_F(AMapThatLostAPath, SaysWhyItWasNotTakenBack) {
  run(to(20_GiB));
  kernel.unstack("dm-3", "sdc");
  maps->refuses = Error{ErrorCode::multipath_refused, "blacklisted", "dm-3", 0};

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(layer(result, "sdc").action, LayerAction::deferred);
  EXPECT_THAT(layer(result, "sdc").reason, HasSubstr("blacklisted"));
}

TEST_F(AMapThatLostAPath, ExplainsWhatMendsIt) {
  kernel.path("sda").target_size = kernel.path("sdb").target_size = 10_GiB;
  kernel.path("sdc").target_size = 10_GiB;
  auto request = any_growth();
  request.operation = Operation::explain;

  const auto result = run(request);

  ASSERT_TRUE(result.diagnosis);
  EXPECT_EQ(result.diagnosis->device, "sdc");
  EXPECT_THAT(result.diagnosis->problem, HasSubstr("no member of dm-3"));
  EXPECT_THAT(result.diagnosis->fix, HasSubstr("volgrow rescan"));
}

TEST_F(AMapThatLostAPath, LeavesItOutWhileItsTargetIsOld) {
  kernel.path("sdc").target_size = 10_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::degraded);
  EXPECT_EQ(result.size, 20_GiB);
  EXPECT_EQ(layer(result, "sdc").action, LayerAction::deferred);
}

}  // namespace
}  // namespace volgrow
