// SPDX-License-Identifier: Apache-2.0
// What is believed of a host after each thing that can be heard of it.
#include "control/host_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/samples.h"

namespace volgrow::control {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto grown = 2_GiB;

JobResult a_result(JobState state, std::optional<Bytes> volume) {
  JobResult result;
  result.state = state;
  result.volume = volume;
  return result;
}

class AHost : public testing::Test {
 protected:
  HostView told() { return after_answer(pending, {"a", true, ""}, false, false, config, now); }

  Config config;
  const WallTime now = at_second(100);
  const HostView pending = after_growth(at_second(1));
};

TEST_F(AHost, IsPendingOnceItsVolumeGrew) {
  EXPECT_EQ(pending, (HostView{HostState::pending, {}, "", 0, at_second(1), {}}));
}

TEST_F(AHost, IsNotifiedWhenItsReceiverTookTheEventAndThenItsReportIsAwaited) {
  EXPECT_EQ(told(), (HostView{HostState::notified, {}, "", 0, now, now + config.confirm_timeout}));
}

TEST_F(AHost, NeedNotReportBehindNova) {
  const auto behind = after_answer(pending, {"a", true, ""}, false, true, config, now);

  EXPECT_EQ(behind.state, HostState::notified);
  EXPECT_EQ(behind.report_due, std::nullopt);
}

TEST_F(AHost, StaysPendingWhileTheReceiverMayYetTakeItAndFailsWhenNot) {
  const EventAnswer refused{"a", false, "the receiver answered 503"};

  EXPECT_EQ(after_answer(pending, refused, true, false, config, now),
            (HostView{HostState::pending, {}, refused.reason, 0, now, {}}));
  EXPECT_EQ(after_answer(pending, refused, false, false, config, now),
            (HostView{HostState::failed, {}, refused.reason, 0, now, {}}));
}

TEST_F(AHost, IsConfirmedByItsMeasuredBytes) {
  const auto after = after_report(told(), a_result(JobState::complete, grown), grown, now);

  EXPECT_EQ(after, (HostView{HostState::confirmed, grown, "", 0, now, {}}));
  EXPECT_EQ(after_report(told(), a_result(JobState::unchanged, grown), grown, now), after);
}

TEST_F(AHost, IsNotConfirmedByWhatAnOlderJobMeasured) {
  EXPECT_EQ(after_report(told(), a_result(JobState::complete, 1_GiB), grown, now), told());
  EXPECT_EQ(after_report(told(), a_result(JobState::complete, std::nullopt), grown, now), told());
}

TEST_F(AHost, StaysConfirmedWhenTheReceiversAnswerComesAfterTheReport) {
  const auto reported = after_report(pending, a_result(JobState::complete, grown), grown, now);

  EXPECT_EQ(after_answer(reported, {"a", true, ""}, false, false, config, now), reported);
  EXPECT_EQ(after_answer(reported, {"a", false, "reset"}, true, false, config, now), reported);
}

TEST_F(AHost, IsDegradedWithItsBytesAndWhatIsLeft) {
  auto result = a_result(JobState::degraded, grown);
  result.layers.resize(2);
  result.layers[1].device = "sdb";
  result.layers[1].reason = "no answer for 6 s";

  EXPECT_EQ(after_report(told(), result, grown, now),
            (HostView{HostState::degraded, grown, "sdb: no answer for 6 s", 0, now, {}}));
  EXPECT_EQ(after_report(told(), result, 3_GiB, now).state, HostState::failed);
  const auto degraded = after_report(pending, result, grown, now);
  EXPECT_EQ(after_answer(degraded, {"a", true, ""}, false, false, config, now), degraded);
}

TEST_F(AHost, FailsWithTheHostsReason) {
  auto result = a_result(JobState::refused, std::nullopt);
  result.error = Error{ErrorCode::wwid_mismatch, "another volume", "sda", 0};

  EXPECT_EQ(after_report(told(), result, grown, now),
            (HostView{HostState::failed, {}, "WwidMismatch: another volume", 0, now, {}}));
}

TEST_F(AHost, IsToldAgainWithMorePatienceEachTimeAndThenGivenUp) {
  config.most_renotifies = 2;
  auto host = told();
  for (std::uint32_t i = 1; i <= 2; ++i) {
    host = after_silence(host, config, now);
    EXPECT_EQ(host.state, HostState::pending);
    EXPECT_EQ(host.renotified, i);
    host = after_answer(host, {"a", true, ""}, false, false, config, now);
    EXPECT_EQ(host.report_due, now + config.confirm_timeout * (1 << i));
  }

  host = after_silence(host, config, now);

  EXPECT_EQ(host.state, HostState::unconfirmed);
  EXPECT_EQ(host.reason, "told 3 times and no report within 8 min");
}

TEST_F(AHost, MayStillReportAfterItWasGivenUp) {
  const HostView given_up{HostState::unconfirmed, {}, "told", 5, now, {}};

  EXPECT_EQ(after_report(given_up, a_result(JobState::complete, grown), grown, now).state,
            HostState::confirmed);
}

}  // namespace
}  // namespace volgrow::control
