// SPDX-License-Identifier: Apache-2.0
// Fibre Channel paths on the kernel that reacts: what they are described as, when they are shut,
// and which of them the connection_info that Cinder makes means.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class AnFcPath : public testing::Test {
 protected:
  AnFcPath() { kernel.add_disk("sdb", {.address = "3:0:1:0", .transport = "fc"}); }

  FakePath& path() { return kernel.path("sdb"); }
  std::string why_closed() {
    const auto described = fc->describe(kernel, "sdb").value();
    return described.closed ? described.closed->message : "it is open";
  }

  FakeKernel kernel;
  std::unique_ptr<Connector> fc = fc_connector();
};

TEST_F(AnFcPath, IsToldFromOtherDisksByItsRemotePort) {
  kernel.add_disk("sdc", {.address = "1:0:0:1", .transport = "iscsi"});
  kernel.add_disk("sdd", {.address = "0:0:0:0"});

  EXPECT_TRUE(fc->claims(kernel, "sdb"));
  EXPECT_FALSE(fc->claims(kernel, "sdc"));
  EXPECT_FALSE(fc->claims(kernel, "sdd"));
}

TEST_F(AnFcPath, IsDescribedWithThePortsAtBothItsEnds) {
  Layer expected;
  expected.connector = "fc";
  expected.kind = LayerKind::path;
  expected.device = "sdb";
  expected.identity = {path().number, path().diskseq};
  expected.address = "3:0:1:0";
  expected.transport = "fc";
  expected.endpoint = "0x21000024ff000001 to 0x500a098100000001";
  expected.state = "running";
  expected.size = 10_GiB;
  expected.has_target = true;

  EXPECT_EQ(fc->describe(kernel, "sdb"), expected);
}

TEST_F(AnFcPath, OfAVirtualPortHasThatPortAtItsEnd) {
  kernel.add_disk("sdc", {.address = "91:0:0:0",
                          .transport = "fc",
                          .initiator_port = "21010024ff000001",
                          .virtual_port = true});
  kernel.set_attribute("class/fc_host/host90/port_name", "0x21000024ff000001");

  EXPECT_EQ(fc->describe(kernel, "sdc")->endpoint, "0x21010024ff000001 to 0x500a098100000001");
}

TEST_F(AnFcPath, WithoutTheNameOfAPortSaysSo) {
  kernel.remove_attribute("class/fc_host/host3/port_name");

  EXPECT_EQ(fc->describe(kernel, "sdb")->endpoint, "? to 0x500a098100000001");
}

TEST_F(AnFcPath, IsClosedUnlessItsRemotePortIsOnline) {
  for (const std::string state : {"Blocked", "Not Present", "Linkdown", "Deleted"}) {
    path().port_state = state;

    EXPECT_EQ(why_closed(),
              "sdb: FC remote port 0x500a098100000001 is '" + state + "', not 'Online'");
  }
}

TEST_F(AnFcPath, IsClosedWhileItsDeviceIsBlockedOrGivenUp) {
  for (const std::string state : {"blocked", "transport-offline"}) {
    path().state = state;

    EXPECT_EQ(why_closed(), "sdb: device state is '" + state + "', not 'running'");
  }
}

TEST_F(AnFcPath, IsClosedInAnAluaStateThatCarriesNoCommands) {
  path().access_state = "unavailable";

  EXPECT_EQ(why_closed(), "sdb: ALUA state is 'unavailable', not active");
}

TEST_F(AnFcPath, IsOpenAgainWhenItsRemotePortIs) {
  path().port_state = "Blocked";
  EXPECT_NE(fc->standing(kernel, "sdb")->closed, std::nullopt);

  path().port_state = "Online";

  EXPECT_EQ(fc->standing(kernel, "sdb")->closed, std::nullopt);
}

const std::string left = "500a098100000001";
const std::string right = "500a098100000002";
const std::string our_left = "21000024ff000001";
const std::string our_right = "21000024ff000002";

/// Two fabrics with a port of ours and one of the storage's in each, and two volumes; a port of
/// other storage; and a disk of this machine.
class AHostWithFcPorts : public testing::Test {
 protected:
  AHostWithFcPorts() {
    add("sda", "3:0:0:1", our_left, left);
    add("sdb", "4:0:0:1", our_right, right);
    add("sdc", "3:0:0:2", our_left, left);
    add("sdd", "3:0:1:1", our_left, "500a0981000000ff");
    kernel.add_disk("sde", {.address = "0:0:0:1"});
  }

  void add(const std::string& name, const std::string& address, const std::string& ours,
           const std::string& theirs) {
    kernel.add_disk(
        name,
        {.address = address, .transport = "fc", .target_port = theirs, .initiator_port = ours});
  }
  Result<std::vector<std::string>> discover(const std::string& data) {
    const auto info =
        parse_connection_info(R"({"driver_volume_type":"fibre_channel","data":)" + data + "}");
    if (!info) return std::unexpected(info.error());
    return fc->discover(kernel, *info);
  }
  /// The devices of LUN `lun` behind both ports of the storage.
  std::vector<std::string> devices(const std::string& lun, const std::string& rest = "") {
    return discover(R"({"target_wwn":[")" + left + R"(",")" + right + R"("],"target_lun":)" + lun +
                    rest + "}")
        .value();
  }
  std::vector<std::string> with_map(const std::string& map) {
    return devices("1", R"(,"initiator_target_map":)" + map);
  }

  FakeKernel kernel;
  std::unique_ptr<Connector> fc = fc_connector();
};

TEST_F(AHostWithFcPorts, SpeaksFibreChannelAlone) {
  EXPECT_TRUE(fc->speaks("fibre_channel"));
  EXPECT_FALSE(fc->speaks("iscsi"));
}

TEST_F(AHostWithFcPorts, FindsEveryPathToTheListedPorts) {
  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb"));
  EXPECT_THAT(devices("2"), ElementsAre("sdc"));
  EXPECT_THAT(devices("3"), IsEmpty());
}

TEST_F(AHostWithFcPorts, FindsNoPathToAPortThatIsNotListed) {
  EXPECT_THAT(discover(R"({"target_wwn":"500A098100000002","target_lun":1})").value(),
              ElementsAre("sdb"));
  EXPECT_THAT(discover(R"({"target_wwn":"500a098100000003","target_lun":1})").value(), IsEmpty());
}

TEST_F(AHostWithFcPorts, TellsAPathByTheLunOfItsPort) {
  EXPECT_THAT(discover(R"({"target_wwns":["50:0a:09:81:00:00:00:01","0x500a098100000002"],
                           "target_luns":[2,1]})")
                  .value(),
              UnorderedElementsAre("sdb", "sdc"));
}

TEST_F(AHostWithFcPorts, FindsTheSamePortThroughEachOfOurs) {
  add("sdf", "5:0:0:1", "21000024ff000003", left);

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb", "sdf"));
}

TEST_F(AHostWithFcPorts, FindsAPathOfAVirtualPort) {
  kernel.add_disk("sdf", {.address = "91:0:0:1",
                          .transport = "fc",
                          .target_port = left,
                          .initiator_port = "21010024ff000001",
                          .virtual_port = true});

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb", "sdf"));
  EXPECT_THAT(with_map(R"({"21010024ff000001":["500a098100000001"]})"), ElementsAre("sdf"));
}

TEST_F(AHostWithFcPorts, FindsOnlyThePairsThatAMapOfItsPortsNames) {
  EXPECT_THAT(with_map(R"({"21000024FF000001":["500A098100000001"],
                           "21000024FF000002":["500A098100000002"]})"),
              UnorderedElementsAre("sda", "sdb"));
  EXPECT_THAT(with_map(R"({"21:00:00:24:ff:00:00:02":["500a098100000001","500a098100000002"]})"),
              ElementsAre("sdb"));
  EXPECT_THAT(with_map(R"({"21000024ff000001":["500a098100000002"]})"), IsEmpty());
}

// Nova keeps what Cinder said at attach; after a migration the map may be another host's.
TEST_F(AHostWithFcPorts, FindsEveryPathWhenAMapNamesOnlyPortsOfOtherHosts) {
  EXPECT_THAT(with_map(R"({"21000024ff0000aa":["500a098100000001"]})"),
              UnorderedElementsAre("sda", "sdb"));
  EXPECT_THAT(with_map("{}"), UnorderedElementsAre("sda", "sdb"));
}

TEST_F(AHostWithFcPorts, FindsAPathWhoseRemotePortIsBlocked) {
  kernel.path("sdb").port_state = "Blocked";

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb"));
}

TEST_F(AHostWithFcPorts, FindsADeviceOnceThatSeveralEntriesMean) {
  EXPECT_THAT(discover(R"({"target_wwns":["500a098100000001","500A098100000001"],
                           "target_luns":[1,"1"]})")
                  .value(),
              ElementsAre("sda"));
}

TEST_F(AHostWithFcPorts, FindsTheFormOfALunThatTheKernelShows) {
  add("sdf", "3:0:0:16641", our_left, left);  // 257 in flat space
  add("sdg", "4:0:0:258", our_right, right);

  EXPECT_THAT(devices("257"), ElementsAre("sdf"));
  EXPECT_THAT(devices("\"0x4101000000000000\""), ElementsAre("sdf"));
  EXPECT_THAT(devices("257", R"(,"addressing_mode":"SAM2")"), ElementsAre("sdf"));
  EXPECT_THAT(devices("258", R"(,"addressing_mode":"SAM2")"), ElementsAre("sdg"));
}

TEST_F(AHostWithFcPorts, PrefersTheFormOfALunThatTheConnectionNames) {
  add("sdf", "3:0:0:16385", our_left, left);  // 1 in flat space, beside 3:0:0:1

  EXPECT_THAT(devices("1", R"(,"addressing_mode":"SAM3-flat")"),
              UnorderedElementsAre("sdf", "sdb"));
  EXPECT_THAT(devices("1", R"(,"addressing_mode":"SAM2")"), UnorderedElementsAre("sda", "sdb"));
}

// The ports of a fabric are not all storage, and dev_loss_tmo takes a port's targets away.
TEST_F(AHostWithFcPorts, FindsNothingBehindAPortWithoutTargets) {
  kernel.set_attribute("class/fc_remote_ports/rport-3:0-9/port_name", "0x" + left);
  kernel.set_attribute("class/fc_remote_ports/rport-3:0-9/port_state", "Not Present");

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb"));
}

TEST_F(AHostWithFcPorts, SkipsAPortThatIsGoneWhileItIsLookedAt) {
  kernel.remove_attribute("class/fc_remote_ports/rport-3:0-0/port_name");

  EXPECT_THAT(devices("1"), ElementsAre("sdb"));
}

TEST_F(AHostWithFcPorts, SaysWhichKeyOfAConnectionIsWrong) {
  EXPECT_THAT(discover(R"({"target_wwns":["500a098100000001"],"target_luns":[1,2]})"),
              FailsWith(ErrorCode::bad_connection_info, "data.target_luns"));
}

TEST(AHostWithoutFc, HasNoPath) {
  FakeKernel kernel;
  const auto info = parse_connection_info(
      R"({"driver_volume_type":"fibre_channel","data":{"target_wwn":"500a098100000001",
          "target_lun":1,"initiator_target_map":{"21000024ff000001":["500a098100000001"]}}})");

  EXPECT_THAT(fc_connector()->discover(kernel, info.value()).value(), IsEmpty());
}

// As os-brick's tests and drivers in use have it, whole.
TEST_F(AHostWithFcPorts, FindsTheVolumeOfAWholeConnection) {
  const auto info = parse_connection_info(R"({"driver_volume_type":"fibre_channel","data":{
      "target_discovered":true,"target_lun":1,"volume_id":"0b2f6a1e-98aa-4b6b-8f59-2f5a2f0a6a51",
      "target_wwn":["500A098100000001","500A098100000002"],"encrypted":false,"qos_specs":null,
      "initiator_target_map":{"21000024FF000001":["500A098100000001","500A098100000002"],
                              "21000024FF000002":["500A098100000001","500A098100000002"]},
      "access_mode":"rw","cacheable":false,"enforce_multipath":true,"device_path":"/dev/dm-3",
      "multipath_id":"3624a93709714b5cb91634c470002b2c8"},
      "serial":"0b2f6a1e-98aa-4b6b-8f59-2f5a2f0a6a51","status":"reserved"})");

  ASSERT_THAT(info, Succeeds());
  const auto all = all_connectors({});
  EXPECT_THAT(all.speaking(info->driver_volume_type)->discover(kernel, *info).value(),
              UnorderedElementsAre("sda", "sdb"));
}

}  // namespace
}  // namespace volgrow
