// SPDX-License-Identifier: Apache-2.0
// The extend flow, row by row of its table: status, size, quota, messages, notifications and what
// the receivers saw; and the same after a death at every step.
#include "control/extends.h"

#include "tests/control/flow.h"

namespace volgrow::control {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::UnorderedElementsAre;

class TheExtendFlow : public Flow {
 protected:
  void given_its_status_is_reset() {
    auto reset = volume();
    reset.status = VolumeStatus::available;
    ASSERT_TRUE(store().change_volume(reset));
  }
};

TEST_F(TheExtendFlow, GrowsAnAvailableVolumeAndTellsNobody) {
  given_a_volume({});

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(volume().previous_status, std::nullopt);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
  EXPECT_EQ(back_ends.volumes.at("v1").size, 2_GiB);
  EXPECT_THAT(messages(), IsEmpty());
  EXPECT_THAT(urls(), IsEmpty());
  EXPECT_THAT(notifications.kept, ElementsAre("volume.resize.start", "volume.resize.end"));
}

TEST_F(TheExtendFlow, IsExtendingAndReservedUntilTheBackEndAnswers) {
  given_a_volume({"node1"});
  back_ends.will_wait("extend");

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::extending);
  EXPECT_EQ(volume().previous_status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 1);
  EXPECT_EQ(gigabytes(), (Usage{1, 1}));
  EXPECT_THAT(notifications.kept, ElementsAre("volume.resize.start"));
}

TEST_F(TheExtendFlow, AsksTheBackEndOnlyWhenTheExtendIsDurable) {
  given_a_volume({});

  ASSERT_TRUE(extend());

  EXPECT_THAT(back_ends.calls(), IsEmpty());
}

TEST_F(TheExtendFlow, TellsEachReceiverOnceOfAllItsInstances) {
  given_a_volume({"node1", "node2", "node3", "node4"});
  client.will_answer(took({"instance-of-at-node1"}));
  client.will_answer(took({"instance-of-at-node2"}));
  client.will_answer(took({"instance-of-at-node3", "instance-of-at-node4"}));

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 2);
  EXPECT_THAT(urls(), UnorderedElementsAre("http://node1/os-server-external-events",
                                           "http://node2/os-server-external-events",
                                           "http://nova/v2.1/os-server-external-events"));
  for (const auto* id : {"at-node1", "at-node2", "at-node3", "at-node4"})
    EXPECT_EQ(attachment(id).host.state, HostState::notified) << id;
  EXPECT_THAT(messages(), IsEmpty());
  EXPECT_EQ(deliveries->depth(), 0U);
}

TEST_F(TheExtendFlow, EndsAsErrorExtendingWhenTheBackEndFails) {
  given_a_volume({"node1"});
  back_ends.will_fail("extend", ErrorCode::internal, "it broke");

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
  EXPECT_EQ(volume().size, 1);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  EXPECT_THAT(messages(), ElementsAre("007_010"));
  EXPECT_THAT(urls(), IsEmpty());
  EXPECT_THAT(notifications.kept, ElementsAre("volume.resize.start", "volume.resize.error"));
}

TEST_F(TheExtendFlow, EndsAsErrorExtendingWhenTheBackEndIsNotInitialised) {
  given_a_volume({});
  back_ends.back_ends.erase("fast");

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  EXPECT_THAT(messages(), ElementsAre("007_010"));
}

TEST_F(TheExtendFlow, GoesBackToItsStatusWithoutCapacity) {
  given_a_volume({"node1"});
  back_ends.back_ends["fast"].total = 1_GiB;

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 1);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  EXPECT_THAT(messages(), ElementsAre("007_003"));
  EXPECT_THAT(urls(), IsEmpty());
  EXPECT_THAT(notifications.kept, ElementsAre("volume.resize.start", "scheduler.extend_volume"));
}

TEST_F(TheExtendFlow, RefusesABackEndThatCannotInUseAndTouchesNothing) {
  given_a_volume({"node1"}, "slow");

  const auto refused = extend();

  EXPECT_EQ(refused.error().status, 400);
  EXPECT_THAT(refused.error().message, HasSubstr("'tgt'"));
  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  settle();
  EXPECT_THAT(back_ends.calls(), IsEmpty());
  EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(TheExtendFlow, ExtendsAnAvailableVolumeOfThatBackEndAllTheSame) {
  given_a_volume({}, "slow");

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
}

TEST_F(TheExtendFlow, LetsTheSchedulerRefuseWhereConfigured) {
  config.capability_check = CapabilityCheck::scheduler;
  given_a_volume({"node1"}, "slow");

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 1);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  EXPECT_THAT(back_ends.calls(), IsEmpty());
  EXPECT_THAT(messages(), ElementsAre("007_003"));
}

TEST_F(TheExtendFlow, HasOneWinnerOfManyAtOnce) {
  given_a_volume({"node1"});
  int accepted = 0;

  for (int i = 0; i < 6; ++i)
    accepted += extend().has_value() ? 1 : 0;
  settle();

  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
}

TEST_F(TheExtendFlow, TellsOnlyThoseWhoAreStillAttached) {
  given_a_volume({"node1", "node2"});
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  settle();

  ASSERT_TRUE(store().remove_attachment("at-node1"));
  back_ends.release();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_THAT(urls(), ElementsAre("http://node2/os-server-external-events"));
}

TEST_F(TheExtendFlow, TellsNobodyOfAnAttachmentThatIsOnlyReserved) {
  given_a_volume({"node1"});
  auto reserved = attachment("at-node1");
  reserved.attach_status = AttachStatus::reserved;
  ASSERT_TRUE(store().change_attachment(reserved));

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_THAT(urls(), IsEmpty());
  EXPECT_EQ(attachment("at-node1").host.state, HostState::none);
}

TEST_F(TheExtendFlow, IsAvailableWhenAllWereDetachedMeanwhile) {
  given_a_volume({"node1"});
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  settle();

  ASSERT_TRUE(store().remove_attachment("at-node1"));
  back_ends.release();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
  EXPECT_THAT(urls(), IsEmpty());
}

TEST_F(TheExtendFlow, WaitsForItsCompletionWhereThatIsDeferred) {
  given_a_volume({"node1"}, "told");
  client.will_answer(took({"instance-of-at-node1"}));

  ASSERT_TRUE(extend());
  settle();
  EXPECT_EQ(volume().status, VolumeStatus::extending);
  EXPECT_EQ(gigabytes(), (Usage{1, 1}));
  restart();
  settle();
  EXPECT_EQ(volume().status, VolumeStatus::extending);
  ASSERT_TRUE(extends->complete(volume(), false));
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
  EXPECT_EQ(urls().size(), 1U);
}

TEST_F(TheExtendFlow, IsErrorExtendingWhenItsCompletionSaysSo) {
  given_a_volume({"node1"}, "told");
  ASSERT_TRUE(extend());
  settle();

  ASSERT_TRUE(extends->complete(volume(), true));
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  EXPECT_THAT(messages(), ElementsAre("007_010"));
  EXPECT_THAT(urls(), IsEmpty());
}

TEST_F(TheExtendFlow, TakesThePlaceOfOneThatWasNeverCompletedOnceTheStatusIsReset) {
  given_a_volume({}, "told");
  ASSERT_TRUE(extend(2));
  settle();
  given_its_status_is_reset();

  ASSERT_TRUE(extend(3));
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::extending);
  EXPECT_EQ(gigabytes(), (Usage{1, 2}));
  ASSERT_TRUE(extends->complete(volume(), false));
  settle();
  EXPECT_EQ(volume().size, 3);
  EXPECT_EQ(gigabytes(), (Usage{3, 0}));
}

TEST_F(TheExtendFlow, TakesThePlaceOfOneThatTheBackEndStillWorksAt) {
  given_a_volume({});
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend(2));
  settle();
  given_its_status_is_reset();

  ASSERT_TRUE(extend(3));
  settle();
  back_ends.release();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 3);
  EXPECT_EQ(gigabytes(), (Usage{3, 0}));
  EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(TheExtendFlow, IsNotEndedByTheOneWhosePlaceItTook) {
  given_a_volume({});
  back_ends.will_wait("extend");
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend(2));
  settle();
  given_its_status_is_reset();
  ASSERT_TRUE(extend(3));
  settle();

  back_ends.release();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::extending);
  EXPECT_EQ(volume().size, 1);
  EXPECT_EQ(gigabytes(), (Usage{1, 2}));
  back_ends.release();
  settle();
  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 3);
}

TEST_F(TheExtendFlow, HasNothingToCompleteOtherwise) {
  given_a_volume({"node1"});

  EXPECT_EQ(extends->complete(volume(), false).error().status, 400);
}

// ---- a back end that is away for a while, or says less than it did ----

TEST_F(TheExtendFlow, AsksAgainWhenTheBackEndWentAway) {
  given_a_volume({});
  back_ends.will_lose_the_answer("extend");

  ASSERT_TRUE(extend());
  settle();
  EXPECT_EQ(volume().status, VolumeStatus::extending);
  pass(seconds(1));

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(back_ends.calls_of<backend::Extend>().size(), 1U);  // its size said enough
}

TEST_F(TheExtendFlow, GivesUpABackEndThatStaysAway) {
  given_a_volume({});
  for (int i = 0; i < 200; ++i) {
    back_ends.will_fail("extend", ErrorCode::unreachable, "away");
    back_ends.will_fail("size", ErrorCode::unreachable, "away");
  }

  ASSERT_TRUE(extend());
  settle();
  for (int i = 0; i < 100 && volume().status == VolumeStatus::extending; ++i)
    pass(seconds(10));

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
}

TEST_F(TheExtendFlow, BelievesTheSizeAfterATimeOut) {
  given_a_volume({});
  back_ends.will_hang("extend", true);

  ASSERT_TRUE(extend());
  settle_until_waiting();
  pass(config.backend_time);

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
}

TEST_F(TheExtendFlow, FailsAfterATimeOutThatGrewNothing) {
  given_a_volume({});
  back_ends.will_hang("extend", false);

  ASSERT_TRUE(extend());
  settle_until_waiting();
  pass(config.backend_time);

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
  EXPECT_EQ(volume().size, 1);
}

TEST_F(TheExtendFlow, TakesABackEndThatIsBiggerAlreadyForGrown) {
  given_a_volume({});
  back_ends.volumes["v1"].size = 5_GiB;

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
}

// ---- death at every step ----

TEST_F(TheExtendFlow, FinishesWhatTheBackEndHadDoneBeforeTheDeath) {
  given_a_volume({"node1"});
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  settle();
  back_ends.volumes["v1"].size = 2_GiB;
  client.will_answer(took({"instance-of-at-node1"}));

  restart();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
  EXPECT_EQ(attachment("at-node1").host.state, HostState::notified);
}

TEST_F(TheExtendFlow, GrowsAfterTheDeathWhatTheBackEndHadNotBegun) {
  given_a_volume({"node1"});
  back_ends.will_fail("extend", ErrorCode::unreachable, "away");
  ASSERT_TRUE(extend());
  settle();

  restart();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(back_ends.volumes.at("v1").size, 2_GiB);
}

TEST_F(TheExtendFlow, RollsBackAfterTheDeathWhatCannotBeGrown) {
  given_a_volume({});
  back_ends.will_fail("extend", ErrorCode::unreachable, "away");
  ASSERT_TRUE(extend());
  settle();
  back_ends.volumes.clear();

  restart();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
}

TEST_F(TheExtendFlow, ForgetsAnExtendThatDiedBeforeItWasDurable) {
  given_a_volume({"node1"});
  ASSERT_TRUE(extend());  // answered with 202 only after the commit

  restart();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
}

TEST_F(TheExtendFlow, SendsAfterTheDeathWhatNoReceiverHadTaken) {
  given_a_volume({"node1"});
  client.will_be_silent();
  ASSERT_TRUE(extend());
  settle_until_sent();
  client.will_answer(took({"instance-of-at-node1"}));

  restart();
  settle();

  EXPECT_EQ(attachment("at-node1").host.state, HostState::notified);
  const auto& requests = client.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].body, requests[1].body);  // not lost, and not changed
}

// ---- receivers that refuse, fail or keep silent ----

TEST_F(TheExtendFlow, StaysGrownWhateverTheReceiverSays) {
  given_a_volume({"node3"});
  client.will_answer(http::Response{400, {}, R"({"badRequest":{"code":400,"message":"no"}})"});

  ASSERT_TRUE(extend());
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
  EXPECT_THAT(messages(), ElementsAre("007_009"));
  EXPECT_EQ(attachment("at-node3").host.state, HostState::failed);
  EXPECT_EQ(deliveries->depth(), 0U);
  ASSERT_TRUE(extend(3));  // a later extend works
}

TEST_F(TheExtendFlow, TellsAgainWhoCouldNotBeReachedAndLeavesOneMessage) {
  given_a_volume({"node1"});
  client.will_answer(failure(ErrorCode::unreachable, "refused"));
  client.will_answer(http::Response{503, {}, ""});
  client.will_answer(took({"instance-of-at-node1"}));

  ASSERT_TRUE(extend());
  settle();
  EXPECT_EQ(attachment("at-node1").host.state, HostState::pending);
  EXPECT_EQ(attachment("at-node1").host.reason, "refused");
  pass(seconds(1));
  pass(seconds(2));

  EXPECT_EQ(attachment("at-node1").host.state, HostState::notified);
  EXPECT_THAT(messages(), ElementsAre("007_009"));
}

TEST_F(TheExtendFlow, WaitsLongerEachTimeForAReceiverThatStaysAway) {
  given_a_volume({"node1"});

  ASSERT_TRUE(extend());
  settle();
  for (int i = 0; i < 60; ++i)
    pass(seconds(1));

  EXPECT_THAT(urls().size(), AllOf(Ge(5U), Le(9U)));
}

TEST_F(TheExtendFlow, GivesUpAReceiverAfterItsAttempts) {
  config.most_attempts = 3;
  given_a_volume({"node1"});

  ASSERT_TRUE(extend());
  settle();
  for (int i = 0; i < 5; ++i)
    pass(minutes(5));

  EXPECT_EQ(urls().size(), 3U);
  EXPECT_EQ(attachment("at-node1").host.state, HostState::failed);
  EXPECT_EQ(deliveries->depth(), 0U);
}

TEST_F(TheExtendFlow, TellsSilentHostsAgainUpToItsLimit) {
  config.most_renotifies = 2;
  given_a_volume({"node1", "node3"});
  for (int i = 0; i < 5; ++i)
    client.will_answer(took({"instance-of-at-node1", "instance-of-at-node3"}));

  ASSERT_TRUE(extend());
  settle();
  for (int i = 0; i < 20; ++i)
    pass(minutes(2));

  EXPECT_EQ(urls().size(), 4U);  // two receivers, and the relay twice more
  EXPECT_EQ(attachment("at-node1").host.state, HostState::unconfirmed);
  EXPECT_EQ(attachment("at-node3").host.state, HostState::notified);  // behind Nova
}

// ---- reports ----

class AReport : public Flow {
 protected:
  AReport() {
    given_a_volume({"node1", "node2"});
    report.host = "whatever it says";
    report.journal = "5f2f6c1e-0b9e-4c1d-9d3a-0123456789ab";
    report.sequence = 7;
    report.result.volume_id = "v1";
    report.result.state = JobState::complete;
    report.result.volume = 1_GiB;
  }
  std::string refusal(const std::string& host) { return reports.take(host, report)->refused; }

  Report report;
  Reports reports{{loop.clock(), *commits, *log}};
};

TEST_F(AReport, ConfirmsTheAttachmentOfTheHostThatSentIt) {
  EXPECT_EQ(reports.take("node1", report).value(), (ReportVerdict{7, ""}));

  EXPECT_EQ(attachment("at-node1").host.state, HostState::confirmed);
  EXPECT_EQ(attachment("at-node1").host.bytes, 1_GiB);
  EXPECT_EQ(attachment("at-node2").host.state, HostState::none);
  EXPECT_EQ(store().last_report("at-node1").value()->result, to_json(report.result));
}

TEST_F(AReport, IsStoredOnceHoweverOftenItComes) {
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(refusal("node1"), "");

  EXPECT_EQ(store().count_reports("v1").value(), 1U);
  EXPECT_EQ(reports.stored(), 1U);
}

TEST_F(AReport, IsRefusedFromAHostThatTheVolumeIsNotAttachedTo) {
  EXPECT_EQ(refusal("node9"), "volume v1 is not attached to host node9");
}

TEST_F(AReport, IsRefusedForAVolumeThatIsNotThere) {
  report.result.volume_id = "v2";
  EXPECT_EQ(refusal("node1"), "there is no volume 'v2'");
}

TEST_F(AReport, IsRefusedWhenItSaysMoreThanTheBackEndHas) {
  report.result.volume = 2_GiB;

  EXPECT_EQ(refusal("node1"),
            "volume v1 has 1 GiB (1073741824 bytes) and the report says 2 GiB (2147483648 bytes)");
  EXPECT_EQ(store().count_reports("v1").value(), 0U);
}

TEST_F(AReport, MaySayTheNewSizeWhileTheVolumeStillGrows) {
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  report.result.volume = 2_GiB;

  EXPECT_EQ(refusal("node1"), "");
}

}  // namespace
}  // namespace volgrow::control
