// SPDX-License-Identifier: Apache-2.0
// Lanes with real threads and a clock the test moves. Threads and test wait for each other at
// gates, never for time.
#include "backend/lanes.h"

#include <gmock/gmock.h>

#include <latch>
#include <map>
#include <memory>

#include "tests/connectors/results.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr auto limit = 10s;

/// Work that begins, and ends when the test says so.
struct Stage {
  std::latch begun{1};
  std::latch finish{1};
};

class TheLanes : public ::testing::Test {
 protected:
  TheLanes() {
    lanes = Lanes::create(loop, loop.clock(), 2, [this] { ++changes; }).value();
  }
  ~TheLanes() override {
    for (auto& [name, stage] : stages)
      if (!stage->finish.try_wait()) stage->finish.count_down();
  }

  /// Work for `volume` that shows the length of its own name as the size.
  void submit(const std::string& volume, const std::string& name) {
    const auto stage = stages[name] = std::make_shared<Stage>();
    lanes->submit(
        volume, name,
        [stage, name]() -> Result<Outcome> {
          stage->begun.count_down();
          stage->finish.wait();
          return Measured{Bytes(name.size())};
        },
        within(limit, loop.clock().now()),
        [this, name](Result<Outcome> outcome) {
          ended.push_back(name);
          outcomes.emplace(name, std::move(outcome));
        });
  }
  void finish(const std::string& name) { stages.at(name)->finish.count_down(); }
  void wait_until_begun(const std::string& name) { stages.at(name)->begun.wait(); }
  bool has_begun(const std::string& name) const { return stages.at(name)->begun.try_wait(); }
  void run_until_ended(std::size_t count) {
    ASSERT_TRUE(loop.run_until([&] { return ended.size() >= count; }));
  }
  void turn() {
    bool turned = false;
    const auto soon = loop.at(loop.clock().now(), [&] { turned = true; });
    ASSERT_TRUE(loop.run_until([&] { return turned; }));
  }

  FakeTimeLoop loop;
  int changes = 0;
  std::map<std::string, std::shared_ptr<Stage>> stages;
  std::vector<std::string> ended;
  std::map<std::string, Result<Outcome>> outcomes;
  std::unique_ptr<Lanes> lanes;
};

TEST_F(TheLanes, HandTheResultToTheLoop) {
  submit("a", "one");
  finish("one");

  run_until_ended(1);

  EXPECT_EQ(outcomes.at("one"), Result<Outcome>(Measured{3_B}));
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(TheLanes, WorkOnTwoVolumesAtOnce) {
  submit("a", "one");
  submit("b", "two");

  wait_until_begun("one");
  wait_until_begun("two");
}

TEST_F(TheLanes, WorkOnOneVolumeOneAfterTheOtherInOrder) {
  submit("a", "first");
  submit("a", "second");
  submit("a", "third");
  wait_until_begun("first");
  EXPECT_FALSE(has_begun("second"));
  for (const auto* name : {"third", "second", "first"})
    finish(name);

  run_until_ended(3);

  EXPECT_THAT(ended, ElementsAre("first", "second", "third"));
}

TEST_F(TheLanes, StartNoMoreThreadsThanTheyMay) {
  submit("a", "one");
  submit("b", "two");
  submit("c", "three");
  wait_until_begun("one");
  wait_until_begun("two");
  EXPECT_FALSE(has_begun("three"));
  finish("two");

  run_until_ended(1);

  wait_until_begun("three");
  EXPECT_THAT(ended, ElementsAre("two"));
}

TEST_F(TheLanes, GiveUpWorkAtItsDeadlineAndCountItsThread) {
  submit("a", "one");
  wait_until_begun("one");
  loop.advance(limit);

  run_until_ended(1);

  EXPECT_THAT(outcomes.at("one"), FailsWith(ErrorCode::timed_out, "one: the storage did not"));
  EXPECT_EQ(lanes->stuck(), 1U);
  EXPECT_EQ(changes, 1);
}

TEST_F(TheLanes, ForgetAThreadThatComesBackLate) {
  submit("a", "one");
  wait_until_begun("one");
  loop.advance(limit);
  run_until_ended(1);
  finish("one");

  ASSERT_TRUE(loop.run_until([&] { return lanes->stuck() == 0; }));

  EXPECT_EQ(changes, 2);
  EXPECT_THAT(ended, ElementsAre("one"));
  submit("a", "next");
  wait_until_begun("next");
}

TEST_F(TheLanes, SayWhomAVolumeWaitedFor) {
  submit("a", "stuck one");
  wait_until_begun("stuck one");
  submit("a", "behind");
  loop.advance(limit);

  run_until_ended(2);

  EXPECT_THAT(outcomes.at("behind"), FailsWith(ErrorCode::busy, "still busy with stuck one"));
  EXPECT_FALSE(has_begun("behind"));
  EXPECT_EQ(lanes->stuck(), 1U);
}

TEST_F(TheLanes, SayThatAllOfThemAreTaken) {
  submit("a", "one");
  submit("b", "two");
  wait_until_begun("one");
  wait_until_begun("two");
  loop.advance(limit);
  run_until_ended(2);
  submit("c", "three");
  loop.advance(limit);

  run_until_ended(3);

  EXPECT_THAT(outcomes.at("three"),
              FailsWith(ErrorCode::busy, "busy with 2 other calls, of which 2 do not come back"));
}

TEST_F(TheLanes, LeaveThreadsBehindWhenTheyEnd) {
  submit("a", "one");
  wait_until_begun("one");

  lanes.reset();

  EXPECT_THAT(ended, ElementsAre());
}

TEST_F(TheLanes, MakeAnErrorOfWhatIsThrown) {
  lanes->submit(
      "a", "thrown", []() -> Result<Outcome> { throw std::bad_alloc(); },
      within(limit, loop.clock().now()),
      [this](Result<Outcome> outcome) {
        ended.emplace_back("thrown");
        outcomes.emplace("thrown", std::move(outcome));
      });

  run_until_ended(1);

  EXPECT_THAT(outcomes.at("thrown"), FailsWith(ErrorCode::internal, "bad_alloc"));
}

}  // namespace
}  // namespace volgrow::backend
