// SPDX-License-Identifier: Apache-2.0
// The rules before anything is touched, as a table.
#include "stack/judge.h"

#include <gtest/gtest.h>

namespace volgrow {
namespace {

const Wwid ours{WwidType::naa, "6001405aa"};
const Wwid theirs{WwidType::naa, "6001405bb"};

Answer says(Bytes target, Bytes kernel, std::optional<Wwid> identity = ours) {
  return {"sd", kernel, {target, std::move(identity)}};
}

struct Row {
  const char* name;
  std::optional<Bytes> expected;
  Mode mode;
  std::optional<Wwid> pinned;
  std::vector<Answer> answers;
  std::optional<ErrorCode> error;
  bool asks_again = false;
};

const std::vector<Row> rows{
    {"AgreedGrowth", {}, Mode::at_least, {}, {says(20_GiB, 10_GiB)}, {}},
    {"NothingToDo", 10_GiB, Mode::at_least, ours, {says(10_GiB, 10_GiB)}, {}},
    {"LargerThanExpected", 15_GiB, Mode::at_least, {}, {says(20_GiB, 10_GiB)}, {}},
    {"LargerThanExactlyExpected",
     15_GiB,
     Mode::exact,
     {},
     {says(20_GiB, 10_GiB)},
     ErrorCode::size_mismatch},
    {"SmallerThanExpected",
     25_GiB,
     Mode::at_least,
     {},
     {says(20_GiB, 10_GiB)},
     ErrorCode::size_mismatch,
     true},
    {"SmallerThanExactlyExpected",
     25_GiB,
     Mode::exact,
     {},
     {says(20_GiB, 10_GiB)},
     ErrorCode::size_mismatch,
     true},
    {"OneByteTooSmall",
     20_GiB + 1_B,
     Mode::at_least,
     {},
     {says(20_GiB, 10_GiB)},
     ErrorCode::size_mismatch,
     true},
    {"WouldShrink", {}, Mode::at_least, {}, {says(5_GiB, 10_GiB)}, ErrorCode::would_shrink},
    {"WouldShrinkOnOnePath",
     {},
     Mode::at_least,
     {},
     {says(15_GiB, 10_GiB), says(15_GiB, 20_GiB)},
     ErrorCode::would_shrink},
    {"Disagreement",
     {},
     Mode::at_least,
     {},
     {says(20_GiB, 10_GiB), says(10_GiB, 10_GiB)},
     ErrorCode::paths_disagree,
     true},
    {"PinnedAndAnother",
     {},
     Mode::at_least,
     ours,
     {says(20_GiB, 10_GiB, theirs)},
     ErrorCode::wwid_mismatch},
    {"PinnedAndNone",
     {},
     Mode::at_least,
     ours,
     {says(20_GiB, 10_GiB, {})},
     ErrorCode::wwid_mismatch},
    {"TwoVolumes",
     {},
     Mode::at_least,
     {},
     {says(20_GiB, 10_GiB), says(20_GiB, 10_GiB, theirs)},
     ErrorCode::wwid_mismatch},
    {"IdentityBeforeAgreement",
     {},
     Mode::at_least,
     ours,
     {says(20_GiB, 10_GiB), says(10_GiB, 10_GiB, theirs)},
     ErrorCode::wwid_mismatch},
    {"AgreementBeforeShrinking",
     {},
     Mode::at_least,
     {},
     {says(5_GiB, 10_GiB), says(10_GiB, 10_GiB)},
     ErrorCode::paths_disagree,
     true},
    {"NoIdentityAnywhere", {}, Mode::at_least, {}, {says(20_GiB, 10_GiB, {})}, {}},
};

class TheJudgement : public testing::TestWithParam<Row> {};

TEST_P(TheJudgement, FollowsTheTable) {
  const auto& row = GetParam();
  Request request;
  request.expected = row.expected;
  request.mode = row.mode;
  request.pinned = row.pinned;

  const auto judgement = judge(request, row.answers);

  const auto* error = std::get_if<Error>(&judgement);
  const auto* again = std::get_if<AskAgain>(&judgement);
  EXPECT_EQ(again != nullptr, row.asks_again);
  EXPECT_EQ(std::holds_alternative<Agreed>(judgement), !row.error.has_value());
  if (!row.error) return;
  EXPECT_EQ((again != nullptr ? again->error : *error).code, *row.error);
}

INSTANTIATE_TEST_SUITE_P(Of, TheJudgement, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace volgrow
