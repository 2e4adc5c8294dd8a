// SPDX-License-Identifier: Apache-2.0
// Volumes come to hosts and go again: what Cinder would show after each step, what the back end was
// asked, and what a death in between leaves.
#include "control/attaching.h"

#include "tests/control/attach_flow.h"

namespace volgrow::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Standing in_use{VolumeStatus::in_use, AttachStatus::attached};
constexpr Standing is_attaching{VolumeStatus::attaching, AttachStatus::attaching};
constexpr Standing available{VolumeStatus::available, AttachStatus::detached};

Fault fault(int status, std::string message) {
  return {status, std::move(message), std::nullopt};
}

// ---- the old actions ----

class AnAttachableVolume : public AttachFlow {};

TEST_F(AnAttachableVolume, IsReservedOnceAndUnreservedAgain) {
  given_a_volume({});

  EXPECT_TRUE(attaching->reserve(volume()));
  EXPECT_EQ(volume().status, VolumeStatus::attaching);
  EXPECT_EQ(attaching->reserve(volume()).error(),
            fault(400,
                  "Invalid volume: Volume status must be available to reserve, but the status is "
                  "attaching."));
  EXPECT_TRUE(attaching->unreserve(volume()));
  EXPECT_EQ(standing(), available);
}

TEST_F(AnAttachableVolume, IsReservedByMoreThanOneOnlyWithMultiattach) {
  given_a_volume_that_is(VolumeStatus::in_use, true);

  EXPECT_TRUE(attaching->reserve(volume()));
  EXPECT_EQ(attaching->reserve(volume()).error().message,
            "Invalid volume: Volume status must be available or in-use to reserve, but the status "
            "is attaching.");
}

TEST_F(AnAttachableVolume, GoesBackToInUseWhenUnreservedWithAttachments) {
  given_a_volume({"node1"});
  auto reserved = volume();
  reserved.status = VolumeStatus::attaching;
  ASSERT_TRUE(store().change_volume(reserved));

  EXPECT_TRUE(attaching->unreserve(volume()));

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
}

TEST_F(AnAttachableVolume, IsNotTouchedByAnUnreserveOrARollThatComesTooLate) {
  given_a_volume({});
  const auto before = volume();

  EXPECT_TRUE(attaching->unreserve(volume()));
  EXPECT_TRUE(attaching->roll_detaching(volume()));

  EXPECT_EQ(volume(), before);
}

TEST_F(AnAttachableVolume, BeginsToDetachAndRollsBack) {
  given_a_volume_that_is(VolumeStatus::available);
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb"}));

  EXPECT_TRUE(attaching->begin_detaching(volume()));
  EXPECT_EQ(volume().status, VolumeStatus::detaching);
  EXPECT_EQ(attaching->begin_detaching(volume()).error(),
            fault(400,
                  "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and "
                  "attach_status must be 'attached' to detach."));
  EXPECT_TRUE(attaching->roll_detaching(volume()));
  EXPECT_EQ(standing(), in_use);
}

TEST_F(AnAttachableVolume, KeepsItsStatusWhenItBeginsToDetachWhileItMigrates) {
  given_a_volume_that_is(VolumeStatus::available);
  auto moving = volume();
  moving.migration_status = "migrating";
  ASSERT_TRUE(store().change_volume(moving));

  EXPECT_TRUE(attaching->begin_detaching(volume()));

  EXPECT_EQ(volume().status, VolumeStatus::available);
}

TEST_F(AnAttachableVolume, IsAttachedToAnInstanceWithoutAnExport) {
  given_a_volume({});

  EXPECT_TRUE(attaching->attach(volume(), {some_instance, "Node_1.", "/dev/vdb", "ro"}));
  settle();

  EXPECT_EQ(standing(), in_use);
  ASSERT_THAT(attachments(), SizeIs(1));
  auto expected = attachments().front();
  expected.volume_id = "v1";
  expected.project_id = some_project;
  expected.instance_uuid = some_instance;
  expected.attached_host = "node-1";
  expected.mountpoint = "/dev/vdb";
  expected.attach_status = AttachStatus::attached;
  expected.attach_mode = "ro";
  expected.attach_time = loop.clock().wall();
  expected.connector = expected.connection_info = Value();
  EXPECT_EQ(attachments().front(), expected);
  EXPECT_THAT(back_ends.calls(), IsEmpty());
}

TEST_F(AnAttachableVolume, IsAttachedToTheSameInstanceOnlyOnce) {
  given_a_volume({});
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb"}));

  EXPECT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdc"}));
  EXPECT_THAT(attachments(), SizeIs(1));
  EXPECT_EQ(attaching->attach(volume(), {other_instance, {}, "/dev/vdb"}).error(),
            fault(400,
                  "Invalid volume: volume is already attached and multiple attachments are not "
                  "enabled"));
}

TEST_F(AnAttachableVolume, IsNotAttachedInMaintenanceOrAgainstItsReadOnlyFlag) {
  given_a_volume_that_is(VolumeStatus::maintenance);
  auto read_only = volume();
  read_only.status = VolumeStatus::available;
  read_only.readonly = true;

  EXPECT_EQ(attaching->attach(volume(), {some_instance, {}, "/dev/vdb"}).error(),
            fault(400, "Invalid volume: The volume cannot be attached in maintenance mode."));
  EXPECT_EQ(attaching->attach(read_only, {some_instance, {}, "/dev/vdb"}).error(),
            fault(400, "Invalid attaching mode 'rw' for volume v1."));
}

TEST_F(AnAttachableVolume, IsNotAttachedInTwoModesAtOnce) {
  given_a_volume_that_is(VolumeStatus::available, true);
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb", "ro"}));
  ASSERT_TRUE(attaching->reserve(volume()));

  const auto attached = attaching->attach(volume(), {other_instance, {}, "/dev/vdb", "rw"});

  EXPECT_EQ(attached.error(), fault(400, "Invalid volume: being attached by different mode"));
}

TEST_F(AnAttachableVolume, IsConnectedAndDisconnectedByItsActions) {
  given_a_volume({});
  ASSERT_TRUE(attaching->reserve(volume()));

  const auto info = initialize(a_connector("node1"));

  ASSERT_TRUE(info);
  EXPECT_EQ(*info->find("driver_volume_type")->text(), "local");
  EXPECT_EQ(*info->find("data")->find("access_mode")->text(), "rw");
  EXPECT_THAT(exported_to(), ElementsAre("node1"));
  EXPECT_TRUE(terminate(a_connector("node1")));
  EXPECT_THAT(exported_to(), IsEmpty());
  EXPECT_THAT(recorded(), IsEmpty());
  EXPECT_EQ(standing(), available);
}

TEST_F(AnAttachableVolume, SaysInItsConnectionHowItWasAttached) {
  given_a_volume({});
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb", "ro"}));
  auto type = a_type("t0");
  type.extra_specs["cacheable"] = "<is> True";
  ASSERT_TRUE(store().change_type(type));

  const auto info = initialize(a_connector("node1"));

  EXPECT_EQ(*info->find("data")->find("access_mode"), Value("ro"));
  EXPECT_EQ(*info->find("data")->find("cacheable"), Value(true));
}

TEST_F(AnAttachableVolume, IsTakenFromEveryHostThatItsActionsExportedItTo) {
  given_a_volume({});
  ASSERT_TRUE(initialize(a_connector("node1")));
  ASSERT_TRUE(initialize(a_connector("node2")));

  EXPECT_TRUE(terminate(nullptr));

  EXPECT_THAT(exported_to(), IsEmpty());
}

TEST_F(AnAttachableVolume, IsTakenFromTheInitiatorThatItWasExportedTo) {
  given_a_volume({});
  ASSERT_TRUE(initialize(a_connector("node1")));

  EXPECT_TRUE(terminate(Value::Object{{"host", "node1"}}));

  const auto asked = back_ends.calls_of<backend::Unexport>();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked.front().from, (backend::Attachment{"node1", "iqn.1993-08.org.debian:01:node1"}));
}

TEST_F(AnAttachableVolume, IsTakenFromAHostThatIsOnNoRecord) {
  given_a_volume({});
  back_ends.volumes.at("v1").hosts = {"node1"};

  EXPECT_TRUE(terminate(a_connector("node1")));

  EXPECT_THAT(exported_to(), IsEmpty());
}

TEST_F(AnAttachableVolume, IsTakenFromItsHostWithTheLastDetach) {
  given_a_volume({});
  ASSERT_TRUE(initialize(a_connector("node1")));
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb"}));

  EXPECT_TRUE(detach());

  EXPECT_EQ(standing(), available);
  EXPECT_THAT(attachments(), IsEmpty());
  EXPECT_THAT(exported_to(), IsEmpty());
  EXPECT_THAT(recorded(), IsEmpty());
}

TEST_F(AnAttachableVolume, IsAvailableAfterADetachOfNothing) {
  given_a_volume_that_is(VolumeStatus::error);

  EXPECT_TRUE(detach());

  EXPECT_EQ(standing(), available);
  EXPECT_THAT(back_ends.calls(), IsEmpty());
}

TEST_F(AnAttachableVolume, IsNotConnectedForAHostThatCannotBeNamed) {
  given_a_volume({});

  EXPECT_EQ(
      initialize(Value::Object{{"ip", "192.0.2.1"}}).error(),
      fault(400, "Invalid input received: Connector doesn't have required information: host"));
  EXPECT_EQ(initialize("x").error().status, 400);
}

TEST_F(AnAttachableVolume, IsNotConnectedOverIscsiWithoutAnInitiator) {
  given_a_volume({}, "slow");

  EXPECT_EQ(initialize(Value::Object{{"host", "node1"}}).error(),
            fault(400,
                  "Invalid input received: Connector doesn't have required information: "
                  "initiator"));
}

TEST_F(AnAttachableVolume, TellsWithCindersWordsThatTheBackEndFailed) {
  given_a_volume({});
  back_ends.will_fail("export", ErrorCode::limits_exceeded, "no loop device is left");
  back_ends.will_fail("export", ErrorCode::invalid_args, "'no!de' is not the name of a host");
  back_ends.will_fail("unexport", ErrorCode::internal, "it is stuck");

  EXPECT_EQ(initialize(a_connector("node1")).error(),
            fault(500, "Unable to fetch connection information from backend."));
  EXPECT_EQ(initialize(a_connector("no!de")).error(),
            fault(400, "Invalid input received: 'no!de' is not the name of a host"));
  EXPECT_EQ(terminate(a_connector("node1")).error(),
            fault(500, "Unable to terminate volume connection from backend."));
  EXPECT_THAT(lines.str(), HasSubstr("no loop device is left"));
}

TEST_F(AnAttachableVolume, IsNotTakenFromAHostThatAnAttachmentNeeds) {
  given_a_volume({});
  attached(some_instance, "node1");
  ASSERT_TRUE(initialize(a_connector("node1")));

  EXPECT_TRUE(terminate(a_connector("node1")));

  EXPECT_THAT(exported_to(), ElementsAre("node1"));
  EXPECT_THAT(recorded(), SizeIs(1));
}

TEST_F(AnAttachableVolume, LosesItsAttachmentsWhenAnAdministratorSaysSo) {
  given_a_volume({"node1", "node2"});

  EXPECT_TRUE(attaching->reset(volume(), {VolumeStatus::error, AttachStatus::detached, "none"}));

  EXPECT_EQ(standing(), available);
  EXPECT_THAT(attachments(), IsEmpty());
}

TEST_F(AnAttachableVolume, IsWhatAnAdministratorSays) {
  given_a_volume({});

  EXPECT_TRUE(attaching->reset(volume(), {VolumeStatus::error_deleting, {}, "migrating"}));

  EXPECT_EQ(volume().status, VolumeStatus::error_deleting);
  EXPECT_EQ(volume().migration_status, "migrating");
  EXPECT_TRUE(attaching->reset(volume(), {{}, AttachStatus::attached, "none"}));
  EXPECT_EQ(volume().migration_status, std::nullopt);
  EXPECT_EQ(volume().attach_status, AttachStatus::attached);
}

TEST_F(AnAttachableVolume, GivesUpAnExtendThatWaitsForItsCompletion) {
  given_a_volume({"node1"}, "told");
  ASSERT_TRUE(extend());
  settle();

  ASSERT_TRUE(attaching->reset(volume(), {VolumeStatus::in_use, {}, {}}));

  EXPECT_EQ(gigabytes(), (Usage{1, 0}));
  EXPECT_EQ(volume().previous_status, std::nullopt);
  EXPECT_EQ(extends->complete(volume(), false).error().status, 400);
  ASSERT_TRUE(extend(3));
  EXPECT_EQ(gigabytes(), (Usage{1, 2}));
}

TEST_F(AnAttachableVolume, LeavesAnExtendAloneThatTheBackEndWorksOn) {
  given_a_volume({"node1"});
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  settle();

  ASSERT_TRUE(attaching->reset(volume(), {VolumeStatus::error, {}, {}}));
  EXPECT_EQ(volume().status, VolumeStatus::error);
  EXPECT_EQ(gigabytes(), (Usage{1, 1}));
  back_ends.release();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
}

// ---- attachments ----

class AnAttachment : public AttachFlow {};

TEST_F(AnAttachment, IsReservedConnectedAndComplete) {
  given_a_volume({});

  const auto reserved = create({some_instance, nullptr});
  EXPECT_EQ(standing(), (Standing{VolumeStatus::reserved, AttachStatus::detached}));
  EXPECT_EQ(attachment(reserved->id), *reserved);
  EXPECT_EQ(reserved->attach_mode, "null");
  const auto shown = update(reserved->id, a_connector("node1"));

  auto expected = *reserved;
  expected.connection_info = flat_connection("node1", reserved->id);
  EXPECT_EQ(*shown, expected);
  EXPECT_EQ(standing(), is_attaching);
  expected.attach_status = AttachStatus::attaching;
  expected.connector = a_connector("node1");
  expected.attached_host = "node1";
  expected.mountpoint = "/dev/vdb";
  expected.attach_mode = "rw";
  expected.attach_time = expected.updated_at = loop.clock().wall();
  EXPECT_EQ(attachment(reserved->id), expected);
  EXPECT_THAT(exported_to(), ElementsAre("node1"));

  EXPECT_TRUE(attaching->complete(attachment(reserved->id)));
  EXPECT_EQ(standing(), in_use);
  EXPECT_EQ(attachment(reserved->id).attach_status, AttachStatus::attached);
}

TEST_F(AnAttachment, IsMadeWithItsConnectorAtOnce) {
  given_a_volume({});

  const auto shown = create({some_instance, a_connector("node1"), "ro"});

  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->attach_status, AttachStatus::reserved);
  EXPECT_EQ(shown->attach_time, std::nullopt);
  EXPECT_EQ(shown->attach_mode, "ro");
  EXPECT_EQ(shown->connection_info, flat_connection("node1", shown->id));
  EXPECT_EQ(attachment(shown->id).attach_status, AttachStatus::attaching);
  EXPECT_EQ(attachment(shown->id).attach_mode, "ro");
  EXPECT_EQ(standing(), is_attaching);
}

TEST_F(AnAttachment, IsReadOnlyWhenItsVolumeIs) {
  given_a_volume({});
  auto read_only = volume();
  read_only.readonly = true;
  ASSERT_TRUE(store().change_volume(read_only));

  const auto shown = create({some_instance, a_connector("node1"), "rw"});

  EXPECT_EQ(shown->attach_mode, "ro");
  EXPECT_EQ(attachment(shown->id).attach_mode, "ro");
  EXPECT_EQ(shown->connection_info, flat_connection("node1", shown->id, "ro"));
}

TEST_F(AnAttachment, IsRefusedInOtherStatuses) {
  given_a_volume_that_is(VolumeStatus::extending);
  EXPECT_EQ(create({some_instance, nullptr}).error(),
            fault(400,
                  "Invalid volume: Volume v1 status must be available or downloading to reserve, "
                  "but the current status is extending."));

  auto failed = volume();
  failed.status = VolumeStatus::error_extending;
  ASSERT_TRUE(store().change_volume(failed));
  EXPECT_EQ(create({some_instance, nullptr}).error(),
            fault(400,
                  "Invalid volume: Volume attachments can not be created if the volume is in an "
                  "error state. The Volume v1 currently has a status of: error_extending "));
}

TEST_F(AnAttachment, MayBeASecondOneForTheSameInstance) {
  given_a_volume({});
  attached(some_instance, "node1");

  EXPECT_TRUE(create({some_instance, nullptr}));
  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(create({other_instance, nullptr}).error().message,
            "Invalid volume: Volume v1 status must be available or downloading to reserve, but "
            "the current status is in-use.");
}

TEST_F(AnAttachment, IsNotConnectedBesideAnotherConnectedOne) {
  given_a_volume({});
  attached(some_instance, "node1");
  const auto second = create({some_instance, nullptr});

  EXPECT_EQ(update(second->id, a_connector("node2")).error(),
            fault(500,
                  "Unable to update attachment.(Invalid volume: duplicate connectors detected on "
                  "volume v1)."));
  EXPECT_EQ(update(second->id, Value::Object{{"a", "b"}}).error(),
            fault(500, "Unable to update the attachment."));
  EXPECT_THAT(exported_to(), ElementsAre("node1"));
}

TEST_F(AnAttachment, IsConnectedOnlyOnceByTwoWhoTryAtTheSameTime) {
  given_a_volume({});
  const auto first = create({some_instance, nullptr});
  const auto second = create({some_instance, nullptr});
  back_ends.will_wait("export");

  std::vector<Outcome<Attachment>> answers;
  const auto kept = [&](Outcome<Attachment> answer) { answers.push_back(std::move(answer)); };
  attaching->update(attachment(first->id), a_connector("node1"), kept);
  attaching->update(attachment(second->id), a_connector("node2"), kept);
  settle();
  EXPECT_THAT(answers, IsEmpty());
  back_ends.release();
  settle();

  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_TRUE(answers.front());
  EXPECT_THAT(answers.back().error().message, HasSubstr("duplicate connectors"));
  EXPECT_THAT(exported_to(), ElementsAre("node1"));
}

TEST_F(AnAttachment, StaysReservedWhenItsExportFails) {
  given_a_volume({});
  back_ends.will_fail("export", ErrorCode::internal, "the loop is broken");

  const auto made = create({some_instance, a_connector("node1")});

  EXPECT_EQ(made.error(),
            fault(500,
                  "Unable to create attachment for volume (Bad or unexpected response from the "
                  "storage volume backend API: Driver initialize connection failed (error: the "
                  "loop is broken).)."));
  EXPECT_EQ(standing(), (Standing{VolumeStatus::reserved, AttachStatus::detached}));
  ASSERT_THAT(attachments(), SizeIs(1));
  EXPECT_EQ(attachments().front().attach_status, AttachStatus::reserved);
  EXPECT_TRUE(attachments().front().connector.is_null());
}

TEST_F(AnAttachment, LeavesNothingExportedWhenItIsRemovedAfterAnExportOfNoAnswer) {
  given_a_volume({});
  back_ends.will_hang("export", true);
  std::optional<Outcome<Attachment>> answer;
  attaching->create(volume(), {some_instance, a_connector("node1")},
                    [&](Outcome<Attachment> came) { answer = std::move(came); });
  settle_until_waiting();
  pass(config.request_time);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().status, 500);
  EXPECT_THAT(exported_to(), ElementsAre("node1"));

  EXPECT_THAT(remove(attachments().front().id).value(), IsEmpty());

  EXPECT_THAT(exported_to(), IsEmpty());
  EXPECT_EQ(standing(), available);
}

TEST_F(AnAttachment, IsConnectedWhenTheBackEndComesBackAtOnce) {
  given_a_volume({});
  back_ends.will_lose_the_answer("export");

  EXPECT_TRUE(create({some_instance, a_connector("node1")}));

  EXPECT_THAT(back_ends.calls(), SizeIs(2));
  EXPECT_EQ(standing(), is_attaching);
}

TEST_F(AnAttachment, IsNotConnectedToABackEndThatIsGone) {
  given_a_volume({});
  back_ends.will_lose_the_answer("export");
  back_ends.will_lose_the_answer("export");

  EXPECT_EQ(create({some_instance, a_connector("node1")}).error().status, 500);
}

TEST_F(AnAttachment, TakesTheExportAlongOnlyAsTheLastOneOnItsHost) {
  given_a_volume_that_is(VolumeStatus::available, true);
  const auto first = attached(some_instance, "node1");
  const auto second = attached(other_instance, "node1");

  const auto left = remove(first);
  EXPECT_EQ(left->front().id, second);
  EXPECT_THAT(exported_to(), ElementsAre("node1"));
  EXPECT_EQ(standing(), in_use);
  EXPECT_THAT(remove(second).value(), IsEmpty());

  EXPECT_THAT(exported_to(), IsEmpty());
  EXPECT_THAT(back_ends.calls_of<backend::Unexport>(), SizeIs(1));
  EXPECT_THAT(recorded(), IsEmpty());
  EXPECT_EQ(standing(), available);
}

TEST_F(AnAttachment, LeavesTheOtherHostsTheirs) {
  given_a_volume_that_is(VolumeStatus::available, true);
  const auto first = attached(some_instance, "node1");
  attached(other_instance, "node2");

  EXPECT_TRUE(remove(first));

  EXPECT_THAT(exported_to(), ElementsAre("node2"));
}

TEST_F(AnAttachment, StaysWhenItsExportCannotEnd) {
  given_a_volume({});
  const auto id = attached(some_instance, "node1");
  back_ends.will_fail("unexport", ErrorCode::busy, "node1 is still logged in");

  EXPECT_EQ(remove(id).error(), server_fault().error());
  EXPECT_EQ(standing(), in_use);
  EXPECT_THAT(recorded(), SizeIs(1));
  EXPECT_THAT(lines.str(), HasSubstr("node1 is still logged in"));

  EXPECT_TRUE(remove(id));
  EXPECT_EQ(standing(), available);
}

TEST_F(AnAttachment, IsNotFoundByWhoeverRemovesItSecond) {
  given_a_volume({});
  const auto id = attached(some_instance, "node1");
  back_ends.will_wait("unexport");

  std::vector<Outcome<std::vector<Attachment>>> answers;
  const auto kept = [&](Outcome<std::vector<Attachment>> came) { answers.push_back(came); };
  const auto twice = attachment(id);
  attaching->remove(admin, twice, kept);
  attaching->remove(admin, twice, kept);
  settle();
  back_ends.release();
  settle();

  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_TRUE(answers.front());
  EXPECT_EQ(
      answers.back().error(),
      fault(404, "Volume attachment could not be found with filter: attachment_id = " + id + "."));
}

TEST_F(AnAttachment, IsNovasToEndAndAnAdministrators) {
  given_a_volume({});
  const auto id = attached(some_instance, "node1");
  const auto refused = fault(409, "ConflictNovaUsingAttachment: Detach volume from instance " +
                                      some_instance + " using the Compute API");

  const auto removed = answer_of<std::vector<Attachment>>(
      [&](auto then) { attaching->remove(member, attachment(id), std::move(then)); });
  const auto detached =
      answer_of<void>([&](auto then) { attaching->detach(member, volume(), id, std::move(then)); });
  const auto terminated = answer_of<void>([&](auto then) {
    attaching->terminate_connection(member, volume(), a_connector("node1"), std::move(then));
  });

  EXPECT_EQ(removed.error(), refused);
  EXPECT_EQ(detached.error(), refused);
  EXPECT_EQ(terminated.error(), refused);
  EXPECT_TRUE(detach(id));
}

TEST_F(AnAttachment, MustBeNamedWhenThereAreSeveralAndMustBeThere) {
  given_a_volume({"node1", "node2"});
  const auto nobody = fault(409,
                            "ConflictNovaUsingAttachment: Detach volume from instance  using the "
                            "Compute API");

  EXPECT_EQ(detach().error(), nobody);
  EXPECT_EQ(detach("junk").error(), nobody);
  EXPECT_TRUE(detach("at-node1"));
  EXPECT_EQ(volume().status, VolumeStatus::in_use);
}

TEST_F(AnAttachment, IsNotDetachedFromAnotherVolume) {
  given_a_volume({"node1"});
  ASSERT_TRUE(store().add_volume(a_volume("v2")));
  const auto other = store().volume("v2").value().value();

  const auto detached = answer_of<void>(
      [&](auto then) { attaching->detach(admin, other, "at-node1", std::move(then)); });

  EXPECT_EQ(detached.error(),
            fault(400, "Invalid input received: Mismatched volume and attachment"));
}

TEST_F(AnAttachment, LosesItsExportWhenAnAdministratorForgotItMeanwhile) {
  given_a_volume({});
  back_ends.will_wait("export");
  std::optional<Outcome<Attachment>> answer;
  attaching->create(volume(), {some_instance, a_connector("node1")},
                    [&](Outcome<Attachment> came) { answer = std::move(came); });
  settle();

  ASSERT_TRUE(attaching->reset(volume(), {{}, AttachStatus::detached, {}}));
  back_ends.release();
  settle();

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().status, 500);
  EXPECT_THAT(exported_to(), IsEmpty());
  EXPECT_THAT(recorded(), IsEmpty());
  EXPECT_EQ(standing(), available);
}

// ---- beside an extend ----

TEST_F(AnAttachment, MayEndWhileItsVolumeIsExtending) {
  given_a_volume({});
  const auto id = attached(some_instance, "node1");
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  settle();

  EXPECT_TRUE(remove(id));
  EXPECT_EQ(standing(), (Standing{VolumeStatus::extending, AttachStatus::detached}));
  back_ends.release();
  settle();

  EXPECT_EQ(standing(), available);
  EXPECT_EQ(volume().size, 2);
  EXPECT_EQ(gigabytes(), (Usage{2, 0}));
  EXPECT_THAT(urls(), IsEmpty());
}

TEST_F(AnAttachment, MayComeWhileItsVolumeIsExtending) {
  given_a_volume({});
  attached(some_instance, "node1");
  const auto second = create({some_instance, nullptr});
  back_ends.will_wait("extend");
  ASSERT_TRUE(extend());
  settle();

  EXPECT_TRUE(attaching->complete(attachment(second->id)));
  EXPECT_EQ(volume().status, VolumeStatus::extending);
  back_ends.release();
  settle();

  EXPECT_EQ(volume().status, VolumeStatus::in_use);
  EXPECT_EQ(volume().size, 2);
}

// ---- deaths ----

TEST_F(AnAttachment, IsAskedOfTheBackEndOnlyWhenItsHostIsOnRecord) {
  given_a_volume({});

  attaching->create(volume(), {some_instance, a_connector("node1")}, [](auto&&) {});

  EXPECT_THAT(back_ends.calls(), IsEmpty());
  settle();
  EXPECT_THAT(back_ends.calls(), SizeIs(1));
}

TEST_F(AnAttachment, CanBeConnectedAgainAfterADeathBehindTheExport) {
  given_a_volume({});
  const auto reserved = create({some_instance, nullptr});
  back_ends.will_hang("export", true);
  attaching->update(attachment(reserved->id), a_connector("node1"), [](auto&&) {});
  settle_until_waiting();

  restart_attaching();
  EXPECT_THAT(exported_to(), ElementsAre("node1"));
  EXPECT_EQ(attachment(reserved->id).attach_status, AttachStatus::reserved);

  EXPECT_TRUE(update(reserved->id, a_connector("node1")));
  EXPECT_EQ(standing(), is_attaching);
  EXPECT_THAT(recorded(), SizeIs(1));
}

TEST_F(AnAttachment, IsRemovedWithItsExportAfterADeathBehindTheExport) {
  given_a_volume({});
  back_ends.will_hang("export", true);
  attaching->create(volume(), {some_instance, a_connector("node1")}, [](auto&&) {});
  settle_until_waiting();

  restart_attaching();
  EXPECT_TRUE(remove(attachments().front().id));

  EXPECT_THAT(exported_to(), IsEmpty());
  EXPECT_EQ(standing(), available);
}

TEST_F(AnAttachment, IsRemovedByARepeatAfterADeathBehindTheUnexport) {
  given_a_volume({});
  const auto id = attached(some_instance, "node1");
  back_ends.will_hang("unexport", true);
  attaching->remove(admin, attachment(id), [](auto&&) {});
  settle_until_waiting();

  restart_attaching();
  EXPECT_EQ(standing(), in_use);  // what remains: it is not exported any more, and says so nowhere
  EXPECT_THAT(exported_to(), IsEmpty());

  EXPECT_TRUE(remove(id));
  EXPECT_EQ(standing(), available);
  EXPECT_THAT(recorded(), IsEmpty());
}

TEST_F(AnAttachment, IsNotAnsweredBeforeItIsDurable) {
  given_a_volume({});
  commits->flush();
  bool answered = false;
  attaching->create(volume(), {some_instance, a_connector("node1")}, [&](auto&&) {
    commits->after([&](const Result<void>& durable) { answered = durable.has_value(); });
    EXPECT_FALSE(answered);
  });
  settle();
  ASSERT_TRUE(answered);

  restart_attaching();

  EXPECT_EQ(standing(), is_attaching);
}

// ---- rules ----

TEST(TheStandingOfAVolume, IsThatOfItsFirstAttachmentByName) {
  const auto with = [](std::vector<AttachStatus> statuses) {
    std::vector<Attachment> attachments(statuses.size());
    for (std::size_t i = 0; i < statuses.size(); ++i)
      attachments[i].attach_status = statuses[i];
    return standing_of(attachments);
  };

  EXPECT_EQ(with({}), available);
  EXPECT_EQ(with({AttachStatus::error_attaching}), available);
  EXPECT_EQ(with({AttachStatus::error_attaching, AttachStatus::attached}), in_use);
  EXPECT_EQ(with({AttachStatus::reserved, AttachStatus::attaching}), is_attaching);
  EXPECT_EQ(with({AttachStatus::reserved}),
            (Standing{VolumeStatus::reserved, AttachStatus::reserved}));
  EXPECT_EQ(with({AttachStatus::attaching, AttachStatus::attached}), in_use);
}

TEST(TheStandingOfAVolume, IsNotAvailableWhileAMigrationOrAnUploadNeedsIt) {
  auto uploading = a_volume("v1");
  uploading.status = VolumeStatus::uploading;
  auto migrating = a_volume("v1");
  migrating.status = VolumeStatus::detaching;
  migrating.migration_status = "migrating";
  auto migrated = migrating;
  migrated.migration_status = "success";

  EXPECT_EQ(without_one(uploading, {}).status, VolumeStatus::uploading);
  EXPECT_EQ(without_one(migrating, {}).status, VolumeStatus::detaching);
  EXPECT_EQ(without_one(migrated, {}).status, VolumeStatus::available);
}

TEST(TheNameOfAHost, IsMadeWhatCinderMakesOfIt) {
  EXPECT_EQ(sanitized_host_name("Node_1 a.Example.org."), "node-1-a.example.org");
  EXPECT_EQ(sanitized_host_name("h_h!"), "h-h");
  EXPECT_EQ(sanitized_host_name("-.-"), "");
}

TEST(ATurn, ComesWhenTheOneBeforeItHasEnded) {
  Turns turns;
  std::string order;
  std::optional<Turns::Turn> first;

  turns.take("a", [&](Turns::Turn turn) { first.emplace(std::move(turn)); });
  for (const char name : {'1', '2'})
    turns.take("a", [&order, name](const Turns::Turn&) { order += name; });
  turns.take("b", [&order](const Turns::Turn&) { order += 'b'; });
  EXPECT_EQ(order, "b");
  first.reset();

  EXPECT_EQ(order, "b12");
}

TEST(ATurn, MayEndAfterTheTurnsThemselves) {
  std::optional<Turns::Turn> kept;
  {
    Turns turns;
    turns.take("a", [&](Turns::Turn turn) { kept.emplace(std::move(turn)); });
  }

  kept.reset();
}

}  // namespace
}  // namespace volgrow::control
