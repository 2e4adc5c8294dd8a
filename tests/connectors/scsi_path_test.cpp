// SPDX-License-Identifier: Apache-2.0
// What all SCSI paths do, on the kernel that reacts: gates, probe, rescan. Shown on one over iSCSI;
// what is special about a transport is in that transport's test.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Wwid volume{WwidType::naa, "6001405a0102030405060708090a0b0c"};
const Wwid stranger{WwidType::naa, "6001405affffffffffffffffffffffff"};

class AScsiPath : public testing::Test {
 protected:
  AScsiPath() {
    kernel.add_disk("sda",
                    {.address = "1:0:0:1", .size = 10_GiB, .wwid = volume, .transport = "iscsi"});
  }

  Layer layer() { return scsi->describe(kernel, "sda").value(); }
  Deadline soon() { return within(3s, kernel.clock().now()); }
  Result<Truth> probe() { return scsi->probe(kernel, layer(), soon()); }
  Result<void> grow() { return scsi->grow(kernel, layer(), 20_GiB, soon()); }
  FakePath& path() { return kernel.path("sda"); }

  FakeKernel kernel;
  std::unique_ptr<Connector> scsi = iscsi_connector();
};

TEST_F(AScsiPath, IsClaimedByItsPlaceInTheDeviceTree) {
  kernel.add_block("sdz", 1_GiB);  // a name like a SCSI disk's, and no SCSI device

  EXPECT_TRUE(scsi->claims(kernel, "sda"));
  EXPECT_FALSE(scsi->claims(kernel, "sdz"));
  EXPECT_FALSE(scsi->claims(kernel, "sdb"));
  EXPECT_FALSE(scsi->claims(kernel, "/dev/sda"));
}

TEST_F(AScsiPath, ThatIsNotThereCannotBeDescribed) {
  EXPECT_THAT(scsi->describe(kernel, "sdq"), FailsWith(ErrorCode::no_such_device, "sdq"));
}

TEST_F(AScsiPath, StandsAsItIsDescribed) {
  const auto expect_same = [this](std::string_view when) {
    const auto standing = scsi->standing(kernel, "sda");
    ASSERT_TRUE(standing) << when;
    EXPECT_EQ(*standing, (Standing{layer().identity, layer().closed})) << when;
  };

  expect_same("open");
  path().state = "offline";
  expect_same("offline");
  path().state = "running";
  path().session_state = "FAILED";
  expect_same("session failed");
  path().session_state = "LOGGED_IN";
  path().access_state = "standby";
  expect_same("standby");

  EXPECT_THAT(scsi->standing(kernel, "sdq"), FailsWith(ErrorCode::no_such_device, "sdq"));
}

TEST_F(AScsiPath, IsClosedUnlessItIsRunning) {
  for (const auto* state : {"offline", "transport-offline", "blocked", "quiesce", "cancel"}) {
    path().state = state;

    const auto closed = layer().closed;

    ASSERT_TRUE(closed) << state;
    EXPECT_THAT(*closed, ErrorIs(ErrorCode::no_usable_path, state));
    EXPECT_EQ(closed->device, "sda");
  }
}

TEST_F(AScsiPath, IsClosedWhileItsHostRecovers) {
  path().host_state = "recovery";

  EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::no_usable_path, "host1 is 'recovery'"));
}

TEST_F(AScsiPath, IsClosedInAnAluaStateThatCarriesNoCommands) {
  for (const auto* state : {"standby", "unavailable", "offline", "transitioning"}) {
    path().access_state = state;

    ASSERT_TRUE(layer().closed) << state;
    EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::no_usable_path, state));
  }
}

TEST_F(AScsiPath, IsOpenInAnActiveAluaState) {
  for (const auto* state : {"active/optimized", "active/non-optimized", "lba-dependent"}) {
    path().access_state = state;

    EXPECT_EQ(layer().closed, std::nullopt) << state;
  }
}

TEST_F(AScsiPath, AnswersAProbeWithTheTargetsSizeAndIdentity) {
  path().target_size = 20_GiB;

  EXPECT_EQ(probe(), (Truth{20_GiB, volume}));
  EXPECT_THAT(kernel.questions(), ElementsAre("READ CAPACITY(16) sda", "INQUIRY 83 sda"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AScsiPath, CountsBlocksOfTheTargetsOwnLength) {
  path().block_length = 4096;

  EXPECT_EQ(probe(), (Truth{10_GiB, volume}));
}

TEST_F(AScsiPath, IsAskedAgainAfterUnitAttentions) {
  path().sense = {{6, 0x29, 0}, {6, 0x2a, 9}, {6, 0x3f, 0x0e}};

  EXPECT_EQ(probe(), (Truth{10_GiB, volume}));
  EXPECT_THAT(path().sense, IsEmpty());
}

TEST_F(AScsiPath, IsGivenUpWhenUnitAttentionsNeverEnd) {
  path().sense.assign(100, {6, 0x2a, 9});

  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, "06/2A/09"));
  EXPECT_EQ(kernel.questions().size(), 4U);
}

TEST_F(AScsiPath, WhoseIdentityChangedIsSeenByALiveInquiryWhileSysfsKeepsTheOldOne) {
  path().designators = {stranger};

  EXPECT_EQ(probe()->identity, stranger);
  EXPECT_EQ(kernel.read("block/sda/device/wwid"), to_string(volume));
}

TEST_F(AScsiPath, IsAskedForMoreWhenItsIdentificationIsLong) {
  path().designators.assign(20, Wwid{WwidType::t10, std::string(40, 'a')});
  path().designators.push_back(volume);

  EXPECT_EQ(probe(), (Truth{10_GiB, volume}));
  EXPECT_THAT(kernel.questions(),
              ElementsAre("READ CAPACITY(16) sda", "INQUIRY 83 sda", "INQUIRY 83 sda"));
}

TEST_F(AScsiPath, WithoutADesignatorHasNoIdentity) {
  path().designators.clear();

  EXPECT_EQ(probe(), (Truth{10_GiB, std::nullopt}));
}

TEST_F(AScsiPath, WithoutTheIdentificationPageHasNoIdentity) {
  path().refuses_identification = true;

  EXPECT_EQ(probe(), (Truth{10_GiB, std::nullopt}));
}

TEST_F(AScsiPath, WhoseLunIsGoneIsNoSuchDevice) {
  path().unmapped = true;

  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_such_device, "05/25/00"));
}

TEST_F(AScsiPath, ThatIsNotReadyIsOfNoUse) {
  path().sense = {{2, 4, 1}};

  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, "02/04/01"));
}

TEST_F(AScsiPath, WithoutAConnectionIsOfNoUse) {
  path().answers = false;

  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, "READ CAPACITY(16) of sda"));
}

TEST_F(AScsiPath, ThatHangsIsLeftAtTheDeadline) {
  path().hangs = true;
  const auto deadline = soon();

  const auto answer = scsi->probe(kernel, layer(), deadline);

  EXPECT_THAT(answer, FailsWith(ErrorCode::timed_out, "sda"));
  EXPECT_EQ(answer.error().device, "sda");
  EXPECT_EQ(kernel.clock().now(), deadline.at);
}

TEST_F(AScsiPath, ShowsTheNewSizeAfterARescan) {
  path().target_size = 20_GiB;
  const auto before = layer();

  ASSERT_THAT(grow(), Succeeds());

  EXPECT_EQ(scsi->measure(kernel, before, true), (Measurement{20_GiB, before.identity, "running"}));
  EXPECT_THAT(kernel.changes(), ElementsAre("write block/sda/device/rescan 1"));
}

// Why a path is probed before it is rescanned: sd.c, read_capacity_error.
TEST_F(AScsiPath, LosesItsSizeWhenItIsRescannedAndCannotAnswer) {
  path().answers = false;
  const auto before = layer();

  ASSERT_THAT(grow(), Succeeds());

  EXPECT_EQ(scsi->measure(kernel, before, false)->size, 0_B);
}

// Why success of a rescan proves nothing: on an offline path the kernel says "ok" and does nothing.
TEST_F(AScsiPath, KeepsItsSizeWhenItIsRescannedOffline) {
  path().target_size = 20_GiB;
  path().state = "offline";
  const auto before = layer();

  ASSERT_THAT(grow(), Succeeds());

  EXPECT_EQ(scsi->measure(kernel, before, false),
            (Measurement{10_GiB, before.identity, "offline"}));
}

TEST_F(AScsiPath, IsNotRescannedWhenNoTimeIsLeft) {
  const auto now = Deadline{kernel.clock().now()};

  EXPECT_THAT(scsi->grow(kernel, layer(), 20_GiB, now), FailsWith(ErrorCode::timed_out, "sda"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AScsiPath, SaysWhatWentWrongWithARescan) {
  path().growth_errno = EACCES;

  const auto failed = grow();

  EXPECT_THAT(failed, FailsWith(ErrorCode::internal, "rescan of sda"));
  EXPECT_EQ(failed.error().error_number, EACCES);
}

TEST_F(AScsiPath, ThatVanishedIsNoSuchDeviceForEveryQuestion) {
  const auto before = layer();
  kernel.remove_device("sda");

  EXPECT_THAT(scsi->probe(kernel, before, soon()), FailsWith(ErrorCode::no_such_device, ""));
  EXPECT_THAT(scsi->grow(kernel, before, 20_GiB, soon()), FailsWith(ErrorCode::no_such_device, ""));
  EXPECT_THAT(scsi->measure(kernel, before, false), FailsWith(ErrorCode::no_such_device, ""));
}

}  // namespace
}  // namespace volgrow
