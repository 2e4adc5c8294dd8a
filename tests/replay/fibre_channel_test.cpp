// SPDX-License-Identifier: Apache-2.0
// A host with two Fibre Channel fabrics and a map over them, beside its iSCSI volumes.
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

Layer fc_path(std::string device, DeviceIdentity identity, std::string address,
              std::string endpoint) {
  auto layer =
      iscsi_path(std::move(device), identity, std::move(address), std::move(endpoint), 512_MiB);
  layer.connector = "fc";
  layer.transport = "fc";
  return layer;
}

class TheHostWithFibreChannel : public ARecordedHost {
 protected:
  TheHostWithFibreChannel() : ARecordedHost(std::string("lab-fibre-channel")) {}

  const std::vector<Layer> volume{
      fc_path("sdf", {makedev(8, 80), 22}, "4:0:0:0", "0x2000000000000006 to 0x2000000000000008"),
      fc_path("sdg", {makedev(8, 96), 23}, "6:0:0:0", "0x200000000000000a to 0x200000000000000c"),
      multipath_map("dm-2", {makedev(253, 2), 24}, "360000000000000000000000000000004", 512_MiB,
                    {"sdf", "sdg"}),
  };
};

TEST_F(TheHostWithFibreChannel, ShowsAVolumeUnderEveryNameItHas) {
  for (const auto* name : {"wwid:naa.60000000000000000000000000000004",
                           "dm:360000000000000000000000000000004", "dev:dm-2", "dev:sdf", "dev:sdg",
                           "/dev/sdg", "/dev/mapper/360000000000000000000000000000004"})
    EXPECT_THAT(resolved(name), HasLayers(volume)) << name;
}

std::string connection(const std::string& data) {
  return R"({"driver_volume_type":"fibre_channel","data":)" + data + "}";
}

TEST_F(TheHostWithFibreChannel, ShowsItToAConnectionThatNamesBothPorts) {
  for (const auto* ports :
       {R"("target_wwn":["2000000000000008","200000000000000C"],"target_lun":0)",
        R"("target_wwns":["20:00:00:00:00:00:00:08","0x200000000000000c"],"target_luns":["0",0])"})
    EXPECT_THAT(resolved(connection(std::string("{") + ports + "}")), HasLayers(volume)) << ports;
}

// One port of the storage leads to one path; the map it is in has the other.
TEST_F(TheHostWithFibreChannel, ShowsItToAConnectionThatNamesOnePort) {
  EXPECT_THAT(resolved(connection(R"({"target_wwn":"200000000000000c","target_lun":0})")),
              HasLayers(volume));
}

TEST_F(TheHostWithFibreChannel, ShowsItToAConnectionWithAMapOfPorts) {
  EXPECT_THAT(resolved(connection(R"({"target_wwn":["2000000000000008","200000000000000c"],
                  "target_lun":0,"initiator_target_map":{
                      "2000000000000006":["2000000000000008"],
                      "200000000000000A":["200000000000000C"]}})")),
              HasLayers(volume));
}

TEST_F(TheHostWithFibreChannel, HasNothingBehindAPairThatAMapDoesNotName) {
  EXPECT_THAT(resolved(connection(R"({"target_wwn":"2000000000000008","target_lun":0,
                  "initiator_target_map":{"200000000000000a":["2000000000000008"]}})")),
              FailsWith(ErrorCode::no_such_device, "is the volume attached"));
}

TEST_F(TheHostWithFibreChannel, HasNoSuchUnit) {
  EXPECT_THAT(resolved(connection(R"({"target_wwn":"2000000000000008","target_lun":1})")),
              FailsWith(ErrorCode::no_such_device, "is the volume attached"));
}

// The ports at the storage's end are in the same machine: a remote port need not lead to a disk.
TEST_F(TheHostWithFibreChannel, HasRemotePortsThatAreInitiators) {
  EXPECT_EQ(host.read("class/fc_remote_ports/rport-3:0-0/roles"), "FCP Initiator");
  EXPECT_EQ(host.read("class/fc_remote_ports/rport-3:0-0/scsi_target_id"), "-1");
  EXPECT_EQ(host.read("class/fc_remote_ports/rport-4:0-0/roles"), "FCP Target, FCP Initiator");
}

}  // namespace
}  // namespace volgrow
