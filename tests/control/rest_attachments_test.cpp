// SPDX-License-Identifier: Apache-2.0
// attachments as Nova and people use them, body by body. What is refused for its body alone is in
// rest_actions_test.cpp.
#include "control/rest/attachments.h"

#include <fmt/format.h>

#include "control/cinder_words.h"
#include "tests/control/attach_api.h"

namespace volgrow::control::rest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string some_volume = "cf2dbb56-1c70-4f4d-95ac-cf457ed97cbb";

class Attachments : public AttachApi {
 protected:
  /// v1 has an id that is no UUID, which requests must have.
  void SetUp() override {
    given_a_volume({});
    given_volume(some_volume);
  }
  void given_volume(const std::string& id, const std::string& project = some_project) {
    auto made = a_volume("v1");
    made.id = id;
    made.project_id = project;
    back_ends.volumes[id] = {.size = 1_GiB};
    ASSERT_TRUE(store().add_volume(made));
  }
  Volume made_volume() { return store().volume(some_volume).value().value(); }
  std::vector<Attachment> made() { return store().attachments_of(some_volume).value(); }

  static std::string body_of(const std::string& more, const std::string& instance = some_instance) {
    return fmt::format(R"({{"attachment": {{"volume_uuid": "{}", "instance_uuid": "{}"{}}}}})",
                       some_volume, instance, more);
  }
  static std::string connecting(const std::string& host) {
    return R"({"attachment": {"connector": {"host": ")" + host +
           R"(", "mountpoint": "/dev/vdb"}}})";
  }
  Answered create(const std::string& more, const std::string& version = "3.27") {
    return answer_to("POST", "attachments", body_of(more), version);
  }
  static std::string summary(const Attachment& a, const std::string& status) {
    return fmt::format(R"("id": "{}", "status": "{}", "instance": "{}", "volume_id": "{}")", a.id,
                       status, a.instance_uuid.value_or(""), a.volume_id);
  }
  static std::string detail(const Attachment& a, const std::string& status,
                            const std::string& attached_at, const std::string& mode,
                            const std::string& info) {
    return fmt::format(
        R"({}, "attached_at": "{}", "detached_at": "", "attach_mode": "{}", "connection_info": {})",
        summary(a, status), attached_at, mode, info);
  }
  static std::string info_of(const Attachment& a, const std::string& host) {
    return fmt::format(
        R"({{"device_path": "/dev/{0}-of-{1}", "volume_id": "{0}", "discard": false,
            "qos_specs": null, "access_mode": "rw", "encrypted": false, "cacheable": false,
            "driver_volume_type": "local", "attachment_id": "{2}"}})",
        a.volume_id, host, a.id);
  }
  static Answered one(const std::string& shown) {
    return {200, R"({"attachment": {)" + shown + "}}"};
  }
  static Answered list(const std::vector<std::string>& shown) {
    std::string all;
    for (const auto& each : shown)
      all += (all.empty() ? "{" : ", {") + each + "}";
    return {200, R"({"attachments": [)" + all + "]}"};
  }
  std::string now() { return cinder_time(loop.clock().wall()); }
};

TEST_F(Attachments, AreReservedConnectedCompletedAndDeleted) {
  const auto reserved = create("");
  const auto a = made().front();
  EXPECT_EQ(reserved, one(detail(a, "reserved", "", "null", "{}")));
  const auto path = "attachments/" + a.id;
  EXPECT_EQ(answer_to("GET", path), reserved);
  EXPECT_EQ(made_volume().status, VolumeStatus::reserved);

  EXPECT_EQ(answer_to("PUT", path, connecting("node1"), "3.27"),
            one(detail(a, "reserved", "", "null", info_of(a, "node1"))));
  EXPECT_EQ(answer_to("GET", path), one(detail(a, "attaching", now(), "rw", info_of(a, "node1"))));
  EXPECT_EQ(made_volume().status, VolumeStatus::attaching);

  EXPECT_EQ(answer_to("POST", path + "/action", R"({"os-complete": null})", "3.44"),
            Answered(204, ""));
  EXPECT_EQ(answer_to("GET", path), one(detail(a, "attached", now(), "rw", info_of(a, "node1"))));
  EXPECT_EQ(made_volume().status, VolumeStatus::in_use);

  EXPECT_EQ(answer_to("DELETE", path), list({}));
  EXPECT_EQ(made_volume().status, VolumeStatus::available);
  EXPECT_THAT(back_ends.volumes.at(some_volume).hosts, IsEmpty());
  EXPECT_EQ(answer_to("GET", path),
            not_found_saying(
                "Volume attachment could not be found with filter: attachment_id = " + a.id + "."));
}

TEST_F(Attachments, AreMadeWithAConnectorAtOnce) {
  const auto created = create(R"(, "connector": {"host": "node1"}, "mode": "ro")", "3.54");

  const auto a = made().front();
  EXPECT_EQ(created, one(detail(a, "reserved", "", "ro", info_of(a, "node1"))));
  EXPECT_EQ(answer_to("GET", "attachments/" + a.id),
            one(detail(a, "attaching", now(), "ro", info_of(a, "node1"))));
}

TEST_F(Attachments, ReserveOnlyWithAConnectorOfNothing) {
  EXPECT_EQ(create(R"(, "connector": {})").status, 200);
  EXPECT_EQ(create(R"(, "connector": null)").status, 200);

  EXPECT_THAT(back_ends.calls(), IsEmpty());
}

TEST_F(Attachments, AreUnknownBefore327AndCannotBeCompletedBefore344) {
  const auto none = not_found_saying("The resource could not be found.");
  ASSERT_EQ(create("").status, 200);
  const auto path = "attachments/" + made().front().id;

  EXPECT_EQ(create("", "3.26"), none);
  EXPECT_EQ(answer_to("GET", "attachments", "", "3.26"), none);
  EXPECT_EQ(answer_to("DELETE", path, "", "3.26"), none);
  EXPECT_EQ(answer_to("POST", path + "/action", R"({"os-complete": {}})", "3.43"), none);
  EXPECT_EQ(answer_to("GET", "attachments/summary"), none);
}

TEST_F(Attachments, KnowModeSince354) {
  EXPECT_EQ(create(R"(, "mode": "rw")", "3.53").status, 400);
  EXPECT_EQ(create(R"(, "mode": "rw")", "3.54").status, 200);
}

TEST_F(Attachments, AreRefusedWithCindersWords) {
  ASSERT_EQ(create("").status, 200);
  EXPECT_EQ(answer_to("POST", "attachments", body_of("", other_instance), "3.27"),
            bad_request_saying("Invalid volume: Volume " + some_volume +
                               " status must be available or downloading to reserve, but the "
                               "current status is reserved."));
  back_ends.will_fail("export", ErrorCode::not_initialised, "there is no back end");
  EXPECT_EQ(
      answer_to("PUT", "attachments/" + made().front().id, connecting("node1")),
      Answered(
          500,
          R"({"computeFault": {"code": 500, "message": "Unable to update attachment.(Bad or unexpected response from the storage volume backend API: Driver initialize connection failed (error: there is no back end).)."}})"));
}

TEST_F(Attachments, AreNobodysButTheirProjects) {
  ASSERT_EQ(create(R"(, "connector": {"host": "node1"})").status, 200);
  const auto path = "attachments/" + made().front().id;
  as_stranger();

  EXPECT_EQ(answer_to("GET", path).status, 404);
  EXPECT_EQ(answer_to("PUT", path, connecting("node2")), forbidden_by("volume:attachment_update"));
  EXPECT_EQ(answer_to("DELETE", path), forbidden_by("volume:attachment_delete"));
  EXPECT_EQ(answer_to("POST", path + "/action", R"({"os-complete": {}})"),
            forbidden_by("volume:attachment_complete"));
  EXPECT_EQ(create("").status, 404);
  EXPECT_EQ(answer_to("GET", "attachments"), list({}));
}

TEST_F(Attachments, AreNotTakenFromUnderNova) {
  ASSERT_EQ(create(R"(, "connector": {"host": "node1"})").status, 200);
  as_member();

  EXPECT_EQ(
      answer_to("DELETE", "attachments/" + made().front().id),
      Answered(
          409,
          R"({"conflictingRequest": {"code": 409, "message": "ConflictNovaUsingAttachment: Detach volume from instance e01d2fe8-c9e2-4532-b0a0-23a264869874 using the Compute API"}})"));
}

TEST_F(Attachments, ObeyTheRuleForBootableVolumesOfMany) {
  auto many = made_volume();
  many.multiattach = many.bootable = true;
  many.status = VolumeStatus::in_use;
  ASSERT_TRUE(store().change_volume(many));
  given_rule("volume:multiattach_bootable_volume", PolicyRule::deny);

  EXPECT_EQ(create(""), forbidden_by("volume:multiattach_bootable_volume"));
}

// ---- lists ----

class AListOfAttachments : public Attachments {
 protected:
  void SetUp() override {
    Attachments::SetUp();
    given_volume("7feb842f-cfd6-4eb5-bae6-8d7f4f29c083", "another project");
    add(1, some_volume);
    add(2, some_volume, AttachStatus::reserved);
    add(3, "v1");
    add(4, "7feb842f-cfd6-4eb5-bae6-8d7f4f29c083");
  }
  void add(int number, const std::string& volume, AttachStatus status = AttachStatus::attached) {
    auto one = an_attachment(fmt::format("a{}", number), volume, "node1");
    one.project_id = store().volume(volume)->value().project_id;
    one.attach_status = status;
    one.created_at = at_second(number);
    ASSERT_TRUE(store().add_attachment(one));
  }
  /// The ids in the order of the answer.
  std::vector<std::string> ids(const std::string& query, const std::string& version = "3.70") {
    const auto response = response_to("GET", "attachments" + query, "", version);
    EXPECT_EQ(response.status, 200) << response.body;
    const auto body = parse_json(response.body).value();
    std::vector<std::string> found;
    for (const auto& one : *body.find("attachments")->array())
      found.push_back(*one.find("id")->text());
    return found;
  }
};

TEST_F(AListOfAttachments, IsOfTheProjectNewestFirst) {
  const auto all = store().attachments({}).value();

  EXPECT_EQ(answer_to("GET", "attachments", "", "3.27"),
            list({summary(all.at(1), "attached"), summary(all.at(2), "reserved"),
                  summary(all.at(3), "attached")}));
  EXPECT_THAT(ids("?all_tenants=1"), ElementsAre("a4", "a3", "a2", "a1"));
  EXPECT_THAT(ids("?all_tenants=1&project_id=another+project"), ElementsAre("a4"));
}

TEST_F(AListOfAttachments, IsFilteredByWhatCinderKnows) {
  EXPECT_THAT(ids("?volume_id=" + some_volume), ElementsAre("a2", "a1"));
  EXPECT_THAT(ids("?instance_id=instance-of-a3"), ElementsAre("a3"));
  EXPECT_THAT(ids("?attach_status=reserved"), ElementsAre("a2"));
  EXPECT_THAT(ids("?status=attached"), IsEmpty());
  EXPECT_THAT(ids("?junk=1"), IsEmpty());
}

TEST_F(AListOfAttachments, IsPagedAndSorted) {
  EXPECT_THAT(ids("?limit=1"), ElementsAre("a3"));
  EXPECT_THAT(ids("?limit=1&marker=a3"), ElementsAre("a2"));
  EXPECT_THAT(ids("?offset=1"), ElementsAre("a2", "a1"));
  EXPECT_THAT(ids("?limit=2&sort=created_at:asc"), ElementsAre("a1", "a2"));
  EXPECT_EQ(
      answer_to("GET", "attachments?marker=junk"),
      not_found_saying("Volume attachment could not be found with filter: attachment_id = junk."));
  EXPECT_EQ(answer_to("GET", "attachments?sort=name"),
            bad_request_saying("Invalid input received: Invalid sort key"));
  EXPECT_EQ(answer_to("GET", "attachments?limit=x"),
            bad_request_saying("limit param must be an integer"));
}

TEST_F(AListOfAttachments, HasOnlyEverybodysFiltersForMembers) {
  as_member();

  EXPECT_EQ(answer_to("GET", "attachments?junk=1&attached_host=h&all_tenants=1", "", "3.31"),
            bad_request_saying("Invalid filters attached_host,junk are found in query options."));
  EXPECT_THAT(ids("?all_tenants=1", "3.31"), ElementsAre("a3", "a2", "a1"));
  EXPECT_THAT(ids("?junk=1", "3.30"), ElementsAre("a3", "a2", "a1"));
}

TEST_F(AListOfAttachments, ShowsEverythingInDetail) {
  ASSERT_TRUE(attaching->attach(made_volume(), {"instance-of-old", {}, "/dev/vdc"}));
  const auto shown = answer_to("GET", "attachments/detail?instance_id=instance-of-old");

  AttachmentPage old;
  old.instance_uuid = "instance-of-old";
  const auto one_of_them = store().attachments(old).value().front();
  EXPECT_EQ(shown, list({detail(one_of_them, "attached", now(), "rw", "null")}));
}

}  // namespace
}  // namespace volgrow::control::rest
