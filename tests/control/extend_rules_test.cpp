// SPDX-License-Identifier: Apache-2.0
// The state machine's table, row by row, and what is checked before an extend begins, in Cinder's
// order and words.
#include "control/extend_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/samples.h"

namespace volgrow::control {
namespace {

using To = Transition::To;
using Attachments = std::vector<Attachment>;

struct Row {
  ExtendEvent event;
  bool ends, grown, tells_hosts;
  std::optional<Detail> message;
  Notification notification;
  VolumeStatus attached, alone;  ///< what the volume becomes
};

class AnExtend : public testing::TestWithParam<Row> {};

TEST_P(AnExtend, EndsAsTheTableSays) {
  const auto& row = GetParam();
  auto extend = an_extend("v1", 1, 2);
  extend.previous_status = VolumeStatus::in_use;

  const auto after = transition(row.event);

  EXPECT_EQ(after.ends, row.ends);
  EXPECT_EQ(after.grown, row.grown);
  EXPECT_EQ(after.tells_hosts, row.tells_hosts);
  EXPECT_EQ(after.message, row.message);
  EXPECT_EQ(after.notification, row.notification);
  EXPECT_EQ(status_after(after, extend, Attachments(2)), row.attached);
  extend.previous_status = VolumeStatus::available;
  EXPECT_EQ(status_after(after, extend, {}), row.alone);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AnExtend,
    testing::Values(
        Row{ExtendEvent::grew,
            true,
            true,
            true,
            {},
            Notification::end,
            VolumeStatus::in_use,
            VolumeStatus::available},
        Row{ExtendEvent::completed,
            true,
            true,
            true,
            {},
            Notification::end,
            VolumeStatus::in_use,
            VolumeStatus::available},
        Row{ExtendEvent::grew_deferred,
            false,
            false,
            false,
            {},
            Notification::none,
            VolumeStatus::extending,
            VolumeStatus::extending},
        Row{ExtendEvent::failed, true, false, false, Detail::driver_failed_extend,
            Notification::error, VolumeStatus::error_extending, VolumeStatus::error_extending},
        Row{ExtendEvent::not_initialised, true, false, false, Detail::driver_failed_extend,
            Notification::error, VolumeStatus::error_extending, VolumeStatus::error_extending},
        Row{ExtendEvent::no_capacity, true, false, false, Detail::no_back_end,
            Notification::scheduler_error, VolumeStatus::in_use, VolumeStatus::available}));

class AnExtendRequest : public testing::Test {
 protected:
  AnExtendRequest() {
    request.volume = a_volume("v1", 4);
    request.new_size = 6;
    request.in_use_allowed = request.capable = true;
    request.back_end_driver = "file";
    request.limits = {{"gigabytes", 100}, {"per_volume_gigabytes", -1}};
    request.usage = {{"gigabytes", {10, 2}}};
    request.type = a_type("fast");
  }
  std::string refusal() {
    const auto passed = check(request);
    return passed ? "passed" : std::to_string(passed.error().status) + " " + passed.error().message;
  }

  ExtendRequest request;
};

TEST_F(AnExtendRequest, PassesWhenItIsAvailableOrInUse) {
  EXPECT_EQ(refusal(), "passed");
  request.volume.status = VolumeStatus::in_use;
  EXPECT_EQ(refusal(), "passed");
}

TEST_F(AnExtendRequest, MustBeForMoreThanThereIs) {
  request.volume.status = VolumeStatus::error;  // the size is looked at first
  for (const Gib size : {4, 3}) {
    request.new_size = size;
    EXPECT_EQ(refusal(),
              "400 Invalid input received: New size for extend must be greater than current size. "
              "(current: 4, extended: " +
                  std::to_string(size) + ").");
  }
}

TEST_F(AnExtendRequest, KeepsToTheTypesLimitsBeforeTheStatusIsLookedAt) {
  request.volume.status = VolumeStatus::error;
  request.type->extra_specs = {{"provisioning:max_vol_size", "5"}};
  EXPECT_EQ(refusal(),
            "400 Invalid input received: Specified volume size of '6' is greater than the maximum "
            "allowable size of '5' for volume type 'fast name'.");
  request.type->extra_specs = {{"provisioning:min_vol_size", "7"}};
  EXPECT_EQ(refusal(),
            "400 Invalid input received: Specified volume size of '6' is less than the minimum "
            "required size of '7' for volume type 'fast name'.");
}

TEST_F(AnExtendRequest, IsRefusedInUseWhereTheBackEndCannot) {
  request.volume.status = VolumeStatus::in_use;
  request.capable = false;
  request.back_end_driver = "tgt";

  EXPECT_EQ(refusal(),
            "400 Invalid input received: The volume driver 'tgt' of back end 'fast' does not "
            "support in-use-extend: detach the volume to extend it.");
  request.volume.status = VolumeStatus::available;
  EXPECT_EQ(refusal(), "passed");
}

TEST_F(AnExtendRequest, IsRefusedInAnyOtherStatus) {
  for (const auto status : {VolumeStatus::extending, VolumeStatus::error_extending,
                            VolumeStatus::attaching, VolumeStatus::deleting}) {
    request.volume.status = status;
    EXPECT_EQ(refusal(),
              "400 Invalid volume: Volume v1 status must be '{'status': 'available'}' to extend, "
              "currently " +
                  std::string(name_of(status)) + ".");
  }
}

TEST_F(AnExtendRequest, IsToldOfItsStatusBeforeAnyQuota) {
  request.volume.status = VolumeStatus::error;
  request.limits["per_volume_gigabytes"] = 5;

  EXPECT_EQ(check(request).error().status, 400);
}

TEST_F(AnExtendRequest, IsRefusedInUseBelowTheMicroversionThatAllowsIt) {
  request.volume.status = VolumeStatus::in_use;
  request.in_use_allowed = false;

  EXPECT_EQ(refusal(),
            "400 Invalid volume: Volume v1 status must be '{'status': 'available'}' to extend, "
            "currently in-use.");
}

TEST_F(AnExtendRequest, KeepsToTheQuotaOfOneVolume) {
  request.limits["per_volume_gigabytes"] = 5;

  EXPECT_EQ(refusal(),
            "413 VolumeSizeExceedsLimit: Requested volume size 6G is larger than maximum allowed "
            "limit 5G.");
  EXPECT_EQ(check(request).error().retry_after, 0);
}

TEST_F(AnExtendRequest, KeepsToTheQuotaOfTheProjectCountingWhatIsReserved) {
  request.limits["gigabytes"] = 14;
  EXPECT_EQ(refusal(), "passed");
  request.limits["gigabytes"] = 13;
  EXPECT_EQ(refusal(),
            "413 VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
            "gigabytes quota. Requested 2G, quota is 13G and 12G has been consumed.");
}

TEST_F(AnExtendRequest, KeepsToTheQuotaOfTheTypeAndTellsOfTheProjects) {
  request.limits["gigabytes_fast name"] = 5;
  request.usage["gigabytes_fast name"] = {4, 0};

  EXPECT_EQ(refusal(),
            "413 VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
            "gigabytes quota. Requested 2G, quota is 100G and 12G has been consumed.");
}

TEST_F(AnExtendRequest, MayBeOfAnySizeWhereNothingIsLimited) {
  request.limits = {{"gigabytes", -1}, {"per_volume_gigabytes", -1}};
  request.new_size = 2147483647;

  EXPECT_EQ(refusal(), "passed");
}

}  // namespace
}  // namespace volgrow::control
