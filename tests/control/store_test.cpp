// SPDX-License-Identifier: Apache-2.0
// The control plane's database: what goes in comes out, usage is counted, pages are whole.
#include "control/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/samples.h"

namespace volgrow::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class Member, class T>
VolumePage where(Member VolumePage::*member, T value) {
  VolumePage page;
  page.*member = std::move(value);
  return page;
}

AttachmentPage of_volume(const std::string& id) {
  AttachmentPage page;
  page.volume_id = id;
  return page;
}

using Pairs = std::map<std::string, std::string>;

class AStore : public testing::Test {
 protected:
  std::vector<std::string> ids(const VolumePage& page) {
    std::vector<std::string> found;
    const auto volumes = store().volumes(page);
    for (const auto& volume : volumes.value())
      found.push_back(volume.id);
    return found;
  }
  Store& store() { return *store_.store; }
  void reopen() { store_.reopen(); }

 private:
  StoreOnDisk store_;
};

TEST_F(AStore, GivesAVolumeBackAsItWasAlsoAfterARestart) {
  auto volume = a_volume("v1");
  volume.name = "dátabase";
  volume.description = "";
  volume.previous_status = VolumeStatus::in_use;
  volume.migration_status = "migrating";
  volume.metadata = {{"a", "1"}, {"b \"q\"", "2"}};
  volume.updated_at = at_second(7);
  volume.bootable = volume.multiattach = volume.readonly = true;

  ASSERT_TRUE(store().add_volume(volume));
  reopen();

  EXPECT_EQ(store().volume("v1").value(), volume);
  EXPECT_EQ(store().volume("v2").value(), std::nullopt);
}

TEST_F(AStore, CountsWhatAProjectUses) {
  ASSERT_TRUE(store().add_type(a_type("fast")));
  ASSERT_TRUE(store().add_volume(a_volume("v1", 4, "fast")));
  ASSERT_TRUE(store().add_volume(a_volume("v2", 6, "fast")));
  auto bigger = a_volume("v2", 8, "fast");
  ASSERT_TRUE(store().change_volume(bigger));
  ASSERT_TRUE(store().remove_volume("v1"));

  const auto usage = store().usage(some_project).value();

  EXPECT_EQ(usage.at("volumes"), (Usage{1, 0}));
  EXPECT_EQ(usage.at("gigabytes"), (Usage{8, 0}));
  EXPECT_EQ(usage.at("volumes_fast name"), (Usage{1, 0}));
  EXPECT_EQ(usage.at("gigabytes_fast name"), (Usage{8, 0}));
  EXPECT_EQ(store().usage("nobody").value().at("gigabytes"), (Usage{0, 0}));
}

TEST_F(AStore, ReservesWhatAnOpenExtendAddsAndNothingOnceItIsClosed) {
  ASSERT_TRUE(store().add_volume(a_volume("v1", 4)));
  const auto id = store().open_extend(an_extend("v1", 4, 10));

  EXPECT_EQ(store().usage(some_project)->at("gigabytes"), (Usage{4, 6}));
  reopen();
  EXPECT_EQ(store().usage(some_project)->at("gigabytes"), (Usage{4, 6}));
  ASSERT_TRUE(store().close_extend(*id));
  EXPECT_EQ(store().usage(some_project)->at("gigabytes"), (Usage{4, 0}));
}

TEST_F(AStore, HasOneOpenExtendAVolumeAtMost) {
  ASSERT_TRUE(store().add_volume(a_volume("v1", 4)));
  ASSERT_TRUE(store().open_extend(an_extend("v1", 4, 10)));

  EXPECT_FALSE(store().open_extend(an_extend("v1", 4, 12)));
  EXPECT_EQ(store().open_extends()->size(), 1U);
}

TEST_F(AStore, GivesAnExtendBackAsItWas) {
  ASSERT_TRUE(store().add_volume(a_volume("v1", 4)));
  auto extend = an_extend("v1", 4, 10);
  extend.id = store().open_extend(extend).value();
  extend.deferred = true;
  ASSERT_TRUE(store().change_extend(extend));
  reopen();

  EXPECT_EQ(store().extend_of("v1").value(), extend);
  EXPECT_THAT(store().open_extends().value(), ElementsAre(extend));
}

TEST_F(AStore, PagesVolumesFromTheNewestWithAMarker) {
  for (int i = 1; i <= 5; ++i)
    ASSERT_TRUE(store().add_volume(a_volume("v" + std::to_string(i), i)));

  EXPECT_THAT(ids({}), ElementsAre("v5", "v4", "v3", "v2", "v1"));
  VolumePage page;
  page.limit = 2;
  page.marker = "v4";
  EXPECT_THAT(ids(page), ElementsAre("v3", "v2"));
  page.offset = 1;
  EXPECT_THAT(ids(page), ElementsAre("v2", "v1"));
  page.marker = "gone";
  EXPECT_EQ(store().volumes(page).error().code, ErrorCode::no_such_volume);
}

TEST_F(AStore, SortsByAnyKeyAndPagesInThatOrder) {
  ASSERT_TRUE(store().add_volume(a_volume("v1", 3)));
  ASSERT_TRUE(store().add_volume(a_volume("v2", 1)));
  ASSERT_TRUE(store().add_volume(a_volume("v3", 3)));
  ASSERT_TRUE(store().add_volume(a_volume("v4", 2)));

  VolumePage page;
  page.sort = {{"size", false}, {"id", true}};
  EXPECT_THAT(ids(page), ElementsAre("v1", "v3", "v4", "v2"));
  page.marker = "v1";
  EXPECT_THAT(ids(page), ElementsAre("v3", "v4", "v2"));
  page.sort = {{"color", true}};
  EXPECT_EQ(store().volumes(page).error().code, ErrorCode::invalid_args);
}

TEST_F(AStore, FindsVolumesByWhatTheyAre) {
  auto red = a_volume("v1");
  red.name = "it's";
  red.metadata = {{"color", "red"}, {"a.b", "\"x\""}};
  ASSERT_TRUE(store().add_volume(red));
  auto other = a_volume("v2");
  other.project_id = "another";
  other.status = VolumeStatus::error;
  ASSERT_TRUE(store().add_volume(other));

  EXPECT_THAT(ids(where(&VolumePage::name, "it's")), ElementsAre("v1"));
  EXPECT_THAT(ids(where(&VolumePage::status, "error")), ElementsAre("v2"));
  EXPECT_THAT(ids(where(&VolumePage::metadata, Pairs{{"color", "red"}, {"a.b", "\"x\""}})),
              ElementsAre("v1"));
  EXPECT_THAT(ids(where(&VolumePage::metadata, Pairs{{"color", "blue"}})), IsEmpty());
  VolumePage mine;
  mine.project_id = "another";
  EXPECT_THAT(ids(mine), ElementsAre("v2"));
  EXPECT_EQ(store().count_volumes({}).value(), 2U);
  EXPECT_EQ(store().count_volumes(mine).value(), 1U);
}

TEST_F(AStore, GivesAnAttachmentBackAsItWas) {
  ASSERT_TRUE(store().add_volume(a_volume("v1")));
  auto attachment = an_attachment("a1", "v1", "node1");
  ASSERT_TRUE(store().add_attachment(attachment));
  attachment.host = {HostState::confirmed, Bytes(5), "why", 3, at_second(9), at_second(10)};
  attachment.attach_time = at_second(3);
  ASSERT_TRUE(store().change_attachment(attachment));
  reopen();

  EXPECT_EQ(store().attachment("a1").value(), attachment);
  EXPECT_THAT(store().attachments_of("v1").value(), ElementsAre(attachment));
  EXPECT_THAT(store().attachments(of_volume("v1")).value(), ElementsAre(attachment));
  EXPECT_THAT(store().attachments(of_volume("v2")).value(), IsEmpty());
  ASSERT_TRUE(store().remove_attachment("a1"));
  EXPECT_THAT(store().attachments_of("v1").value(), IsEmpty());
}

TEST_F(AStore, FindsHostsWhoseReportIsDue) {
  ASSERT_TRUE(store().add_volume(a_volume("v1")));
  auto told = an_attachment("a1", "v1", "node1");
  told.host = {HostState::notified, {}, {}, 0, at_second(1), at_second(10)};
  auto done = an_attachment("a2", "v1", "node2");
  done.host = {HostState::confirmed, {}, {}, 0, at_second(1), {}};
  ASSERT_TRUE(store().add_attachment(told));
  ASSERT_TRUE(store().add_attachment(done));

  EXPECT_EQ(store().next_report_due().value(), at_second(10));
  EXPECT_THAT(store().overdue(at_second(9)).value(), IsEmpty());
  EXPECT_THAT(store().overdue(at_second(10)).value(), ElementsAre(told));
}

TEST_F(AStore, KeepsADeliveryUntilItIsRemoved) {
  auto delivery = a_delivery("v1");
  delivery.id = store().add_delivery(delivery).value();
  delivery.attempts = 2;
  delivery.due = at_second(99);
  ASSERT_TRUE(store().change_delivery(delivery));
  reopen();

  EXPECT_THAT(store().deliveries().value(), ElementsAre(delivery));
  ASSERT_TRUE(store().remove_delivery(delivery.id));
  EXPECT_THAT(store().deliveries().value(), IsEmpty());
}

TEST_F(AStore, StoresAReportOnceWhateverItSaysTheSecondTime) {
  StoredReport report{.host = "node1",
                      .journal = "j",
                      .sequence = 7,
                      .volume_id = "v1",
                      .attachment_id = "a1",
                      .result = "{}",
                      .received_at = at_second(1)};

  EXPECT_TRUE(store().add_report(report).value());
  report.result = "other";
  EXPECT_FALSE(store().add_report(report).value());

  EXPECT_EQ(store().last_report("a1").value()->result, "{}");
  EXPECT_EQ(store().count_reports("v1").value(), 1U);
}

TEST_F(AStore, KeepsTypesWithTheirSpecs) {
  auto type = a_type("fast");
  ASSERT_TRUE(store().add_type(type));
  type.extra_specs = {{"provisioning:max_vol_size", "10"}};
  ASSERT_TRUE(store().change_type(type));

  EXPECT_EQ(store().type("fast").value(), type);
  EXPECT_EQ(store().type_named("fast name").value(), type);
  EXPECT_FALSE(store().type_in_use("fast").value());
  ASSERT_TRUE(store().add_volume(a_volume("v1", 1, "fast")));
  EXPECT_TRUE(store().type_in_use("fast").value());
}

TEST_F(AStore, RemembersLimitsOfAProjectUntilTheyAreRemoved) {
  ASSERT_TRUE(store().set_quota_limit("p", "gigabytes", 10));
  ASSERT_TRUE(store().set_quota_limit("p", "gigabytes", -1));

  EXPECT_EQ(store().quota_limits("p").value(), (std::map<std::string, Gib>{{"gigabytes", -1}}));
  ASSERT_TRUE(store().remove_quota_limits("p"));
  EXPECT_THAT(store().quota_limits("p").value(), IsEmpty());
}

TEST_F(AStore, ForgetsNothingOfAGroupThatWasCommittedAndAllOfOneThatWasNot) {
  ASSERT_TRUE(store().begin());
  ASSERT_TRUE(store().add_volume(a_volume("v1")));
  ASSERT_TRUE(store().commit());
  ASSERT_TRUE(store().begin());
  ASSERT_TRUE(store().add_volume(a_volume("v2")));
  reopen();

  EXPECT_THAT(ids({}), ElementsAre("v1"));
}

TEST_F(AStore, TakesAVolumeAwayWithAllThatBelongsToIt) {
  ASSERT_TRUE(store().add_volume(a_volume("v1")));
  ASSERT_TRUE(store().add_attachment(an_attachment("a1", "v1", "node1")));
  ASSERT_TRUE(store().open_extend(an_extend("v1", 1, 2)));
  ASSERT_TRUE(store().add_delivery(a_delivery("v1")));

  ASSERT_TRUE(store().remove_volume("v1"));

  EXPECT_THAT(ids({}), IsEmpty());
  EXPECT_THAT(store().deliveries().value(), IsEmpty());
  EXPECT_THAT(store().open_extends().value(), IsEmpty());
  EXPECT_EQ(store().usage(some_project)->at("gigabytes"), (Usage{0, 0}));
}

}  // namespace
}  // namespace volgrow::control
