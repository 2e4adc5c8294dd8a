// SPDX-License-Identifier: Apache-2.0
// Steps on their way to a worker and back.
#include "stack/step.h"

#include <gtest/gtest.h>

#include "core/wire.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;

Layer some_layer() {
  Layer layer;
  layer.connector = "scsi";
  layer.device = "sda";
  layer.identity = {0x801, 42};
  layer.size = 10_GiB;
  layer.has_target = true;
  layer.closed = Error{ErrorCode::no_usable_path, "offline", "sda", 5};
  layer.below = {"x", "y"};
  return layer;
}

TEST(AStep, ArrivesAsItWasSent) {
  const Step sent{7, GrowStep{some_layer(), 20_GiB}, Deadline{TimePoint(Duration(123456))},
                  Duration(99)};

  const auto arrived = decode_step(encode(sent));

  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->id, 7U);
  EXPECT_EQ(arrived->deadline, sent.deadline);
  EXPECT_EQ(arrived->limit, sent.limit);
  const auto* grow = std::get_if<GrowStep>(&arrived->action);
  ASSERT_NE(grow, nullptr);
  EXPECT_EQ(grow->layer, some_layer());
  EXPECT_EQ(grow->to, 20_GiB);
}

TEST(AStep, HasItsLimitFromWhenItBeginsAndNeverMoreThanItsDeadline) {
  const TimePoint now(Duration(1000));
  Step short_one{1, ResolveStep{}, within(30s, now), 2s};
  Step late_one{2, ResolveStep{}, within(1s, now), 2s};
  Step without{3, ResolveStep{}, within(30s, now)};

  for (auto* step : {&short_one, &late_one, &without})
    step->begin(now);

  EXPECT_EQ(short_one.deadline, within(2s, now));
  EXPECT_EQ(late_one.deadline, within(1s, now));
  EXPECT_EQ(without.deadline, within(30s, now));
}

TEST(AStep, CarriesAWholeConnection) {
  const auto subject = *parse_subject(
      R"({"driver_volume_type":"iscsi","data":{"target_luns":[1,"2"],"x":{"y":[true,null,1.5]}}})");

  const auto arrived = decode_step(encode(Step{1, ResolveStep{subject}, {}}));

  ASSERT_TRUE(arrived);
  EXPECT_EQ(std::get<ResolveStep>(arrived->action).subject, subject);
}

TEST(AStepResult, CarriesAStackOrAnError) {
  const StepResult good{3, StepAnswer(Stack{{some_layer()}}), Duration(99)};
  const StepResult bad{4, failure(ErrorCode::path_hung, "no answer", "sdb"), Duration(1)};

  const auto first = decode_step_result(encode(good));
  const auto second = decode_step_result(encode(bad));

  ASSERT_TRUE(first && second);
  EXPECT_EQ(std::get<Stack>(*first->answer), Stack{{some_layer()}});
  EXPECT_EQ(first->took, Duration(99));
  EXPECT_EQ(second->answer.error(), (Error{ErrorCode::path_hung, "no answer", "sdb", 0}));
}

TEST(AStepResult, CarriesWhatALayerShowsAndWhatItsTargetSays) {
  const Measurement measured{20_GiB, some_layer().identity, "running"};
  const Truth truth{20_GiB, Wwid{WwidType::naa, "6001405"}};

  const auto both = decode_step_result(encode(StepResult{1, Verified{measured, truth}, {}}));
  const auto silent = decode_step_result(encode(
      StepResult{2, Verified{measured, failure(ErrorCode::timed_out, "no answer", "sdb")}, {}}));

  ASSERT_TRUE(both && silent);
  EXPECT_EQ(std::get<Verified>(*both->answer).measured, measured);
  EXPECT_EQ(std::get<Verified>(*both->answer).truth, truth);
  EXPECT_EQ(std::get<Verified>(*silent->answer).measured, measured);
  EXPECT_EQ(std::get<Verified>(*silent->answer).truth.error().code, ErrorCode::timed_out);
}

TEST(AStep, IsNothingWhenItIsCutShortAnywhere) {
  const auto whole = encode(Step{7, GrowStep{some_layer(), 20_GiB}, {}});

  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_step(std::string_view(whole).substr(0, size))) << size;
}

TEST(AStep, IsNothingWhenSomethingFollowsIt) {
  EXPECT_FALSE(decode_step(encode(Step{7, MeasureStep{some_layer(), true}, {}}) + "x"));
}

TEST(AStep, IsNothingWhenItsValuesAreNestedTooDeep) {
  Value deep;
  for (int i = 0; i < 1000; ++i)
    deep = Value(Value::Array{std::move(deep)});
  ConnectionInfo info;
  info.data.emplace_back("x", std::move(deep));

  EXPECT_FALSE(decode_step(encode(Step{1, ResolveStep{info}, {}})));
}

}  // namespace
}  // namespace volgrow
