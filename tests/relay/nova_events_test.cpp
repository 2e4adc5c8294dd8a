// SPDX-License-Identifier: Apache-2.0
// What a request may hold and how it is refused, in the words of nova-api 26.2.2.
#include "relay/nova_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/json.h"

namespace volgrow::relay {
namespace {

constexpr NovaVersion v251{2, 51};
#define SERVER R"("server_uuid": "aaaaaaaa-0000-4000-8000-000000000001")"
#define EVENT R"("name": "volume-extended", )" SERVER
#define VOLUME "4f1a77fa-b724-4099-be5b-19559e801d30"

TEST(AnEventRequest, IsItsEvents) {
  const auto events = parse_events(
      R"({"events": [{)" EVENT R"(, "tag": "vol-1"}, {)" EVENT R"(, "status": "failed"}]})", v251);

  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ(events->at(0).name, "volume-extended");
  EXPECT_EQ(events->at(0).tag, "vol-1");
  EXPECT_EQ(events->at(1).tag, std::nullopt);
}

struct Refused {
  const char* body;
  const char* message;
};

class ARefusedEventRequest : public ::testing::TestWithParam<Refused> {};

TEST_P(ARefusedEventRequest, SaysWhatNovaSays) {
  const auto events = parse_events(GetParam().body, v251);

  ASSERT_FALSE(events);
  EXPECT_EQ(events.error(), (NovaFault{400, GetParam().message}));
}

INSTANTIATE_TEST_SUITE_P(
    AsAWhole, ARefusedEventRequest,
    ::testing::Values(
        Refused{"{", "Malformed request body"}, Refused{"", "None is not of type 'object'"},
        Refused{"[]", "[] is not of type 'object'"},
        Refused{"{}", "'events' is a required property"},
        Refused{R"({"events": []})",
                "Invalid input for field/attribute events. Value: []. [] is too short"},
        Refused{R"({"events": null})",
                "Invalid input for field/attribute events. Value: None. None is not of type "
                "'array'"},
        Refused{R"({"events": {}})",
                "Invalid input for field/attribute events. Value: {}. {} is not of type 'array'"},
        Refused{R"({"events": [{)" EVENT R"(}], "x": 1})",
                "Additional properties are not allowed ('x' was unexpected)"},
        Refused{R"({"y": 1, "events": [{)" EVENT R"(}], "x": 1})",
                "Additional properties are not allowed ('y', 'x' were unexpected)"}));

INSTANTIATE_TEST_SUITE_P(
    ForAnEvent, ARefusedEventRequest,
    ::testing::Values(
        Refused{R"({"events": [{}]})",
                "Invalid input for field/attribute 0. Value: {}. 'server_uuid' is a required "
                "property"},
        Refused{R"({"events": [{)" EVENT R"(}, 7]})",
                "Invalid input for field/attribute 1. Value: 7. 7 is not of type 'object'"},
        Refused{R"({"events": [{)" EVENT R"(, "size": 5}]})",
                "Invalid input for field/attribute 0. Value: {'name': 'volume-extended', "
                "'server_uuid': 'aaaaaaaa-0000-4000-8000-000000000001', 'size': 5}. Additional "
                "properties are not allowed ('size' was unexpected)"},
        Refused{R"({"events": [{"name": "volume-extended", "tag": ")" VOLUME R"("}]})",
                "Invalid input for field/attribute 0. Value: {'name': 'volume-extended', 'tag': "
                "'" VOLUME "'}. 'server_uuid' is a required property"}));

INSTANTIATE_TEST_SUITE_P(
    ForAMember, ARefusedEventRequest,
    ::testing::Values(
        Refused{
            R"({"events": [{"name": "volume-changed", )" SERVER R"(}]})",
            "Invalid input for field/attribute name. Value: volume-changed. 'volume-changed' is "
            "not one of ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', "
            "'network-vif-deleted', 'volume-extended']"},
        Refused{R"({"events": [{)" EVENT R"(, "status": "x"}]})",
                "Invalid input for field/attribute status. Value: x. 'x' is not one of ['failed', "
                "'completed', 'in-progress']"},
        Refused{R"({"events": [{"name": "volume-extended", "server_uuid": "junk"}]})",
                "Invalid input for field/attribute server_uuid. Value: junk. 'junk' is not a "
                "'uuid'"},
        Refused{R"({"events": [{"name": "volume-extended", "server_uuid": null}]})",
                "Invalid input for field/attribute server_uuid. Value: None. None is not of type "
                "'string'"},
        Refused{R"({"events": [{)" EVENT R"(, "tag": null}]})",
                "Invalid input for field/attribute tag. Value: None. None is not of type 'string'"},
        Refused{R"({"events": [{)" EVENT R"(, "tag": 5}]})",
                "Invalid input for field/attribute tag. Value: 5. 5 is not of type 'string'"}));

TEST(AnEventRequest, IsRefusedBelowTheVersionThatKnowsItsEvent) {
  const auto events = parse_events(R"({"events": [{)" EVENT R"(}]})", {2, 50});

  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().message,
            "Invalid input for field/attribute name. Value: volume-extended. 'volume-extended' is "
            "not one of ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', "
            "'network-vif-deleted']");
}

TEST(AnEventRequest, MayNameWhatLaterVersionsKnow) {
  const std::string body = R"({"events": [{"name": "volume-reimaged", )" SERVER R"(}]})";

  EXPECT_FALSE(parse_events(body, {2, 92}));
  EXPECT_TRUE(parse_events(body, {2, 93}));
}

TEST(AnEventsTag, IsAtMost255CharactersLong) {
  const auto body = [](std::size_t length) {
    std::string tag;
    while (tag.size() < 2 * length)
      tag += "ö";
    return R"({"events": [{)" EVENT R"(, "tag": ")" + tag + R"("}]})";
  };

  EXPECT_TRUE(parse_events(body(255), v251));
  EXPECT_FALSE(parse_events(body(256), v251));
}

// ---- answers

std::vector<Event> three_events() {
  return parse_events(R"({"events": [{)" EVENT R"(, "tag": "a"}, {)" EVENT
                      R"(, "tag": "b", "status": "failed"}, {)" EVENT R"(, "tag": "c"}]})",
                      v251)
      .value();
}

TEST(AnAnswerToEvents, RepeatsEachWithItsCode) {
  const auto answer = answer_of(three_events(), {{200, {}}, {200, {}}, {200, {}}});

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(parse_json(answer.body), parse_json(R"({"events": [
                {)" EVENT R"(, "tag": "a", "status": "completed", "code": 200},
                {)" EVENT R"(, "tag": "b", "status": "completed", "code": 200},
                {)" EVENT R"(, "tag": "c", "status": "completed", "code": 200}]})"));
}

TEST(AnAnswerToEvents, IsMultiStatusWhenOneWasRefused) {
  const auto answer = answer_of(three_events(), {{200, {}}, {404, {}}, {422, "a map is odd"}});

  EXPECT_EQ(answer.status, 207);
  EXPECT_EQ(
      parse_json(answer.body),
      parse_json(R"({"events": [
          {)" EVENT R"(, "tag": "a", "status": "completed", "code": 200},
          {)" EVENT R"(, "tag": "b", "status": "failed", "code": 404},
          {)" EVENT
                 R"(, "tag": "c", "status": "failed", "code": 422, "message": "a map is odd"}]})"));
}

TEST(AFault, IsNamedAsInNova) {
  EXPECT_EQ(answer_of(NovaFault{400, "no"}).body, R"({"badRequest":{"code":400,"message":"no"}})");
  EXPECT_EQ(answer_of(NovaFault{406, "no"}).body,
            R"({"computeFault":{"code":406,"message":"no"}})");
  EXPECT_EQ(answer_of(NovaFault{503, "later"}).body,
            R"({"serviceUnavailable":{"code":503,"message":"later"}})");
}

}  // namespace
}  // namespace volgrow::relay
