// SPDX-License-Identifier: Apache-2.0
// A host whose maps have the names that multipath counts out: what they are called says nothing of
// what they are.
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

const std::string target = "iqn.2001-04.com.example:target-1";

class TheHostWithFriendlyNames : public ARecordedHost {
 protected:
  TheHostWithFriendlyNames() : ARecordedHost(std::string("lab-friendly-names")) {}

  const std::vector<Layer> mpatha{
      iscsi_path("sda", {makedev(8, 0), 15}, "0:0:0:0", "192.0.2.1:3260," + target, 1_GiB),
      iscsi_path("sdc", {makedev(8, 32), 17}, "1:0:0:0", "192.0.2.2:3260," + target, 1_GiB),
      multipath_map("dm-1", {makedev(253, 1), 20}, "mpatha", 1_GiB, {"sda", "sdc"}),
  };
  const std::vector<Layer> mpathb{
      iscsi_path("sdb", {makedev(8, 16), 16}, "0:0:0:1", "192.0.2.1:3260," + target, 1_GiB),
      iscsi_path("sdd", {makedev(8, 48), 18}, "1:0:0:1", "192.0.2.2:3260," + target, 1_GiB),
      multipath_map("dm-0", {makedev(253, 0), 19}, "mpathb", 1_GiB, {"sdb", "sdd"}),
  };
};

TEST_F(TheHostWithFriendlyNames, ShowsAVolumeByItsAliasAndByItsIdentity) {
  for (const auto* name : {"mpatha", "dm:mpatha", "/dev/mapper/mpatha", "dev:dm-1",
                           "wwid:naa.60000000000000000000000000000001", "dev:sda",
                           R"({"driver_volume_type":"iscsi","data":{
                               "target_portals":["192.0.2.1:3260","192.0.2.2:3260"],
                               "target_iqns":["iqn.2001-04.com.example:target-1",
                                              "iqn.2001-04.com.example:target-1"],
                               "target_luns":[0,0]}})"})
    EXPECT_THAT(resolved(name), HasLayers(mpatha)) << name;
}

TEST_F(TheHostWithFriendlyNames, DoesNotTakeOneForTheOther) {
  for (const auto* name : {"mpathb", "/dev/mapper/mpathb", "dev:dm-0", "/dev/dm-0",
                           "wwid:naa.60000000000000000000000000000002"})
    EXPECT_THAT(resolved(name), HasLayers(mpathb)) << name;
}

TEST_F(TheHostWithFriendlyNames, HasNoMapCalledByItsIdentity) {
  EXPECT_THAT(resolved("dm:360000000000000000000000000000001"),
              FailsWith(ErrorCode::no_such_device, "no device on this host is called"));
}

}  // namespace
}  // namespace volgrow
