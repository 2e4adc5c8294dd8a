// SPDX-License-Identifier: Apache-2.0
// A host on whose volumes something stands: a logical volume on a map, LUKS on a disk, a partition
// on another. Whose the top is decides whether the volume can be grown.
#include <fmt/format.h>

#include "tests/replay/replay.h"

namespace volgrow {
namespace {

using testing::ElementsAre;

const std::string pair = "iqn.2001-04.com.example:target-1";

class TheHostWithConsumers : public ARecordedHost {
 protected:
  TheHostWithConsumers() : ARecordedHost(std::string("lab-consumers")) {}

  std::vector<std::string> riders_of(const std::string& name) {
    const auto stack = resolved(name);
    if (!stack) return {stack.error().message};
    std::vector<std::string> riders;
    for (const auto& rider : stack->riders)
      riders.push_back(
          fmt::format("{} {}{}", name_of(rider.kind), rider.device, rider.closed ? " closed" : ""));
    return riders;
  }
};

TEST_F(TheHostWithConsumers, ShowsAVolumeWithoutTheLogicalVolumeOnIt) {
  const std::vector volume{
      iscsi_path("sdb", {makedev(8, 16), 16}, "0:0:0:1", "192.0.2.1:3260," + pair, 1_GiB),
      iscsi_path("sdd", {makedev(8, 48), 18}, "1:0:0:1", "192.0.2.2:3260," + pair, 1_GiB),
      multipath_map("dm-0", {makedev(253, 0), 19}, "360000000000000000000000000000002", 1_GiB,
                    {"sdb", "sdd"}),
  };

  for (const auto* name : {"dev:dm-0", "dev:sdd", "wwid:naa.60000000000000000000000000000002"})
    EXPECT_THAT(resolved(name), HasLayers(volume)) << name;
}

TEST_F(TheHostWithConsumers, ShowsADiskWithoutThePartitionOnIt) {
  const std::vector disk{
      iscsi_path("sde", {makedev(8, 64), 21}, "2:0:0:0",
                 "192.0.2.3:3260,iqn.2001-04.com.example:target-2", 1_GiB),
  };

  for (const auto* name : {"dev:sde", "/dev/sde", "wwid:naa.60000000000000000000000000000003"})
    EXPECT_THAT(resolved(name), HasLayers(disk)) << name;
}

TEST_F(TheHostWithConsumers, DoesNotTakeALogicalVolumeOrAPartitionForAVolume) {
  for (const auto* name : {"dev:dm-3", "dm:name-2", "/dev/mapper/name-2", "/dev/sde1"})
    EXPECT_THAT(resolved(name), FailsWith(ErrorCode::not_supported, "of no kind")) << name;
}

TEST_F(TheHostWithConsumers, SaysThatItCannotGrowWhatIsEncrypted) {
  for (const auto* name : {"dev:sdf", "/dev/sdf", "wwid:naa.60000000000000000000000000000004",
                           R"({"driver_volume_type":"iscsi","data":{"target_lun":1,
                               "target_portal":"192.0.2.3:3260",
                               "target_iqn":"iqn.2001-04.com.example:target-2"}})"})
    EXPECT_THAT(riders_of(name), ElementsAre("crypt dm-2 closed")) << name;
}

TEST_F(TheHostWithConsumers, ShowsWhatStandsOnAVolume) {
  EXPECT_THAT(riders_of("dev:dm-0"), ElementsAre("lvm dm-3"));
  EXPECT_THAT(riders_of("dev:sde"), ElementsAre("partition sde1"));
}

}  // namespace
}  // namespace volgrow
