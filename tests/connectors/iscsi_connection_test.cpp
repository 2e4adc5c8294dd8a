// SPDX-License-Identifier: Apache-2.0
// Cinder's connection_info of iSCSI volumes: what it means, and what is wrong with one that means
// nothing.
#include "connectors/iscsi_connection.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

using testing::ElementsAre;

const IscsiPortal first{"10.0.0.1", 3260};
const IscsiPortal second{"10.0.0.2", 3260};

Result<IscsiConnection> read(const std::string& data) {
  const auto info = parse_connection_info(R"({"driver_volume_type":"iscsi","data":)" + data + "}");
  if (!info) return std::unexpected(info.error());
  return parse_iscsi_connection(*info);
}

std::vector<IscsiUnit> units(const std::string& data) {
  const auto connection = read(data);
  EXPECT_THAT(connection, Succeeds());
  return connection ? connection->units : std::vector<IscsiUnit>();
}

TEST(AnIscsiConnection, WithSingularKeysMeansATargetThroughAnyPortal) {
  EXPECT_THAT(units(R"({"target_portal":"10.0.0.1:3260","target_iqn":"iqn.a","target_lun":1})"),
              ElementsAre(IscsiUnit{std::nullopt, "iqn.a", 1}));
}

TEST(AnIscsiConnection, WithListsMeansEveryEntryAtItsPlace) {
  EXPECT_THAT(units(R"({"target_portals":["10.0.0.1:3260","10.0.0.2:3260"],
                        "target_iqns":["iqn.a","iqn.b"],"target_luns":[1,"2"]})"),
              ElementsAre(IscsiUnit{first, "iqn.a", 1}, IscsiUnit{second, "iqn.b", 2}));
}

TEST(AnIscsiConnection, WithListsDoesNotLookAtTheSingularKeysBesideThem) {
  EXPECT_THAT(units(R"({"target_portal":"10.9.9.9:1","target_iqn":"iqn.z","target_lun":9,
                        "target_portals":["10.0.0.1:3260"],"target_iqns":["iqn.a"],
                        "target_luns":[1]})"),
              ElementsAre(IscsiUnit{first, "iqn.a", 1}));
}

// os-brick: one LUN stands for all of target_iqns when there is no target_luns.
TEST(AnIscsiConnection, TakesASingularForEveryEntryOfTheLists) {
  EXPECT_THAT(units(R"({"target_portals":["10.0.0.1:3260","10.0.0.2:3260"],
                        "target_iqn":"iqn.a","target_lun":4})"),
              ElementsAre(IscsiUnit{first, "iqn.a", 4}, IscsiUnit{second, "iqn.a", 4}));
  EXPECT_THAT(
      units(R"({"target_portal":"10.0.0.1:3260","target_iqns":["iqn.a","iqn.b"],
                        "target_lun":4})"),
      ElementsAre(IscsiUnit{std::nullopt, "iqn.a", 4}, IscsiUnit{std::nullopt, "iqn.b", 4}));
}

TEST(AnIscsiConnection, TakesNullForAKeyThatIsNotThere) {
  EXPECT_THAT(units(R"({"target_portals":null,"target_iqns":null,"target_luns":null,
                        "addressing_mode":null,
                        "target_portal":"10.0.0.1:3260","target_iqn":"iqn.a","target_lun":0})"),
              ElementsAre(IscsiUnit{std::nullopt, "iqn.a", 0}));
}

TEST(AnIscsiConnection, ComparesTargetNamesInLowerCase) {
  EXPECT_THAT(
      units(R"({"target_portal":"[2001:DB8::1]:3260","target_iqn":"IQN.A","target_lun":0})"),
      ElementsAre(IscsiUnit{std::nullopt, "iqn.a", 0}));
}

TEST(AnIscsiConnection, SaysHowItsLunsAreAddressed) {
  const auto connection = read(R"({"target_portal":"10.0.0.1:3260","target_iqn":"iqn.a",
                                   "target_lun":257,"addressing_mode":"SAM2"})");

  ASSERT_THAT(connection, Succeeds());
  EXPECT_EQ(connection->addressing, LunAddressing::sam2);
}

struct Wrong {
  const char* data;
  const char* words;
};

class AWrongIscsiConnection : public testing::TestWithParam<Wrong> {};

TEST_P(AWrongIscsiConnection, IsRefusedWithTheKeyThatIsWrong) {
  EXPECT_THAT(read(GetParam().data), FailsWith(ErrorCode::bad_connection_info, GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    OfKeys, AWrongIscsiConnection,
    testing::Values(
        Wrong{R"({})", "data.target_portal is missing"},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_lun":1})", "data.target_iqn is missing"},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_iqn":"iqn.a"})",
              "data.target_lun is missing"},
        Wrong{R"({"target_portals":["10.0.0.1:3260"],"target_iqns":["iqn.a"]})",
              "data.target_lun is missing"},
        Wrong{R"({"target_portals":"10.0.0.1:3260","target_iqns":["iqn.a"],"target_lun":1})",
              "data.target_portals is no list"},
        Wrong{R"({"target_portals":[],"target_iqns":[],"target_luns":[]})",
              "data.target_portals is an empty list"},
        Wrong{R"({"target_portals":["10.0.0.1:3260"],"target_iqns":[],"target_luns":[1]})",
              "data.target_iqns is an empty list"},
        Wrong{R"({"target_portals":["10.0.0.1:3260"],"target_iqns":["iqn.a"],"target_luns":[],
                  "target_lun":1})",
              "data.target_luns is an empty list"}));

INSTANTIATE_TEST_SUITE_P(
    OfValues, AWrongIscsiConnection,
    testing::Values(
        Wrong{R"({"target_portals":["10.0.0.1:3260","10.0.0.2:3260"],"target_iqns":["iqn.a"],
                  "target_luns":[1,1]})",
              "data.target_iqns has 1 entries and data.target_portals has 2"},
        Wrong{R"({"target_portals":["10.0.0.1:3260","10.0.0.2:3260"],
                  "target_iqns":["iqn.a","iqn.a"],"target_luns":[1]})",
              "data.target_luns has 1 entries and data.target_portals has 2"},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_iqns":["iqn.a"],"target_luns":[1,2]})",
              "data.target_luns has 2 entries and data.target_iqns has 1"},
        Wrong{R"({"target_portal":"10.0.0.1:x","target_iqn":"iqn.a","target_lun":1})",
              "data.target_portal is malformed"},
        Wrong{R"({"target_portals":["10.0.0.1:3260","[::1"],"target_iqn":"iqn.a","target_lun":1})",
              "data.target_portals[1] is malformed"},
        Wrong{R"({"target_portal":3260,"target_iqn":"iqn.a","target_lun":1})",
              "data.target_portal is no text"},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_iqn":7,"target_lun":1})",
              "data.target_iqn is no text"},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_iqn":"","target_lun":1})",
              "data.target_iqn is \"\""},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_iqn":"iqn.a","target_lun":-1})",
              "data.target_lun is no number"},
        Wrong{R"({"target_portals":["10.0.0.1:3260"],"target_iqns":["iqn.a"],
                  "target_luns":["x"]})",
              "data.target_luns[0] is \"x\""},
        Wrong{R"({"target_portal":"10.0.0.1:3260","target_iqn":"iqn.a","target_lun":1,
                  "addressing_mode":"flat"})",
              "data.addressing_mode is \"flat\""}));

}  // namespace
}  // namespace volgrow
