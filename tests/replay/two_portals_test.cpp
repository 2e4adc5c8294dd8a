// SPDX-License-Identifier: Apache-2.0
// A host whose volumes come over two portals of one target: two maps, and a disk beside them.
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

const std::string target = "iqn.2001-04.com.example:target-1";

class TheHostWithTwoPortals : public ARecordedHost {
 protected:
  TheHostWithTwoPortals() : ARecordedHost(std::string("lab-two-portals")) {}

  const std::vector<Layer> volume{
      iscsi_path("sda", {makedev(8, 0), 15}, "0:0:0:0", "192.0.2.1:3260," + target, 1_GiB),
      iscsi_path("sdc", {makedev(8, 32), 17}, "1:0:0:0", "192.0.2.2:3260," + target, 1_GiB),
      multipath_map("dm-1", {makedev(253, 1), 20}, "360000000000000000000000000000001", 1_GiB,
                    {"sda", "sdc"}),
  };
  const std::vector<Layer> disk{
      iscsi_path("sde", {makedev(8, 64), 21}, "2:0:0:0",
                 "192.0.2.3:3260,iqn.2001-04.com.example:target-2", 1_GiB),
  };
};

TEST_F(TheHostWithTwoPortals, ShowsOneVolumeUnderEveryNameItHas) {
  for (const auto* name :
       {"wwid:naa.60000000000000000000000000000001", "360000000000000000000000000000001",
        "dm:360000000000000000000000000000001", "dev:dm-1", "dev:sda", "dev:sdc", "/dev/dm-1",
        "/dev/sda", "/dev/mapper/360000000000000000000000000000001",
        "/dev/disk/by-path/ip-192.0.2.2:3260-iscsi-iqn.2001-04.com.example:target-1-lun-0"})
    EXPECT_THAT(resolved(name), HasLayers(volume)) << name;
}

TEST_F(TheHostWithTwoPortals, ShowsItToAConnectionThatNamesBothPortals) {
  const auto* connection = R"({"driver_volume_type":"iscsi","data":{
      "target_portals":["192.0.2.1:3260","192.0.2.2:3260"],
      "target_iqns":["iqn.2001-04.com.example:target-1","iqn.2001-04.com.example:target-1"],
      "target_luns":[0,0]}})";

  EXPECT_THAT(resolved(connection), HasLayers(volume));
}

TEST_F(TheHostWithTwoPortals, ShowsItToAConnectionThatNamesOnePortal) {
  const auto* connection = R"({"driver_volume_type":"iscsi","data":{
      "target_portal":"192.0.2.2:3260","target_iqn":"iqn.2001-04.com.example:target-1",
      "target_lun":"0"}})";

  EXPECT_THAT(resolved(connection), HasLayers(volume));
}

TEST_F(TheHostWithTwoPortals, HasADiskWithoutAMap) {
  for (const auto* name :
       {"wwid:naa.60000000000000000000000000000003", "dev:sde", "/dev/sde",
        "/dev/disk/by-path/ip-192.0.2.3:3260-iscsi-iqn.2001-04.com.example:target-2-lun-0",
        R"({"driver_volume_type":"iscsi","data":{"target_portal":"192.0.2.3:3260",
               "target_iqn":"iqn.2001-04.com.example:target-2","target_lun":0}})"})
    EXPECT_THAT(resolved(name), HasLayers(disk)) << name;
}

TEST_F(TheHostWithTwoPortals, HasNoSuchUnit) {
  const auto* connection = R"({"driver_volume_type":"iscsi","data":{
      "target_portal":"192.0.2.1:3260","target_iqn":"iqn.2001-04.com.example:target-1",
      "target_lun":2}})";

  EXPECT_THAT(resolved(connection), FailsWith(ErrorCode::no_such_device, "is the volume attached"));
}

}  // namespace
}  // namespace volgrow
