// SPDX-License-Identifier: Apache-2.0
// When volumes are looked at, over a fake kernel and a clock that moves when the test says so.
#include "agent/lookout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/inline_pool.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class ALookout : public testing::Test {
 protected:
  ALookout() {
    for (const auto* name : {"sda", "sdb", "sdc"})
      kernel.add_disk(name, {.address = "1:0:0:" + std::to_string(name[2] - 'a')});
  }
  std::optional<Request> look_at(const std::string& name) const {
    if (!kernel.list("block/" + name)) return std::nullopt;
    Request look;
    look.operation = Operation::explain;
    look.subject = *parse_subject("dev:" + name);
    return look;
  }
  void settle() {
    for (int turns = 0; turns < 20; ++turns) {
      const auto idle = loop.when_idle([this] { loop.exit(0); }).value();
      loop.run().value();
    }
  }
  void pass(Duration span, Duration step = 100ms) {
    for (Duration passed{}; passed < span; passed += step) {
      loop.advance(step);
      settle();
    }
  }

  TemporaryDirectory locks;
  FakeTimeLoop loop;
  FakeKernel kernel;
  InlinePool pool{loop, kernel};
  Runner runner{loop, loop.clock(), pool, locks.path()};
  JobLimits limits;
  std::vector<std::string> audited;
  std::vector<std::string> seen;
  Lookout lookout{
      {loop, loop.clock(), runner, limits, 30s, 60s},
      {[this](const std::string& name) { return look_at(name); }, [this] { return audited; }},
      [this](const std::string& name, const JobResult& result) {
        EXPECT_EQ(result.layers.size(), 1);
        seen.push_back(name);
      }};
};

TEST_F(ALookout, LooksAtOnceWhenAsked) {
  lookout.look("sda");
  settle();
  EXPECT_THAT(seen, ElementsAre("sda"));
}

TEST_F(ALookout, LooksOnceForABurstOfHints) {
  for (int event = 0; event < 1000; ++event)
    lookout.hint(event % 2 == 0 ? "sda" : "sdb");
  settle();
  EXPECT_THAT(seen, IsEmpty());
  pass(200ms);
  EXPECT_THAT(seen, UnorderedElementsAre("sda", "sdb"));
  pass(5s);
  EXPECT_THAT(seen, SizeIs(2));
}

TEST_F(ALookout, LooksAtMostOnceASecondInAStorm) {
  for (int event = 0; event < 100; ++event) {
    lookout.hint("sda");
    pass(100ms);
  }
  EXPECT_GE(seen.size(), 9);
  EXPECT_LE(seen.size(), 11);
}

TEST_F(ALookout, RepeatsALookThatWasOutdatedMeanwhile) {
  lookout.look("sda");
  lookout.outdate("sda");
  settle();
  EXPECT_THAT(seen, ElementsAre("sda"));  // and the first, which may be wrong, was not told
  lookout.outdate("sda");
  settle();
  EXPECT_THAT(seen, SizeIs(1));
}

TEST_F(ALookout, ForgetsWhatIsNobodysBusiness) {
  lookout.hint("gone");
  pass(2s);
  lookout.look("sda");
  lookout.forget("sda");
  settle();
  EXPECT_THAT(seen, IsEmpty());
  EXPECT_EQ(loop.timers(), 0);
}

TEST_F(ALookout, AuditsEachVolumeOnceInTheInterval) {
  audited = {"sda", "sdb", "sdc"};
  lookout.begin_audit();
  pass(61s, 1s);
  EXPECT_THAT(seen, ElementsAre("sda", "sdb", "sdc"));
  pass(60s, 1s);
  EXPECT_THAT(seen, ElementsAre("sda", "sdb", "sdc", "sda", "sdb", "sdc"));
}

TEST_F(ALookout, AuditsWhatComesAndGoes) {
  lookout.begin_audit();
  pass(61s, 1s);
  EXPECT_THAT(seen, IsEmpty());
  audited = {"sda", "sdc"};
  pass(91s, 1s);
  EXPECT_THAT(seen, ElementsAre("sda", "sdc"));
  audited = {"sdb"};
  pass(61s, 1s);
  EXPECT_EQ(seen.back(), "sdb");
}

TEST_F(ALookout, SleepsBetweenAuditsAndWithoutOneForEver) {
  EXPECT_EQ(loop.timers(), 0);
  audited = {"sda"};
  lookout.begin_audit();
  EXPECT_EQ(loop.timers(), 1);
}

}  // namespace
}  // namespace volgrow::agent
