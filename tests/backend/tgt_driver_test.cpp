// SPDX-License-Identifier: Apache-2.0
// The driver "tgt" with a real tgtd on loopback, and libiscsi as the host that uses the volume.
#include <gmock/gmock.h>
#include <iscsi/iscsi.h>

#include <filesystem>

#include "backend/driver.h"
#include "backend/tgt_daemon.h"
#include "connectors/iscsi_probe.h"
#include "tests/connectors/results.h"
#include "tests/fakes/iscsi_target.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string initiator = "iqn.2026-01.org.volgrow:host-1";
const std::string other_initiator = "iqn.2026-01.org.volgrow:host-2";
const Attachment first{"compute-1", initiator};
const Attachment second{"compute-2", other_initiator};
const std::string target_name = "iqn.2026-01.org.volgrow:volume-a";

/// A host that is logged in, until this is destroyed.
class ASession {
 public:
  explicit ASession(const std::string& portal)
      : context_(::iscsi_create_context(initiator.c_str()), ::iscsi_destroy_context) {
    ::iscsi_set_targetname(context_.get(), target_name.c_str());
    ::iscsi_set_session_type(context_.get(), ISCSI_SESSION_NORMAL);
    logged_in_ = ::iscsi_full_connect_sync(context_.get(), portal.c_str(), 1) == 0;
  }
  ASession(const ASession&) = delete;
  ASession& operator=(const ASession&) = delete;
  ~ASession() { ::iscsi_logout_sync(context_.get()); }
  bool logged_in() const { return logged_in_; }

 private:
  std::unique_ptr<iscsi_context, int (*)(iscsi_context*)> context_;
  bool logged_in_ = false;
};

class ATgtBackEnd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto unusable = target.start(); !unusable.empty()) GTEST_SKIP() << unusable;
    settings.name = "lan";
    settings.driver = DriverKind::tgt;
    settings.path = folder.path();
    settings.portal = target.portal();
    settings.control_socket = target.control_socket();
    driver = make_driver(settings, clock);
    ASSERT_THAT(driver->create("a", 64_MiB), Succeeds());
  }
  Deadline soon() const { return within(20s, clock->now()); }
  TgtDaemon tgtd() const { return {settings.control_socket, clock}; }
  std::vector<TgtTarget> targets() const { return tgtd().targets(soon()).value(); }
  /// What a host under this name reads from the volume.
  Result<Bytes> seen_by(const std::string& name) const {
    const auto url = parse_iscsi_url("iscsi://" + target.portal() + "/" + target_name + "/1");
    const auto answer = probe_iscsi({*url, name, nullptr}, soon(), *clock);
    if (!answer) return std::unexpected(answer.error());
    return answer->size;
  }

  TemporaryDirectory folder;
  std::shared_ptr<const Clock> clock = std::make_shared<const SystemClock>();
  testing::IscsiTarget target;
  BackEnd settings;
  std::shared_ptr<const Driver> driver;
};

TEST_F(ATgtBackEnd, CannotGrowInUse) {
  const auto can = driver->capabilities();

  ASSERT_THAT(can, Succeeds());
  EXPECT_EQ(can->driver, "tgt");
  EXPECT_EQ(can->protocol, "iSCSI");
  EXPECT_FALSE(can->in_use_extend);
}

TEST_F(ATgtBackEnd, AnswersAsCindersTgtDoes) {
  const auto connection = driver->export_to("a", first, soon());

  ASSERT_THAT(connection, Succeeds());
  EXPECT_EQ(connection->info,
            Value(Value::Object{{"driver_volume_type", "iscsi"},
                                {"data", Value::Object{{"target_discovered", false},
                                                       {"target_portal", target.portal()},
                                                       {"target_iqn", target_name},
                                                       {"target_lun", std::uint64_t{1}},
                                                       {"volume_id", "a"},
                                                       {"discard", false},
                                                       {"qos_specs", nullptr},
                                                       {"access_mode", "rw"},
                                                       {"encrypted", false},
                                                       {"cacheable", false}}}}));
}

TEST_F(ATgtBackEnd, ShowsItsVolumeToTheHostItIsExportedToAndToNoOther) {
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());

  EXPECT_EQ(seen_by(initiator), 64_MiB);
  EXPECT_FALSE(seen_by(other_initiator));
}

TEST_F(ATgtBackEnd, ExportsTwiceAsOnce) {
  const auto once = driver->export_to("a", first, soon());
  const auto twice = driver->export_to("a", first, soon());

  EXPECT_EQ(once, twice);
  EXPECT_THAT(targets(),
              ElementsAre(TgtTarget{1, target_name, folder / "volume-a", {}, {initiator}}));
}

TEST_F(ATgtBackEnd, ExportsToTwoHostsAndUnexportsFromOne) {
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());
  ASSERT_THAT(driver->export_to("a", second, soon()), Succeeds());
  EXPECT_EQ(seen_by(other_initiator), 64_MiB);

  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});

  EXPECT_FALSE(seen_by(initiator));
  EXPECT_EQ(seen_by(other_initiator), 64_MiB);
}

TEST_F(ATgtBackEnd, KeepsNoTargetForAVolumeThatNobodyHas) {
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());

  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});
  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});

  EXPECT_THAT(targets(), IsEmpty());
}

TEST_F(ATgtBackEnd, GrowsAVolumeThatIsNotExported) {
  EXPECT_EQ(driver->extend("a", 96_MiB, soon()), Measured{96_MiB});
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());

  EXPECT_EQ(seen_by(initiator), 96_MiB);
}

TEST_F(ATgtBackEnd, RefusesToGrowAVolumeThatIsExported) {
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());

  EXPECT_THAT(driver->extend("a", 96_MiB, soon()),
              FailsWith(ErrorCode::busy, "tgtd cannot extend it before it is unexported from"));
  EXPECT_EQ(driver->size("a"), Measured{64_MiB});
  EXPECT_EQ(driver->extend("a", 64_MiB, soon()), Measured{64_MiB});
}

TEST_F(ATgtBackEnd, RemovesNothingThatIsExported) {
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());
  EXPECT_THAT(driver->remove("a", soon()), FailsWith(ErrorCode::busy, "cannot remove it before"));

  ASSERT_THAT(driver->unexport("a", first, soon()), Succeeds());
  EXPECT_EQ(driver->remove("a", soon()), Removed{});
  EXPECT_EQ(driver->remove("a", soon()), Removed{});
}

TEST_F(ATgtBackEnd, TakesNoVolumeFromAHostThatIsLoggedIn) {
  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());
  {
    const ASession session(target.portal());
    ASSERT_TRUE(session.logged_in());

    EXPECT_THAT(driver->unexport("a", first, soon()),
                FailsWith(ErrorCode::busy, "log out there first"));
    EXPECT_THAT(targets(), ElementsAre(TgtTarget{
                               1, target_name, folder / "volume-a", {initiator}, {initiator}}));
  }

  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});
}

TEST_F(ATgtBackEnd, FinishesAnExportThatWasInterrupted) {
  ASSERT_THAT(tgtd().add_target(7, target_name, soon()), Succeeds());

  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());

  EXPECT_THAT(targets(),
              ElementsAre(TgtTarget{7, target_name, folder / "volume-a", {}, {initiator}}));
}

TEST_F(ATgtBackEnd, ClearsAwayAnInterruptedExportBeforeItGrows) {
  ASSERT_THAT(tgtd().add_target(7, target_name, soon()), Succeeds());
  ASSERT_THAT(tgtd().add_volume(7, folder / "volume-a", soon()), Succeeds());

  EXPECT_EQ(driver->extend("a", 96_MiB, soon()), Measured{96_MiB});

  EXPECT_THAT(targets(), IsEmpty());
}

TEST_F(ATgtBackEnd, TakesTheLowestFreeNumberBesideOthersTargets) {
  target.add_target(1, "iqn.2026-01.org.example:else");
  target.add_target(3, "iqn.2026-01.org.example:more");

  ASSERT_THAT(driver->export_to("a", first, soon()), Succeeds());

  EXPECT_EQ(targets().at(1).number, 2);
}

TEST_F(ATgtBackEnd, LeavesATargetAloneThatOffersSomethingElseUnderItsName) {
  target.add_target(1, target_name);
  target.add_lun(1, 1, 32_MiB);

  EXPECT_THAT(driver->export_to("a", first, soon()), FailsWith(ErrorCode::busy, "and not"));
}

TEST_F(ATgtBackEnd, WantsTheNameOfTheInitiator) {
  EXPECT_THAT(driver->export_to("a", {"compute-1", std::nullopt}, soon()),
              FailsWith(ErrorCode::invalid_args, "host compute-1 gave no name"));
}

TEST_F(ATgtBackEnd, ExportsAnIdWithALetterThatTgtdDoesNotTake) {
  ASSERT_THAT(driver->create("a_b", 64_MiB), Succeeds());

  ASSERT_THAT(driver->export_to("a_b", first, soon()), Succeeds());

  EXPECT_EQ(targets().at(0).name, "iqn.2026-01.org.volgrow:volume-a:5fb");
}

TEST_F(ATgtBackEnd, SaysThatTgtdIsNotThere) {
  target.stop();

  EXPECT_THAT(driver->export_to("a", first, soon()),
              FailsWith(ErrorCode::not_initialised, "is the service tgt running?"));
  EXPECT_THAT(driver->extend("a", 96_MiB, soon()),
              FailsWith(ErrorCode::not_initialised, "is the service tgt running?"));
  EXPECT_EQ(driver->size("a"), Measured{64_MiB});
}

}  // namespace
}  // namespace volgrow::backend
