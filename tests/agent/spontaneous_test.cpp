// SPDX-License-Identifier: Apache-2.0
// What is done about a look's result, whoever made the change it shows.
#include "agent/spontaneous.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "agent/volume_book.h"
#include "tests/fakes/fake_clock.h"

namespace volgrow::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

LayerResult path(std::string device, std::optional<Bytes> target, std::optional<Bytes> kernel) {
  LayerResult layer;
  layer.kind = LayerKind::path;
  layer.device = std::move(device);
  layer.target_bytes = target;
  layer.after_bytes = kernel;
  return layer;
}

LayerResult map(Bytes kernel, LayerKind kind = LayerKind::multipath) {
  LayerResult layer;
  layer.kind = kind;
  layer.device = "dm-3";
  layer.after_bytes = kernel;
  return layer;
}

JobResult look_at(std::vector<LayerResult> layers) {
  JobResult result;
  result.operation = Operation::explain;
  result.state = JobState::unchanged;
  result.layers = std::move(layers);
  return result;
}

JobResult another_volume() {
  auto result = look_at({path("sda", 20_GiB, 10_GiB)});
  result.error =
      Error{ErrorCode::wwid_mismatch, "sda is naa.2, the pinned volume is naa.1", "sda", 0};
  return result;
}

TEST(HasGrown, WhereATargetHasMoreThanTheKernel) {
  EXPECT_TRUE(has_grown(look_at({path("sda", 20_GiB, 10_GiB)})));
  EXPECT_FALSE(has_grown(look_at({path("sda", 10_GiB, 10_GiB)})));
}

TEST(HasGrown, WhereALivePathHasLostItsSize) {
  EXPECT_TRUE(
      has_grown(look_at({path("sda", 10_GiB, Bytes()), path("sdb", 10_GiB, 10_GiB), map(10_GiB)})));
}

TEST(HasGrown, WhereAMapHasLessThanAllItsPaths) {
  const std::vector paths{path("sda", 20_GiB, 20_GiB), path("sdb", 20_GiB, 20_GiB)};
  for (const auto kind : {LayerKind::multipath, LayerKind::nvme_namespace}) {
    EXPECT_TRUE(has_grown(look_at({paths[0], paths[1], map(10_GiB, kind)})));
    EXPECT_FALSE(has_grown(look_at({paths[0], paths[1], map(20_GiB, kind)})));
  }
}

TEST(HasGrown, NotForAPathThatDoesNotAnswer) {
  EXPECT_FALSE(has_grown(
      look_at({path("sda", std::nullopt, 10_GiB), path("sdb", 20_GiB, 20_GiB), map(20_GiB)})));
}

class AChangeNobodyAnnounced : public testing::Test {
 protected:
  AChangeNobodyAnnounced() {
    registered.operation = Operation::explain;
    registered.subject = *parse_subject("dev:sda");
    registered.volume_id = "vol-1";
    unregistered.subject = registered.subject;
  }
  void see(const JobResult& result) { see(result, state_in(result)); }
  void see(const JobResult& result, VolumeState state) {
    spontaneous.seen("vol-1", registered, result, state);
  }
  std::size_t errors_told() {
    std::size_t count = 0;
    std::istringstream lines(said.str());
    for (std::string line; std::getline(lines, line);)
      count += line.starts_with("error:") ? 1 : 0;
    return count;
  }

  FakeClock clock;
  Config config;
  std::ostringstream said;
  std::unique_ptr<Log> log = stream_log(said, LogLevel::debug);
  std::vector<Request> jobs;
  Spontaneous spontaneous{{clock, config, *log},
                          [this](Request request) { jobs.push_back(std::move(request)); }};
  Request registered, unregistered;
  const JobResult grown = look_at({path("sda", 20_GiB, 10_GiB)});
};

TEST_F(AChangeNobodyAnnounced, GrowthOfARegisteredVolumeIsAJob) {
  see(grown);
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs[0].operation, Operation::rescan);
  EXPECT_EQ(jobs[0].origin, Origin::spontaneous);
  EXPECT_EQ(jobs[0].volume_id, "vol-1");
  EXPECT_EQ(jobs[0].expected, std::nullopt);
}

TEST_F(AChangeNobodyAnnounced, WhoseGrowthIsTakenOverIsThePolicys) {
  const std::vector<std::pair<AutoGrowth, std::size_t>> policies{
      {AutoGrowth::never, 0}, {AutoGrowth::registered, 1}, {AutoGrowth::all, 2}};
  for (const auto& [policy, expected] : policies) {
    config.auto_growth = policy;
    jobs.clear();
    for (const auto* name : {"vol-1", "dev:sda"})
      spontaneous.forget(name);
    see(grown);
    spontaneous.seen("dev:sda", unregistered, grown, state_in(grown));
    EXPECT_THAT(jobs, SizeIs(expected));
  }
}

TEST_F(AChangeNobodyAnnounced, AJobInVainIsRepeatedEverMoreRarely) {
  see(grown);
  see(grown);
  EXPECT_THAT(jobs, SizeIs(1));
  clock.advance(61s);
  see(grown);
  EXPECT_THAT(jobs, SizeIs(2));
  clock.advance(61s);
  see(grown);
  EXPECT_THAT(jobs, SizeIs(2));
  clock.advance(60s);
  see(grown);
  EXPECT_THAT(jobs, SizeIs(3));
}

TEST_F(AChangeNobodyAnnounced, AnotherGrowthIsTakenOverAtOnce) {
  see(grown);
  see(look_at({path("sda", 30_GiB, 20_GiB)}));
  EXPECT_THAT(jobs, SizeIs(2));
}

TEST_F(AChangeNobodyAnnounced, ASmallerVolumeIsToldOnceAndNeverFollowed) {
  config.auto_growth = AutoGrowth::all;
  const auto smaller = look_at({path("sda", 5_GiB, 10_GiB), path("sdb", 20_GiB, 10_GiB)});
  see(smaller);
  clock.advance(24h);
  see(smaller);
  EXPECT_THAT(jobs, IsEmpty());
  EXPECT_EQ(errors_told(), 1);
  EXPECT_THAT(said.str(), HasSubstr("sda shows 10 GiB (10737418240 bytes), its target says 5 GiB"));
}

TEST_F(AChangeNobodyAnnounced, AVolumeThatWasFollowedToLessIsToldOnceAndIsNotWellBecauseOfThat) {
  see(look_at({path("sda", 5_GiB, 10_GiB)}));
  see(look_at({path("sda", 5_GiB, 5_GiB)}), VolumeState::shrunk);
  EXPECT_EQ(errors_told(), 1);
  EXPECT_THAT(said.str(), Not(HasSubstr("again")));
  see(look_at({path("sda", 10_GiB, 5_GiB)}), VolumeState::shrunk);
  EXPECT_THAT(jobs, SizeIs(1)) << "what it gets back is taken over";
  see(look_at({path("sda", 10_GiB, 10_GiB)}));
  EXPECT_THAT(said.str(), HasSubstr("as large as it was again"));
}

TEST_F(AChangeNobodyAnnounced, AnotherVolumeIsToldOnceAndNeverFollowed) {
  config.auto_growth = AutoGrowth::all;
  see(another_volume());
  see(another_volume());
  EXPECT_THAT(jobs, IsEmpty());
  EXPECT_EQ(errors_told(), 1);
}

TEST_F(AChangeNobodyAnnounced, AnAlarmThatIsOverAndComesAgainIsToldAgain) {
  see(another_volume());
  see(look_at({path("sda", 10_GiB, 10_GiB)}));
  EXPECT_THAT(said.str(), HasSubstr("again"));
  see(another_volume());
  EXPECT_EQ(errors_told(), 2);
}

TEST_F(AChangeNobodyAnnounced, OneThatCannotBeLookedAtEndsNoAlarm) {
  see(another_volume());
  auto silent = look_at({path("sda", std::nullopt, 10_GiB)});
  silent.error = Error{ErrorCode::no_usable_path, "nobody answers", "sda", 0};
  see(silent);
  EXPECT_THAT(said.str(), Not(HasSubstr("again")));
  see(another_volume());
  EXPECT_EQ(errors_told(), 1);
}

}  // namespace
}  // namespace volgrow::agent
