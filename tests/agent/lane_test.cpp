// SPDX-License-Identifier: Apache-2.0
// What must not overlap does not, and everybody has a turn.
#include "agent/lane.h"

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

class ALane : public testing::Test {
 protected:
  void submit(std::uint32_t id, Duration time = 30s) {
    lane.submit({id, EvictStep{{}, "sda"}, within(time, loop.clock().now())},
                [this](const StepResult& result) {
                  ended.push_back(result.id);
                  if (!result.answer) errors.push_back(result.answer.error());
                });
  }
  FakeTimeLoop loop;
  PatientPool pool;
  Lane lane{loop, loop.clock(), pool};
  std::vector<std::uint32_t> ended;
  std::vector<Error> errors;
};

TEST_F(ALane, HasOneStepInThePoolAtATime) {
  for (const auto id : {1U, 2U, 3U})
    submit(id);

  EXPECT_EQ(pool.open(), 1);
  pool.answer();
  EXPECT_EQ(pool.open(), 1);
  EXPECT_THAT(pool.given, ElementsAre(1, 2));
}

TEST_F(ALane, AnswersEverybodyInTheOrderTheyCame) {
  for (const auto id : {1U, 2U, 3U})
    submit(id);

  while (pool.open() > 0)
    pool.answer();

  EXPECT_THAT(ended, ElementsAre(1, 2, 3));
}

TEST_F(ALane, TakesAStepFromInsideACallback) {
  lane.submit({1, EvictStep{{}, "sda"}, {}}, [this](const StepResult&) { submit(2); });

  pool.answer();
  pool.answer();

  EXPECT_THAT(ended, ElementsAre(2));
}

TEST_F(ALane, EndsAStepAtItsDeadlineWhenItsTurnHasNotCome) {
  submit(1);
  submit(2);
  submit(3, 5s);
  submit(4);

  loop.advance(5s);
  ASSERT_TRUE(loop.run_until([&] { return !ended.empty(); }));

  EXPECT_THAT(ended, ElementsAre(3));
  ASSERT_EQ(errors.size(), 1);
  EXPECT_EQ(errors[0].code, ErrorCode::timed_out);
  EXPECT_THAT(errors[0].message, AllOf(HasSubstr("within 5 s"), HasSubstr("2 of other volumes")));
  while (pool.open() > 0)
    pool.answer();
  EXPECT_THAT(pool.given, ElementsAre(1, 2, 4));
}

TEST_F(ALane, LeavesTheDeadlineOfWhatHasBegunToThePool) {
  submit(1, 5s);
  submit(2, 5s);

  pool.answer();

  EXPECT_THAT(pool.given, ElementsAre(1, 2));
  EXPECT_EQ(loop.timers(), 0);
}

TEST(AStep, CommandsMultipathdWhenItChangesAMap) {
  Layer map;
  map.kind = LayerKind::multipath;

  EXPECT_TRUE(commands_multipathd({0, GrowStep{map, {}}, {}}));
  EXPECT_TRUE(commands_multipathd({0, AdoptStep{map, "sda"}, {}}));
  EXPECT_FALSE(commands_multipathd({0, MeasureStep{map, false}, {}}));
  EXPECT_FALSE(commands_multipathd({0, GrowStep{{}, {}}, {}}));
}

}  // namespace
}  // namespace volgrow::agent
