// SPDX-License-Identifier: Apache-2.0
// A host with two sessions to one portal of one target, over IPv6, and LUNs beyond one byte. Names
// in /dev/disk/by-path have room for one of two such sessions.
#include "tests/replay/replay.h"

#include <fmt/format.h>

namespace volgrow {
namespace {

const std::string portal = "[2001:db8::4]:3260";
const std::string target = "iqn.2001-04.com.example:target-3";
const std::string endpoint = portal + "," + target;

std::string connection(std::string_view lun, std::string_view spelled, std::string_view mode) {
  return fmt::format(
      R"({{"driver_volume_type":"iscsi","data":{{"target_portal":"{}","target_iqn":"{}",)"
      R"("target_lun":{},"addressing_mode":"{}"}}}})",
      spelled, target, lun, mode);
}

/// The same by the plural keys, with the one portal named once.
std::string list(std::string_view lun) {
  return fmt::format(
      R"({{"driver_volume_type":"iscsi","data":{{"target_portals":["{}"],"target_iqns":["{}"],)"
      R"("target_luns":[{}]}}}})",
      portal, target, lun);
}

class TheHostWithTwoSessions : public ARecordedHost {
 protected:
  TheHostWithTwoSessions() : ARecordedHost(std::string("lab-two-sessions")) {}

  const std::vector<Layer> unit_1{
      iscsi_path("sdf", {makedev(8, 80), 23}, "3:0:0:1", endpoint, 512_MiB),
      iscsi_path("sdi", {makedev(8, 128), 26}, "4:0:0:1", endpoint, 512_MiB),
      multipath_map("dm-2", {makedev(253, 2), 29}, "360000000000000000000000000000004", 512_MiB,
                    {"sdf", "sdi"}),
  };
  const std::vector<Layer> unit_256{
      iscsi_path("sdg", {makedev(8, 96), 24}, "3:0:0:256", endpoint, 256_MiB),
      iscsi_path("sdj", {makedev(8, 144), 27}, "4:0:0:256", endpoint, 256_MiB),
      multipath_map("dm-4", {makedev(253, 4), 31}, "360000000000000000000000000000005", 256_MiB,
                    {"sdg", "sdj"}),
  };
  const std::vector<Layer> unit_257{
      iscsi_path("sdh", {makedev(8, 112), 25}, "3:0:0:257", endpoint, 256_MiB),
      iscsi_path("sdk", {makedev(8, 160), 28}, "4:0:0:257", endpoint, 256_MiB),
      multipath_map("dm-3", {makedev(253, 3), 30}, "360000000000000000000000000000006", 256_MiB,
                    {"sdh", "sdk"}),
  };
};

TEST_F(TheHostWithTwoSessions, ShowsEachPathOnceToAConnection) {
  EXPECT_THAT(resolved(connection("1", portal, "SAM")), HasLayers(unit_1));
  EXPECT_THAT(resolved(list("1")), HasLayers(unit_1));
}

TEST_F(TheHostWithTwoSessions, ShowsTheSameVolumeUnderEveryNameItHas) {
  for (const auto* name :
       {"wwid:naa.60000000000000000000000000000006", "dm:360000000000000000000000000000006",
        "dev:dm-3", "dev:sdh", "dev:sdk", "/dev/sdk",
        "/dev/mapper/360000000000000000000000000000006",
        "/dev/disk/by-path/"
        "ip-2001:db8::4:3260-iscsi-iqn.2001-04.com.example:target-3-lun-0x0101000000000000"})
    EXPECT_THAT(resolved(name), HasLayers(unit_257)) << name;
}

TEST_F(TheHostWithTwoSessions, DoesNotTakeUnit257ForUnit1) {
  EXPECT_THAT(resolved(connection("257", portal, "SAM")), HasLayers(unit_257));
  EXPECT_THAT(resolved(connection("\"0x0101000000000000\"", portal, "SAM")), HasLayers(unit_257));
  EXPECT_THAT(resolved(list("257")), HasLayers(unit_257));
}

TEST_F(TheHostWithTwoSessions, HasUnit256AlsoUnderItsFlatNumber) {
  EXPECT_THAT(resolved(connection("256", portal, "SAM2")), HasLayers(unit_256));
  EXPECT_THAT(resolved(connection("16640", portal, "SAM3-flat")), HasLayers(unit_256));
  EXPECT_THAT(resolved(list("256")), HasLayers(unit_256));
}

TEST_F(TheHostWithTwoSessions, KnowsItsPortalInEverySpelling) {
  for (const auto* spelled : {"[2001:DB8::4]:3260", "[2001:db8:0:0:0:0:0:4]:3260", "[2001:db8::4]",
                              "[2001:db8::4]:3260,1"})
    EXPECT_THAT(resolved(connection("1", spelled, "SAM")), HasLayers(unit_1)) << spelled;
}

// The link of a second session replaces that of the first: who goes by names misses half the paths.
TEST_F(TheHostWithTwoSessions, HasOneNameByPathForTwoPaths) {
  const auto link = host.canonical("/dev/disk/by-path/ip-2001:db8::4:3260-iscsi-" + target +
                                   "-lun-0x0100000000000000");

  EXPECT_EQ(link, "/dev/sdj");
}

}  // namespace
}  // namespace volgrow
