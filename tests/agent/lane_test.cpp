// SPDX-License-Identifier: Apache-2.0
// What must not overlap does not, and everybody has a turn.
#include "agent/lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace volgrow::agent {
namespace {

using testing::ElementsAre;

/// Keeps what it is given until the test answers.
class PatientPool final : public WorkerPool {
 public:
  void submit(Step step, OnResult on_result) override {
    given.push_back(step.id);
    open_.emplace_back(step.id, std::move(on_result));
  }
  std::size_t workers() const override { return 0; }
  std::size_t stuck() const override { return 0; }
  void on_stuck_change(std::function<void()>) override {}
  void on_zygote_end(std::function<void(Error)>) override {}

  std::size_t open() const { return open_.size(); }
  void answer() {
    auto [id, on_result] = std::move(open_.front());
    open_.erase(open_.begin());
    on_result({id, Done{}, {}});
  }

  std::vector<std::uint32_t> given;

 private:
  std::vector<std::pair<std::uint32_t, OnResult>> open_;
};

class ALane : public testing::Test {
 protected:
  void submit(std::uint32_t id) {
    lane.submit({id, EvictStep{{}, "sda"}, {}}, [this](const StepResult& result) {
      EXPECT_TRUE(result.answer);
      ended.push_back(result.id);
    });
  }

  PatientPool pool;
  Lane lane{pool};
  std::vector<std::uint32_t> ended;
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
