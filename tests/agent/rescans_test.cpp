// SPDX-License-Identifier: Apache-2.0
// A controller is rescanned once for everybody who waits for it.
#include "agent/rescans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/patient_pool.h"

namespace volgrow::agent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RescansOfControllers : public testing::Test {
 protected:
  static Step step(std::uint32_t id, Deadline deadline) {
    Layer layer;
    layer.kind = LayerKind::nvme_path;
    layer.device = "nvme0c0n" + std::to_string(id);
    return {id, GrowStep{layer, Bytes(1 << 30)}, deadline};
  }
  void submit(const std::string& controller, std::uint32_t id, Duration time = 30s) {
    rescans.submit(controller, step(id, within(time, loop.clock().now())),
                   [this](const StepResult& result) {
                     ended.push_back(result.id);
                     if (!result.answer) errors.push_back(result.answer.error());
                     if (on_end) on_end(result.id);
                   });
  }
  FakeTimeLoop loop;
  PatientPool pool;
  Rescans rescans{loop, loop.clock(), pool};
  std::vector<std::uint32_t> ended;
  std::vector<Error> errors;
  std::function<void(std::uint32_t)> on_end;
};

// The first began before the others asked, so it may have looked at their namespaces already.
TEST_F(RescansOfControllers, AreTwoHoweverManyAskAtOnce) {
  for (std::uint32_t id = 1; id <= 50; ++id)
    submit("nvme0", id);

  EXPECT_THAT(pool.given, ElementsAre(1));
  pool.answer();
  EXPECT_THAT(ended, ElementsAre(1));
  pool.answer();

  EXPECT_THAT(pool.given, ElementsAre(1, 2));
  EXPECT_EQ(ended.size(), 50);
  EXPECT_EQ(pool.open(), 0);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(RescansOfControllers, DoNotServeThoseWhoCameAfterTheyBegan) {
  submit("nvme0", 1);
  submit("nvme0", 2);
  pool.answer();
  submit("nvme0", 3);
  pool.answer();

  EXPECT_THAT(ended, ElementsAre(1, 2));
  EXPECT_THAT(pool.given, ElementsAre(1, 2, 3));
}

TEST_F(RescansOfControllers, OfDifferentControllersAreUnderWayTogether) {
  submit("nvme0", 1);
  submit("nvme1", 2);

  EXPECT_EQ(pool.open(), 2);
}

TEST_F(RescansOfControllers, BeginAnewForAControllerThatNobodyWaitsFor) {
  submit("nvme0", 1);
  pool.answer();
  submit("nvme0", 2);

  EXPECT_THAT(pool.given, ElementsAre(1, 2));
}

// Its own volume may be gone; the controller is not.
TEST_F(RescansOfControllers, ThatFailAreTriedByTheNextOfThoseWhoWait) {
  for (std::uint32_t id = 1; id <= 4; ++id)
    submit("nvme0", id);
  pool.answer();
  pool.answer(failure(ErrorCode::no_such_device, "nvme0c0n2 is gone"));

  EXPECT_THAT(ended, ElementsAre(1, 2));
  EXPECT_THAT(errors, ElementsAre(testing::Field(&Error::message, "nvme0c0n2 is gone")));
  pool.answer();
  EXPECT_THAT(pool.given, ElementsAre(1, 2, 3));
  EXPECT_THAT(ended, ElementsAre(1, 2, 3, 4));
}

TEST_F(RescansOfControllers, AreNotWaitedForBeyondTheDeadline) {
  submit("nvme0", 1);
  submit("nvme0", 2, 3s);
  submit("nvme0", 3);

  loop.advance(3s);
  ASSERT_TRUE(loop.run_until([&] { return !errors.empty(); }));

  ASSERT_EQ(errors.size(), 1);
  EXPECT_EQ(errors.front().code, ErrorCode::timed_out);
  EXPECT_THAT(errors.front().message, AllOf(HasSubstr("growing nvme0c0n2"), HasSubstr("nvme0")));
  pool.answer();
  EXPECT_THAT(pool.given, ElementsAre(1, 3));
}

TEST_F(RescansOfControllers, GoOnForOthersWhenOneThatCountsOnThemIsLate) {
  submit("nvme0", 1);
  submit("nvme0", 2);
  submit("nvme0", 3, 3s);
  submit("nvme0", 4);
  pool.answer();

  loop.advance(3s);
  ASSERT_TRUE(loop.run_until([&] { return !errors.empty(); }));
  pool.answer();

  EXPECT_THAT(ended, ElementsAre(1, 3, 2, 4));
  EXPECT_EQ(errors.size(), 1);
}

TEST_F(RescansOfControllers, MayBeAskedForAgainByWhoeverIsAnswered) {
  on_end = [this](std::uint32_t id) {
    if (id < 10) submit("nvme0", id + 10);
  };
  submit("nvme0", 1);
  submit("nvme0", 2);
  while (pool.open() > 0)
    pool.answer();

  EXPECT_THAT(ended, testing::UnorderedElementsAre(1, 2, 11, 12));
}

TEST(AStep, RescansAControllerWhenItGrowsAPathOfIt) {
  Layer layer;
  layer.kind = LayerKind::nvme_path;
  layer.address = "nvme3";
  EXPECT_EQ(rescanned_controller({1, GrowStep{layer, Bytes()}, {}}), "nvme3");
  EXPECT_EQ(rescanned_controller({1, MeasureStep{layer, false}, {}}), std::nullopt);
  layer.kind = LayerKind::path;
  EXPECT_EQ(rescanned_controller({1, GrowStep{layer, Bytes()}, {}}), std::nullopt);
}

}  // namespace
}  // namespace volgrow::agent
