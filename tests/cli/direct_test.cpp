// SPDX-License-Identifier: Apache-2.0
// --direct: the real machine of stack/ over a volume in memory, with real threads and real locks.
#include "cli/direct.h"

#include <fmt/format.h>

#include <latch>
#include <memory>
#include <mutex>

#include "core/files.h"
#include "stack/lock.h"
#include "tests/cli/program_fixture.h"

namespace volgrow::cli {
namespace {

using testing::Each;
using testing::HasSubstr;

/// A loop device over a file that has grown from 10 to 20 GiB. Steps come from several threads.
class FakeVolume {
 public:
  Bytes kernel = 10_GiB;
  Bytes target = 20_GiB;
  std::optional<Error> unresolved;
  int writes = 0;
  std::function<void()> before_growth = [] {};

  static Layer layer() {
    Layer loop;
    loop.connector = "loop";
    loop.kind = LayerKind::loop;
    loop.device = "loop0";
    loop.identity = {.number = 0x700, .diskseq = 1};  // 7:0
    loop.has_target = true;
    return loop;
  }

  StepResult perform(const Step& step) {
    const std::scoped_lock lock(mutex_);
    return {step.id, std::visit([this](const auto& action) { return answer(action); }, step.action),
            Duration(10)};
  }

 private:
  Result<StepAnswer> answer(const ResolveStep&) {
    if (unresolved) return std::unexpected(*unresolved);
    auto loop = layer();
    loop.size = kernel;
    return StepAnswer(Stack{{loop}});
  }
  Result<StepAnswer> answer(const ProbeStep&) {
    return StepAnswer(Truth{target, Wwid{WwidType::file, "0a"}});
  }
  Result<StepAnswer> answer(const GrowStep&) {
    before_growth();
    ++writes;
    kernel = target;
    return StepAnswer(Done{});
  }
  Result<StepAnswer> answer(const MeasureStep&) {
    return StepAnswer(Measurement{kernel, layer().identity, ""});
  }
  Result<StepAnswer> answer(const VerifyStep&) {
    return Verified{{kernel, layer().identity, ""}, Truth{target, Wwid{WwidType::file, "0a"}}};
  }
  Result<StepAnswer> answer(const EvictStep&) { return no_map(); }
  Result<StepAnswer> answer(const AdoptStep&) { return no_map(); }
  static std::unexpected<Error> no_map() {
    return failure(ErrorCode::not_supported, "a loop device has no members");
  }

  std::mutex mutex_;
};

class ADirectRun : public TheProgram {
 protected:
  ADirectRun() {
    perform = [this](const Step& step) { return volume.perform(step); };
    daemon.unreachable = Error{ErrorCode::unreachable, "there is no daemon", "", 0};
  }
  std::filesystem::path lock_path() const {
    return root / "run/volgrow" / lock_name(FakeVolume::layer());
  }

  FakeVolume volume;
};

TEST_F(ADirectRun, GrowsTheVolumeWithoutADaemon) {
  const auto ran = run({"--direct", "extend", "/dev/loop0", "--expect", "20G"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr("complete, 10 GiB → 20 GiB"));
  EXPECT_EQ(volume.writes, 1);
}

TEST_F(ADirectRun, PrintsOneLineOfJsonThatTheCodecReads) {
  const auto ran = run({"extend", "/dev/loop0", "--direct", "--json"});

  EXPECT_EQ(lines_in(ran.out), 1U);
  const auto result = parse_job_result(ran.out);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, JobState::complete);
  EXPECT_NE(result->started_at, WallTime());
}

TEST_F(ADirectRun, FindsEverythingRightTheSecondTime) {
  run({"--direct", "extend", "/dev/loop0"});

  const auto ran = run({"--direct", "extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out,
              HasSubstr("no expected size given; the target says 20 GiB (21474836480 bytes)"));
  EXPECT_EQ(volume.writes, 1);
}

TEST_F(ADirectRun, RefusesWhenTheVolumesLockIsHeld) {
  std::filesystem::create_directories(lock_path().parent_path());
  const auto held = lock_file(lock_path());
  ASSERT_TRUE(held);

  const auto ran = run({"--direct", "extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(volume.writes, 0);
  EXPECT_THAT(ran.err, HasSubstr("dev-7:0.lock"));
  EXPECT_THAT(ran.err, HasSubstr("(Busy)"));
}

TEST_F(ADirectRun, HoldsTheLockWhileItWrites) {
  std::optional<ErrorCode> seen;
  volume.before_growth = [&] {
    if (const auto lock = lock_file(lock_path()); !lock) seen = lock.error().code;
  };

  run({"--direct", "extend", "/dev/loop0"});

  EXPECT_EQ(seen, ErrorCode::busy);
  EXPECT_TRUE(lock_file(lock_path()));  // and gave it back
}

TEST_F(ADirectRun, PlansAndExplainsWithoutALock) {
  EXPECT_EQ(run({"--direct", "plan", "/dev/loop0"}).status, 0);
  run({"--direct", "explain", "/dev/loop0"});

  EXPECT_EQ(volume.writes, 0);
  EXPECT_FALSE(std::filesystem::exists(root / "run/volgrow"));
}

TEST_F(ADirectRun, RescansEachTarget) {
  const auto ran = run({"--direct", "rescan", "/dev/loop0", "dev:loop0", "--json"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(lines_in(ran.out), 2U);
}

TEST_F(ADirectRun, ExitsWith4WhenThereIsNoSuchDevice) {
  volume.unresolved = Error{ErrorCode::no_such_device, "there is no /dev/loop0", "", 0};

  const auto ran = run({"--direct", "extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 4);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "volgrow: there is no /dev/loop0 (NoSuchDevice)\n");
  EXPECT_EQ(run({"--direct", "explain", "/dev/loop0"}).status, 4);
}

TEST_F(ADirectRun, NeedsRoot) {
  is_root = false;

  const auto ran = run({"--direct", "extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, HasSubstr("--direct touches devices itself and needs root"));
}

TEST_F(ADirectRun, StopsAtTheNextLayerBoundaryWhenAsked) {
  StepThreads threads(perform);
  Cancellation cancellation;
  cancellation.request();
  Order order;
  order.subject = Target{TargetKind::path, "/dev/loop0"};

  const auto result =
      run_job(new_job(to_request(order), JobLimits{}, std::chrono::minutes(1), clock.now()),
              {clock, threads, cancellation, root, [](std::string_view) {}});

  EXPECT_EQ(exit_status_of(result), 8);
  EXPECT_EQ(volume.writes, 0);
}

TEST_F(ADirectRun, ShowsItsPhasesOnATerminal) {
  err_terminal = true;

  const auto ran = run({"--direct", "extend", "/dev/loop0"});

  EXPECT_THAT(ran.err, HasSubstr("extend: growing …"));
  EXPECT_THAT(ran.err, testing::EndsWith("\r\x1b[K"));
}

// Step threads

Step a_step(std::uint32_t id, TimePoint deadline) {
  return {id, MeasureStep{FakeVolume::layer(), false}, {deadline}};
}

TEST(StepsInThreads, RunAtTheSameTimeAndComeBackInOrder) {
  std::latch both(2);  // in turn, the first would wait for the second for ever
  StepThreads threads([&](const Step& step) {
    both.arrive_and_wait();
    return StepResult{step.id, StepAnswer(Done{}), {}};
  });
  const auto later = SystemClock().now() + std::chrono::hours(1);

  const auto results = threads.perform({a_step(1, later), a_step(2, later)});

  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].id, 1U);
  EXPECT_EQ(results[1].id, 2U);
  EXPECT_EQ(threads.left_behind(), 0U);
}

TEST(ACancellation, EndsAPause) {
  Cancellation cancellation;
  cancellation.request();

  cancellation.pause(std::chrono::hours(24));  // returns, or this test never ends

  EXPECT_TRUE(cancellation.requested());
}

// The lock's name

TEST(TheLockOfAStack, IsNamedByItsTopDevicesNumber) {
  EXPECT_EQ(lock_name(FakeVolume::layer()), "dev-7:0.lock");
}

TEST(TheLockOfAStack, IsNamedByThePathOfAnImageFile) {
  Layer file;
  file.kind = LayerKind::file;
  file.device = "/srv/" + std::string(3000, 'x');
  auto other = file;
  other.device += "y";

  EXPECT_THAT(lock_name(file), testing::MatchesRegex("file-[0-9a-f]{16}\\.lock"));
  EXPECT_EQ(lock_name(file), lock_name(file));
  EXPECT_NE(lock_name(file), lock_name(other));
}

}  // namespace
}  // namespace volgrow::cli
