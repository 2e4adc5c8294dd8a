// SPDX-License-Identifier: Apache-2.0
// Actions on a volume as clients see them. refusals.jsonl is what a Cinder 21.3.1 answered, request
// by request; {V} and {A} stand for a volume and an attachment that are there.
#include "control/rest/volume_actions.h"

#include <fstream>

#include "tests/control/attach_api.h"

namespace volgrow::control::rest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AVolumeAction : public AttachApi {
 protected:
  void SetUp() override { given_a_volume({}); }
  void given_status(VolumeStatus status) {
    auto changed = volume();
    changed.status = status;
    ASSERT_TRUE(store().change_volume(changed));
  }
};

std::string replaced(std::string path) {
  for (const auto& [mark, id] : {std::pair("{V}", "v1"), std::pair("{A}", "at-node1")})
    if (const auto at = path.find(mark); at != std::string::npos) path.replace(at, 3, id);
  return path;
}

TEST_F(AVolumeAction, IsRefusedAsARecordedCinderRefusesIt) {
  ASSERT_TRUE(store().add_attachment(an_attachment("at-node1", "v1", "node1")));
  std::ifstream recorded(VOLGROW_SOURCE_DIR "/tests/control/refusals.jsonl");

  std::size_t compared = 0;
  for (std::string line; std::getline(recorded, line); ++compared) {
    const auto row = parse_json(line).value();
    const auto text = [&](std::string_view key) { return *row.find(key)->text(); };
    EXPECT_EQ(answer_to(text("method"), replaced(text("path")), text("body"), text("version")),
              Answered(static_cast<int>(std::get<std::uint64_t>(row.find("status")->data)),
                       to_json(*row.find("answer"))))
        << line;
  }

  EXPECT_EQ(compared, 132U);
  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_THAT(back_ends.calls(), IsEmpty());
}

/// Cinder reads any number of digits; ours are 64 bits, and what is more is a double.
TEST_F(AVolumeAction, RefusesANumberOfMoreThan64BitsInOtherWords) {
  EXPECT_EQ(action(R"({"os-extend": {"new_size": 100000000000000000000}})"),
            bad_request_saying("Invalid input for field/attribute new_size. Value: 1e+20. 1e+20 is "
                               "not of type 'integer', 'string'"));
}

TEST_F(AVolumeAction, AnswersWithAnEmptyBodyAndAllFields) {
  const auto response = response_to("POST", "volumes/v1/action", R"({"os-reserve": null})", "");

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(*response.fields.find("Content-Type"), "application/json");
  EXPECT_EQ(*response.fields.find("OpenStack-API-Version"), "volume 3.0");
  EXPECT_EQ(*response.fields.find("Vary"), "OpenStack-API-Version");
  EXPECT_THAT(*response.fields.find("X-Openstack-Request-Id"), HasSubstr("req-"));
}

TEST_F(AVolumeAction, ReservesAttachesAndDetaches) {
  EXPECT_EQ(action(R"({"os-reserve": {}})"), accepted);
  EXPECT_EQ(action(R"({"os-reserve": {}})"),
            bad_request_saying("Invalid volume: Volume status must be available to reserve, but "
                               "the status is attaching."));
  EXPECT_EQ(action(R"({"os-unreserve": {"x": 1}})"), accepted);
  EXPECT_EQ(action(R"({"os-attach": {"instance_uuid": "7d3ac24e-d2b7-4f1c-b3fe-734445d624ff",
                      "mountpoint": "/dev/vdb", "mode": "ro"}})"),
            accepted);
  EXPECT_EQ(standing(), (Standing{VolumeStatus::in_use, AttachStatus::attached}));
  EXPECT_EQ(attachments().front().attach_mode, "ro");
  EXPECT_EQ(action(R"({"os-begin_detaching": {}})"), accepted);
  EXPECT_EQ(volume().status, VolumeStatus::detaching);
  EXPECT_EQ(action(R"({"os-roll_detaching": {}})"), accepted);
  EXPECT_EQ(action(R"({"os-detach": {"attachment_id": null}})"), accepted);
  EXPECT_EQ(standing(), (Standing{VolumeStatus::available, AttachStatus::detached}));
  EXPECT_EQ(action(R"({"os-detach": {}})"), accepted);
}

TEST_F(AVolumeAction, ShowsHowItAttached) {
  const auto metadata = [&] {
    const auto shown = parse_json(response_to("GET", "volumes/v1").body).value();
    return to_json(*shown.find("volume")->find("metadata"));
  };
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb", "ro"}));

  EXPECT_EQ(metadata(), R"({"readonly":"False","attached_mode":"ro"})");
  ASSERT_EQ(action(R"({"os-detach": {}})"), accepted);
  attached(some_instance, "node1");
  EXPECT_EQ(metadata(), "{}");
}

TEST_F(AVolumeAction, MeetsAnErrorOfCindersInADetachOfNull) {
  EXPECT_EQ(
      action(R"({"os-detach": null})"),
      Answered(
          500,
          R"({"computeFault": {"code": 500, "message": "The server has either erred or is incapable of performing the requested operation."}})"));
}

TEST_F(AVolumeAction, NamesNobodyWhenTheAttachmentIsNotThere) {
  EXPECT_EQ(
      action(R"({"os-detach": {"attachment_id": "00000000-0000-0000-0000-000000000000"}})"),
      Answered(
          409,
          R"({"conflictingRequest": {"code": 409, "message": "ConflictNovaUsingAttachment: Detach volume from instance  using the Compute API"}})"));
}

TEST_F(AVolumeAction, GivesConnectionInfoAndTakesItBack) {
  EXPECT_EQ(action(R"({"os-initialize_connection": {"connector": {"host": "node1"}}})"),
            Answered(200, R"({"connection_info": {"driver_volume_type": "local", "data": {
                "device_path": "/dev/v1-of-node1", "volume_id": "v1", "discard": false,
                "qos_specs": null, "access_mode": "rw", "encrypted": false, "cacheable": false}}})"));
  EXPECT_THAT(exported_to(), ElementsAre("node1"));
  EXPECT_EQ(action(R"({"os-terminate_connection": {"connector": {"host": "node1"}}})"), accepted);
  EXPECT_THAT(exported_to(), IsEmpty());
}

TEST_F(AVolumeAction, DetachesByForceFromWhereverItIs) {
  ASSERT_EQ(action(R"({"os-initialize_connection": {"connector": {"host": "node1"}}})").status,
            200);
  ASSERT_TRUE(attaching->attach(volume(), {some_instance, {}, "/dev/vdb"}));

  EXPECT_EQ(action(R"({"os-force_detach": {"attachment_id": null, "connector": null}})"), accepted);

  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_THAT(exported_to(), IsEmpty());
}

TEST_F(AVolumeAction, ResetsWhatAnAdministratorNames) {
  EXPECT_EQ(action(R"({"os-reset_status": {"status": "ERROR"}})"), accepted);
  EXPECT_EQ(volume().status, VolumeStatus::error);
  EXPECT_EQ(action(R"({"os-reset_status": {"status": "error_deleting"}})"), accepted);
  EXPECT_EQ(action(R"({"os-reset_status": {"status": "detaching"}})"), accepted);
  EXPECT_EQ(action(R"({"os-reset_status": {"status": "in-use"}})"),
            bad_request_saying(
                "Cannot reset-state to in-use because volume does not have any attachments."));
  EXPECT_EQ(action(R"({"os-reset_status": {"status": "available", "attach_status": "detached",
                      "migration_status": "none"}})"),
            accepted);
  EXPECT_EQ(standing(), (Standing{VolumeStatus::available, AttachStatus::detached}));
}

TEST_F(AVolumeAction, IsAdministratorsWhereItIsInCinder) {
  as_member();

  EXPECT_EQ(action(R"({"os-reset_status": {"status": "junk"}})").status, 400);
  EXPECT_EQ(action(R"({"os-reset_status": {"status": "error"}})"),
            forbidden_by("volume_extension:volume_admin_actions:reset_status"));
  EXPECT_EQ(action(R"({"os-force_detach": {}})"),
            forbidden_by("volume_extension:volume_admin_actions:force_detach"));
  EXPECT_EQ(action(R"({"os-force_delete": {}})"),
            forbidden_by("volume_extension:volume_admin_actions:force_delete"));
  EXPECT_EQ(action(R"({"os-reserve": {}})"), accepted);
}

TEST_F(AVolumeAction, IsAskedOfAVolumeThatStrangersCannotSee) {
  as_stranger();

  EXPECT_EQ(action(R"({"os-reserve": {}})"), not_found_saying("Volume v1 could not be found."));
}

TEST_F(AVolumeAction, ObeysThePolicy) {
  given_rule("volume_extension:volume_actions:attach", PolicyRule::deny);

  EXPECT_EQ(action(R"({"os-attach": {"host_name": "h", "mountpoint": "/mnt"}})"),
            forbidden_by("volume_extension:volume_actions:attach"));
}

TEST_F(AVolumeAction, SetsFlags) {
  EXPECT_EQ(action(R"({"os-set_bootable": {"bootable": "on"}})"), Answered(200, ""));
  EXPECT_TRUE(volume().bootable);
  EXPECT_EQ(action(R"({"os-update_readonly_flag": {"readonly": "True"}})"), accepted);
  EXPECT_TRUE(volume().readonly);
  EXPECT_EQ(action(R"({"os-attach": {"host_name": "h", "mountpoint": "/mnt"}})"),
            bad_request_saying("Invalid attaching mode 'rw' for volume v1."));
  given_status(VolumeStatus::maintenance);
  EXPECT_EQ(action(R"({"os-set_bootable": {"bootable": false}})"),
            bad_request_saying("Invalid volume: The volume cannot be updated during maintenance."));
  EXPECT_EQ(action(R"({"os-update_readonly_flag": {"readonly": false}})"),
            bad_request_saying("Invalid volume: Volume v1 status must be available to update "
                               "readonly flag, but current status is: maintenance."));
}

TEST_F(AVolumeAction, SaysThatItIsNotServed) {
  EXPECT_EQ(
      action(R"({"os-retype": {"new_type": "x"}})"),
      Answered(
          501,
          R"({"notImplemented": {"code": 501, "message": "Retyping a volume is not supported by this service."}})"));
  EXPECT_EQ(action(R"({"os-reimage": {}})", "3.67"),
            not_found_saying("The resource could not be found."));
  EXPECT_EQ(action(R"({"os-show_image_metadata": {}})"), Answered(200, R"({"metadata": {}})"));
}

// ---- os-extend ----

class AnExtendAction : public AVolumeAction {};

TEST_F(AnExtendAction, IsAcceptedAndGrowsTheVolume) {
  EXPECT_EQ(action(R"({"os-extend": {"new_size": "3\n"}})", "3.42"), accepted);

  EXPECT_EQ(volume().size, 3);
  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(action(R"({"os-extend": {"new_size": 3}})", "3.0"),
            bad_request_saying("Invalid input received: New size for extend must be greater than "
                               "current size. (current: 3, extended: 3)."));
}

TEST_F(AnExtendAction, IsOfAVolumeInUseOnlySince342) {
  attached(some_instance, "node1");
  const std::string body = R"({"os-extend": {"new_size": 2}})";

  EXPECT_EQ(action(body, "3.41"),
            bad_request_saying("Invalid volume: Volume v1 status must be '{'status': "
                               "'available'}' to extend, currently in-use."));
  EXPECT_EQ(action(body, "3.42"), accepted);
  EXPECT_EQ(volume().size, 2);
}

TEST_F(AnExtendAction, ObeysTheRuleForTheStatus) {
  const std::string body = R"({"os-extend": {"new_size": 2}})";
  given_rule("volume:extend_attached_volume", PolicyRule::deny);
  given_status(VolumeStatus::in_use);

  EXPECT_EQ(action(body, "3.42"), forbidden_by("volume:extend_attached_volume"));
  EXPECT_EQ(action(body, "3.41").status, 400);
  given_status(VolumeStatus::available);
  EXPECT_EQ(action(body, "3.42"), accepted);
}

TEST_F(AnExtendAction, IsCompletedSince371) {
  auto told = volume();
  told.backend = "told";
  back_ends.back_ends["told"];
  ASSERT_TRUE(store().change_volume(told));
  ASSERT_EQ(action(R"({"os-extend": {"new_size": 2}})"), accepted);
  const std::string body = R"({"os-extend_volume_completion": {"error": false}})";

  EXPECT_EQ(action(body, "3.70"), not_found_saying("The resource could not be found."));
  EXPECT_EQ(volume().status, VolumeStatus::extending);
  EXPECT_EQ(action(body, "3.71"), accepted);
  EXPECT_EQ(volume().status, VolumeStatus::available);
  EXPECT_EQ(volume().size, 2);
}

TEST_F(AnExtendAction, IsCompletedWithAnError) {
  auto told = volume();
  told.backend = "told";
  back_ends.back_ends["told"];
  ASSERT_TRUE(store().change_volume(told));
  ASSERT_EQ(action(R"({"os-extend": {"new_size": 2}})"), accepted);

  EXPECT_EQ(action(R"({"os-extend_volume_completion": {"error": true}})", "3.71"), accepted);

  EXPECT_EQ(volume().status, VolumeStatus::error_extending);
}

TEST_F(AnExtendAction, IsCompletedByAdministratorsOnly) {
  as_member();

  EXPECT_EQ(action(R"({"os-extend_volume_completion": {}})", "3.71"),
            forbidden_by("volume_extension:volume_admin_actions:extend_volume_completion"));
}

// ---- deletion ----

TEST_F(AVolumeAction, DeletesByForceWithTheFieldsOfAnAction) {
  given_status(VolumeStatus::attaching);

  const auto response = response_to("POST", "volumes/v1/action", R"({"os-force_delete": null})");

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(*response.fields.find("Content-Type"), "application/json");
  EXPECT_EQ(store().volume("v1").value(), std::nullopt);
}

TEST_F(AVolumeAction, LeavesNoExportBehindADeletedVolume) {
  ASSERT_EQ(action(R"({"os-initialize_connection": {"connector": {"host": "node1"}}})").status,
            200);

  EXPECT_EQ(answer_to("DELETE", "volumes/v1").status, 202);

  EXPECT_EQ(back_ends.volumes.count("v1"), 0U);
  EXPECT_EQ(store().volume("v1").value(), std::nullopt);
}

}  // namespace
}  // namespace volgrow::control::rest
