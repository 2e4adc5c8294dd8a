// SPDX-License-Identifier: Apache-2.0
// A host one of whose portals is silent: one map has evicted its dead path, the other has it still.
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

const std::string target = "iqn.2001-04.com.example:target-1";

/// As the kernel shows a path that it has given up.
Layer dead(Layer path) {
  path.state = "transport-offline";
  path.closed =
      Error{ErrorCode::no_usable_path,
            path.device + ": device state is 'transport-offline', not 'running'", path.device, 0};
  return path;
}

Layer lost(Layer path, const std::string& map) {
  path.lost_from = map;
  return path;
}

class TheHostThatLostAPath : public ARecordedHost {
 protected:
  TheHostThatLostAPath() : ARecordedHost(std::string("lab-path-lost")) {}

  const Layer sda =
      iscsi_path("sda", {makedev(8, 0), 15}, "0:0:0:0", "192.0.2.1:3260," + target, 1_GiB);
  const Layer sdb =
      iscsi_path("sdb", {makedev(8, 16), 16}, "0:0:0:1", "192.0.2.1:3260," + target, 1_GiB);
  const Layer sdc =
      dead(iscsi_path("sdc", {makedev(8, 32), 17}, "1:0:0:0", "192.0.2.2:3260," + target, 1_GiB));
  const Layer sdd =
      dead(iscsi_path("sdd", {makedev(8, 48), 18}, "1:0:0:1", "192.0.2.2:3260," + target, 1_GiB));
  const Layer without_it = multipath_map("dm-1", {makedev(253, 1), 20},
                                         "360000000000000000000000000000001", 1_GiB, {"sda"});
  const Layer with_it = multipath_map("dm-0", {makedev(253, 0), 19},
                                      "360000000000000000000000000000002", 1_GiB, {"sdb", "sdd"});
};

TEST_F(TheHostThatLostAPath, ShowsThePathThatWasEvictedAsLost) {
  const std::vector volume{sda, lost(sdc, "dm-1"), without_it};

  for (const auto* name :
       {"wwid:naa.60000000000000000000000000000001", "dm:360000000000000000000000000000001",
        "dev:dm-1", "dev:sda", "/dev/mapper/360000000000000000000000000000001",
        R"({"driver_volume_type":"iscsi","data":{
            "target_portals":["192.0.2.1:3260","192.0.2.2:3260"],
            "target_iqns":["iqn.2001-04.com.example:target-1","iqn.2001-04.com.example:target-1"],
            "target_luns":[0,0]}})",
        R"({"driver_volume_type":"iscsi","data":{"target_portal":"192.0.2.2:3260",
            "target_iqn":"iqn.2001-04.com.example:target-1","target_lun":0}})"})
    EXPECT_THAT(resolved(name), HasLayers(volume)) << name;
}

TEST_F(TheHostThatLostAPath, ShowsOneThatStayedAsAMemberThatIsClosed) {
  const std::vector volume{sdb, sdd, with_it};

  for (const auto* name : {"wwid:naa.60000000000000000000000000000002",
                           "dm:360000000000000000000000000000002", "dev:dm-0", "dev:sdb", "dev:sdd",
                           R"({"driver_volume_type":"iscsi","data":{
            "target_portals":["192.0.2.1:3260","192.0.2.2:3260"],
            "target_iqns":["iqn.2001-04.com.example:target-1","iqn.2001-04.com.example:target-1"],
            "target_luns":[1,1]}})"})
    EXPECT_THAT(resolved(name), HasLayers(volume)) << name;
}

TEST_F(TheHostThatLostAPath, DoesNotLeadFromAnEvictedPathToItsMap) {
  EXPECT_THAT(resolved("dev:sdc"), HasLayers(std::vector{sdc}));
}

// A session that is down has no peer: the kernel answers ENOTCONN for `address` and `port`.
TEST_F(TheHostThatLostAPath, HasASessionThatIsConnectedToNothing) {
  const auto address = host.read("class/iscsi_connection/connection2:0/address");

  EXPECT_EQ(address.error().error_number, ENOTCONN);
  EXPECT_EQ(host.read("class/iscsi_session/session2/state"), "FREE");
}

}  // namespace
}  // namespace volgrow
