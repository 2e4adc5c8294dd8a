// SPDX-License-Identifier: Apache-2.0
// What is said of a step that nobody had time for names who to look at.
#include "agent/step_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace volgrow::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(AStepThatNeverBegan, HasHungWhereWorkersAreStuck) {
  const auto error = never_begun({1, ProbeStep{}, {}}, {.workers = 8, .stuck = 3}, 2s);

  EXPECT_EQ(error.code, ErrorCode::path_hung);
  EXPECT_THAT(error.message, HasSubstr("of 8 there are 3 stuck"));
}

TEST(AStepThatNeverBegan, HasOnlyHadNoTimeWhereNoneIs) {
  const auto error = never_begun({1, ProbeStep{}, {}}, {.workers = 8, .stuck = 0}, 2s);

  EXPECT_EQ(error.code, ErrorCode::timed_out);
  EXPECT_THAT(error.message, HasSubstr("none of 8 workers was free"));
}

}  // namespace
}  // namespace volgrow::agent
