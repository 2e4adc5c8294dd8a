// SPDX-License-Identifier: Apache-2.0
// Cinder's connection_info of Fibre Channel volumes: what it means, and what is wrong with one that
// means nothing.
#include "connectors/fc_connection.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const std::string first = "500a098100000001";
const std::string second = "500a098100000002";

Result<FcConnection> read(const std::string& data) {
  const auto info =
      parse_connection_info(R"({"driver_volume_type":"fibre_channel","data":)" + data + "}");
  if (!info) return std::unexpected(info.error());
  return parse_fc_connection(*info);
}

std::vector<FcUnit> units(const std::string& data) {
  const auto connection = read(data);
  EXPECT_THAT(connection, Succeeds());
  return connection ? connection->units : std::vector<FcUnit>();
}

TEST(AnFcConnection, MayNameOnePort) {
  EXPECT_THAT(units(R"({"target_wwn":"500A098100000001","target_lun":1})"),
              ElementsAre(FcUnit{first, 1}));
}

TEST(AnFcConnection, MayNameSeveralPortsUnderItsSingularKey) {
  EXPECT_THAT(units(R"({"target_wwn":["50:0a:09:81:00:00:00:01","0x500a098100000002"],
                        "target_lun":"3"})"),
              ElementsAre(FcUnit{first, 3}, FcUnit{second, 3}));
}

TEST(AnFcConnection, WithListsMeansEveryEntryAtItsPlace) {
  EXPECT_THAT(units(R"({"target_wwns":["500a098100000001","500a098100000002"],
                        "target_luns":[1,"2"]})"),
              ElementsAre(FcUnit{first, 1}, FcUnit{second, 2}));
  EXPECT_THAT(units(R"({"target_wwn":["500a098100000001","500a098100000002"],
                        "target_lun":[1,2]})"),
              ElementsAre(FcUnit{first, 1}, FcUnit{second, 2}));
}

TEST(AnFcConnection, WithListsDoesNotLookAtTheSingularKeysBesideThem) {
  EXPECT_THAT(units(R"({"target_wwn":"rubbish","target_lun":"rubbish",
                        "target_wwns":["500a098100000001"],"target_luns":[7]})"),
              ElementsAre(FcUnit{first, 7}));
}

TEST(AnFcConnection, WithoutAMapLetsEveryPortOfOursUseIt) {
  const auto connection = read(R"({"target_wwn":"500a098100000001","target_lun":1,
                                   "initiator_target_map":null})");

  ASSERT_THAT(connection, Succeeds());
  EXPECT_THAT(connection->targets_of_initiator, IsEmpty());
  EXPECT_EQ(connection->addressing, LunAddressing::as_given);
}

TEST(AnFcConnection, SaysWhichPortsOfOursReachWhichOfItsOwn) {
  const auto connection = read(R"({"target_wwn":"500a098100000001","target_lun":1,
      "addressing_mode":"SAM2",
      "initiator_target_map":{"21:00:00:24:FF:00:00:01":["500A098100000001","500a098100000002"],
                              "21000024ff000002":"0x500a098100000002",
                              "21000024FF000003":[]}})");

  ASSERT_THAT(connection, Succeeds());
  EXPECT_THAT(connection->targets_of_initiator,
              ElementsAre(Pair("21000024ff000001", ElementsAre(first, second)),
                          Pair("21000024ff000002", ElementsAre(second)),
                          Pair("21000024ff000003", IsEmpty())));
  EXPECT_EQ(connection->addressing, LunAddressing::sam2);
}

TEST(AnFcConnection, JoinsTwoSpellingsOfOneInitiator) {
  const auto connection = read(R"({"target_wwn":"500a098100000001","target_lun":1,
      "initiator_target_map":{"21000024ff000001":["500a098100000001"],
                              "21000024FF000001":["500a098100000002"]}})");

  ASSERT_THAT(connection, Succeeds());
  EXPECT_THAT(connection->targets_of_initiator,
              ElementsAre(Pair("21000024ff000001", ElementsAre(first, second))));
}

TEST(AnFcConnection, IgnoresKeysItDoesNotKnow) {
  EXPECT_THAT(units(R"({"target_wwn":"500a098100000001","target_lun":1,"target_discovered":true,
                        "volume_id":"x","discard":false,"qos_specs":null,"access_mode":"rw"})"),
              ElementsAre(FcUnit{first, 1}));
}

struct Wrong {
  const char* data;
  const char* words;
};

class AWrongFcConnection : public testing::TestWithParam<Wrong> {};

TEST_P(AWrongFcConnection, IsRefusedWithTheKeyThatIsWrong) {
  EXPECT_THAT(read(GetParam().data), FailsWith(ErrorCode::bad_connection_info, GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    OfPorts, AWrongFcConnection,
    testing::Values(
        Wrong{R"({})", "data.target_wwn is missing, and so is data.target_wwns"},
        Wrong{R"({"target_wwn":"500a098100000001"})", "data.target_lun is missing"},
        Wrong{R"({"target_wwns":"500a098100000001","target_lun":1})",
              "data.target_wwns is no list"},
        Wrong{R"({"target_wwns":[],"target_lun":1})", "data.target_wwns is an empty list"},
        Wrong{R"({"target_wwn":[],"target_lun":1})", "data.target_wwn is an empty list"},
        Wrong{R"({"target_wwn":"500a0981","target_lun":1})", "data.target_wwn is \"500a0981\""},
        Wrong{R"({"target_wwn":1,"target_lun":1})", "data.target_wwn is no text"},
        Wrong{R"({"target_wwns":["500a098100000001","x\u001b"],"target_lun":1})",
              "data.target_wwns[1] is \"x\\x1b\", expected a WWN"}));

INSTANTIATE_TEST_SUITE_P(
    OfLuns, AWrongFcConnection,
    testing::Values(
        Wrong{R"({"target_wwns":["500a098100000001","500a098100000002"],"target_luns":[1]})",
              "data.target_luns has 1 entries and data.target_wwns has 2"},
        Wrong{R"({"target_wwns":["500a098100000001"],"target_luns":[1,2]})",
              "data.target_luns has 2 entries and data.target_wwns has 1"},
        Wrong{R"({"target_wwn":["500a098100000001","500a098100000002"],"target_lun":[1]})",
              "data.target_lun has 1 entries and data.target_wwn has 2"},
        Wrong{R"({"target_wwn":"500a098100000001","target_lun":-1})", "data.target_lun is"},
        Wrong{R"({"target_wwns":["500a098100000001"],"target_luns":["x"]})",
              "data.target_luns[0] is \"x\""},
        Wrong{R"({"target_wwn":"500a098100000001","target_lun":1,"addressing_mode":"flat"})",
              "data.addressing_mode is \"flat\""}));

INSTANTIATE_TEST_SUITE_P(
    OfInitiators, AWrongFcConnection,
    testing::Values(
        Wrong{R"({"target_wwn":"500a098100000001","target_lun":1,"initiator_target_map":[]})",
              "data.initiator_target_map is no object"},
        Wrong{R"({"target_wwn":"500a098100000001","target_lun":1,
                  "initiator_target_map":{"host-1":[]}})",
              "data.initiator_target_map has a key that is \"host-1\""},
        Wrong{R"({"target_wwn":"500a098100000001","target_lun":1,
                  "initiator_target_map":{"21000024ff000001":["500a"]}})",
              "data.initiator_target_map.21000024ff000001 is \"500a\""},
        Wrong{R"({"target_wwn":"500a098100000001","target_lun":1,
                  "initiator_target_map":{"21000024ff000001":7}})",
              "data.initiator_target_map.21000024ff000001 is no text"}));

}  // namespace
}  // namespace volgrow
