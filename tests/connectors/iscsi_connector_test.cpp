// SPDX-License-Identifier: Apache-2.0
// iSCSI paths on the kernel that reacts: what they are described as, and which of them the
// connection_info that Cinder makes means.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string target = "iqn.2026-01.org.volgrow:target";

class AnIscsiPath : public testing::Test {
 protected:
  AnIscsiPath() { kernel.add_disk("sda", {.address = "1:0:0:1", .transport = "iscsi"}); }

  FakePath& path() { return kernel.path("sda"); }

  FakeKernel kernel;
  std::unique_ptr<Connector> iscsi = iscsi_connector();
};

TEST_F(AnIscsiPath, IsToldFromOtherDisksByItsSession) {
  kernel.add_disk("sdb", {.address = "2:0:0:1", .transport = "iser"});
  kernel.add_disk("sdc", {.address = "3:0:0:1", .transport = "fc"});
  kernel.add_disk("sdd", {.address = "0:0:0:0"});

  EXPECT_TRUE(iscsi->claims(kernel, "sda"));
  EXPECT_TRUE(iscsi->claims(kernel, "sdb"));
  EXPECT_FALSE(iscsi->claims(kernel, "sdc"));
  EXPECT_FALSE(iscsi->claims(kernel, "sdd"));
}

TEST_F(AnIscsiPath, IsDescribedWithItsPortalAndTarget) {
  Layer expected;
  expected.connector = "iscsi";
  expected.kind = LayerKind::path;
  expected.device = "sda";
  expected.identity = {path().number, path().diskseq};
  expected.address = "1:0:0:1";
  expected.transport = "iscsi";
  expected.endpoint = "10.0.0.1:3260,iqn.2026-01.org.volgrow:target";
  expected.state = "running";
  expected.size = 10_GiB;
  expected.has_target = true;

  EXPECT_EQ(iscsi->describe(kernel, "sda"), expected);
}

TEST_F(AnIscsiPath, OverRdmaIsIser) {
  kernel.add_disk("sdb", {.address = "2:0:0:1", .transport = "iser"});

  EXPECT_EQ(iscsi->describe(kernel, "sdb")->transport, "iser");
}

TEST_F(AnIscsiPath, OverIpv6HasItsPortalInBrackets) {
  kernel.add_disk("sdb", {.address = "2:0:0:1", .transport = "iscsi", .portal = "fe80::1"});

  EXPECT_EQ(iscsi->describe(kernel, "sdb")->endpoint,
            "[fe80::1]:3260,iqn.2026-01.org.volgrow:target");
}

TEST_F(AnIscsiPath, IsClosedWhileItsSessionIsNotLoggedIn) {
  path().session_state = "FAILED";

  EXPECT_THAT(*iscsi->describe(kernel, "sda")->closed,
              ErrorIs(ErrorCode::no_usable_path, "iSCSI session is 'FAILED'"));
}

/// Two volumes on one target with two portals, each through its own session; and a stranger's.
class AHostWithIscsiSessions : public testing::Test {
 protected:
  AHostWithIscsiSessions() {
    add("sda", "1:0:0:1", "10.0.0.1");
    add("sdb", "2:0:0:1", "10.0.0.2");
    add("sdc", "1:0:0:2", "10.0.0.1");
    kernel.add_disk("sdd", {.address = "3:0:0:1",
                            .transport = "iscsi",
                            .portal = "10.0.0.1",
                            .target_name = "iqn.2026-01.org.volgrow:other"});
    kernel.add_disk("sde", {.address = "0:0:0:1"});
  }

  void add(const std::string& name, const std::string& address, const std::string& portal) {
    kernel.add_disk(name, {.address = address, .transport = "iscsi", .portal = portal});
  }
  Result<std::vector<std::string>> discover(const std::string& data) {
    const auto info =
        parse_connection_info(R"({"driver_volume_type":"iscsi","data":)" + data + "}");
    if (!info) return std::unexpected(info.error());
    return iscsi->discover(kernel, *info);
  }
  /// The devices of LUN `lun` on the target, by singular keys.
  std::vector<std::string> devices(const std::string& lun, const std::string& rest = "") {
    return discover(R"({"target_portal":"10.0.0.1:3260","target_iqn":")" + target +
                    R"(","target_lun":)" + lun + rest + "}")
        .value();
  }
  std::vector<std::string> behind(const std::string& portal) {
    return discover(R"({"target_portals":[")" + portal + R"("],"target_iqns":[")" + target +
                    R"("],"target_luns":[1]})")
        .value();
  }

  FakeKernel kernel;
  std::unique_ptr<Connector> iscsi = iscsi_connector();
};

TEST_F(AHostWithIscsiSessions, SpeaksIscsiOverTcpAndRdma) {
  EXPECT_TRUE(iscsi->speaks("iscsi"));
  EXPECT_TRUE(iscsi->speaks("iser"));
  EXPECT_FALSE(iscsi->speaks("fibre_channel"));
}

TEST_F(AHostWithIscsiSessions, FindsEveryPathOfATargetByItsNameAlone) {
  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb"));
  EXPECT_THAT(devices("2"), ElementsAre("sdc"));
  EXPECT_THAT(devices("3"), IsEmpty());
}

TEST_F(AHostWithIscsiSessions, FindsOnlyTheListedPortals) {
  EXPECT_THAT(behind("10.0.0.1:3260"), ElementsAre("sda"));
  EXPECT_THAT(behind("10.0.0.2:3260"), ElementsAre("sdb"));
  EXPECT_THAT(behind("10.0.0.2:3261"), IsEmpty());
}

TEST_F(AHostWithIscsiSessions, TellsAPathByTheLunOfItsPortal) {
  EXPECT_THAT(discover(R"({"target_portals":["10.0.0.1:3260","10.0.0.2:3260"],
                           "target_iqns":[")" +
                       target + R"(",")" + target + R"("],"target_luns":[2,1]})")
                  .value(),
              UnorderedElementsAre("sdb", "sdc"));
}

TEST_F(AHostWithIscsiSessions, FindsIpv6InAnySpelling) {
  add("sdf", "4:0:0:1", "2001:db8::a");

  for (const auto* portal : {"[2001:db8::a]:3260", "[2001:DB8::A]:3260", "2001:db8:0:0:0:0:0:a",
                             "[2001:0db8:0000:0000:0000:0000:0000:000a]:3260"})
    EXPECT_THAT(behind(portal), ElementsAre("sdf")) << portal;
}

// What the kernel shows of a connection is its socket's peer; what it was told may be another.
TEST_F(AHostWithIscsiSessions, FindsAPathThatItsTargetRedirectedByBothPortals) {
  kernel.add_disk("sdf",
                  {.address = "4:0:0:1",
                   .transport = "iscsi",
                   .portal = "10.0.0.9",
                   .connected_to = std::pair("fd00:0000:0000:0000:0000:0000:0000:0007", "3261")});

  EXPECT_THAT(behind("10.0.0.9:3260"), ElementsAre("sdf"));
  EXPECT_THAT(behind("[fd00::7]:3261"), ElementsAre("sdf"));
  EXPECT_THAT(behind("[fd00::7]:3260"), IsEmpty());
}

TEST_F(AHostWithIscsiSessions, FindsBothPathsOfTwoSessionsToOnePortal) {
  add("sdf", "4:0:0:1", "10.0.0.1");

  EXPECT_THAT(behind("10.0.0.1:3260"), UnorderedElementsAre("sda", "sdf"));
}

TEST_F(AHostWithIscsiSessions, FindsTheSessionsOfAnAdapterThatHasSeveral) {
  kernel.add_disk("sdf", {.address = "5:0:0:1", .transport = "iscsi", .session = "17"});
  kernel.add_disk("sdg", {.address = "5:0:1:1", .transport = "iscsi", .session = "18"});

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb", "sdf", "sdg"));
}

TEST_F(AHostWithIscsiSessions, FindsAPathWhoseSessionIsDown) {
  kernel.path("sdb").session_state = "FAILED";

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb"));
}

TEST_F(AHostWithIscsiSessions, FindsADeviceOnceThatSeveralEntriesMean) {
  EXPECT_THAT(discover(R"({"target_portals":["10.0.0.1:3260","[::ffff:10.0.0.1]:3260"],
                           "target_iqns":[")" +
                       target + R"(",")" + target + R"("],"target_luns":[1,"1"]})")
                  .value(),
              ElementsAre("sda"));
}

TEST_F(AHostWithIscsiSessions, FindsATargetWhateverTheCaseOfItsName) {
  kernel.add_disk("sdf", {.address = "4:0:0:1",
                          .transport = "iscsi",
                          .target_name = "iqn.2026-01.org.volgrow:TARGET"});

  EXPECT_THAT(devices("1"), UnorderedElementsAre("sda", "sdb", "sdf"));
}

TEST_F(AHostWithIscsiSessions, FindsTheFormOfALunThatTheKernelShows) {
  add("sdf", "1:0:0:16641", "10.0.0.1");  // 257 in flat space
  add("sdg", "2:0:0:258", "10.0.0.2");    // as LIO counts

  EXPECT_THAT(devices("257"), ElementsAre("sdf"));
  EXPECT_THAT(devices("\"257\""), ElementsAre("sdf"));
  EXPECT_THAT(devices("\"0x4101000000000000\""), ElementsAre("sdf"));
  EXPECT_THAT(devices("257", R"(,"addressing_mode":"SAM2")"), ElementsAre("sdf"));
  EXPECT_THAT(devices("258", R"(,"addressing_mode":"SAM2")"), ElementsAre("sdg"));
  EXPECT_THAT(devices("258", R"(,"addressing_mode":"transparent")"), ElementsAre("sdg"));
}

TEST_F(AHostWithIscsiSessions, PrefersTheFormOfALunThatTheConnectionNames) {
  add("sdf", "1:0:0:16385", "10.0.0.1");  // 1 in flat space, beside 1:0:0:1

  EXPECT_THAT(devices("1", R"(,"addressing_mode":"SAM3-flat")"),
              UnorderedElementsAre("sdf", "sdb"));
  EXPECT_THAT(devices("1", R"(,"addressing_mode":"SAM2")"), UnorderedElementsAre("sda", "sdb"));
}

TEST_F(AHostWithIscsiSessions, LeavesALogicalUnitThatIsNoDiskAlone) {
  kernel.remove_device("sda");
  kernel.set_attribute("class/iscsi_session/session1/device/target1:0:0/1:0:0:1/type", "5");

  EXPECT_THAT(devices("1"), ElementsAre("sdb"));
}

TEST_F(AHostWithIscsiSessions, SkipsASessionThatIsGoneWhileItIsLookedAt) {
  kernel.remove_attribute("class/iscsi_session/session1/targetname");
  kernel.remove_attribute("class/iscsi_connection/connection2:0/persistent_port");

  EXPECT_THAT(devices("1"), ElementsAre("sdb"));
}

TEST_F(AHostWithIscsiSessions, SaysWhichKeyOfAConnectionIsWrong) {
  EXPECT_THAT(discover(R"({"target_portals":["10.0.0.1:3260"],"target_iqns":["a","b"],
                           "target_lun":1})"),
              FailsWith(ErrorCode::bad_connection_info, "data.target_iqns"));
}

TEST(AHostWithoutIscsi, HasNoPath) {
  FakeKernel kernel;
  const auto info = parse_connection_info(
      R"({"driver_volume_type":"iscsi","data":{"target_portal":"10.0.0.1:3260",
          "target_iqn":"iqn.a","target_lun":1}})");

  EXPECT_THAT(iscsi_connector()->discover(kernel, info.value()).value(), IsEmpty());
}

/// Connections as Nova stores them, whole: the shapes are those of drivers in use.
class ACinderConnection : public testing::Test {
 protected:
  void add(const std::string& name, const std::string& address, const std::string& portal,
           const std::string& iqn) {
    kernel.add_disk(
        name, {.address = address, .transport = "iscsi", .portal = portal, .target_name = iqn});
  }
  std::vector<std::string> found(std::string_view document) {
    const auto info = parse_connection_info(document);
    EXPECT_THAT(info, Succeeds());
    const auto* connector = all.speaking(info->driver_volume_type);
    return connector == nullptr ? std::vector<std::string>{"nobody speaks it"}
                                : connector->discover(kernel, *info).value();
  }

  FakeKernel kernel;
  Connectors all = all_connectors({});
};

TEST_F(ACinderConnection, OfTheLvmDriverHasOnePath) {
  const std::string iqn = "iqn.2010-10.org.openstack:volume-cd281d77-8217-4830-be95-9528227c105c";
  add("sda", "2:0:0:0", "172.31.17.48", iqn);

  EXPECT_THAT(found(R"({"driver_volume_type":"iscsi","data":{
      "target_discovered":false,"target_portal":"172.31.17.48:3260","target_lun":0,
      "target_iqn":"iqn.2010-10.org.openstack:volume-cd281d77-8217-4830-be95-9528227c105c",
      "volume_id":"cd281d77-8217-4830-be95-9528227c105c","auth_method":"CHAP",
      "auth_username":"5MLtcsTEmNN5jFVcT6ui","auth_password":"not-read","encrypted":false,
      "qos_specs":null,"access_mode":"rw","cacheable":false,"enforce_multipath":false,
      "device_path":"/dev/sda"},"serial":"cd281d77-8217-4830-be95-9528227c105c",
      "status":"reserved","instance":"","attached_at":"","detached_at":""})"),
              ElementsAre("sda"));
}

TEST_F(ACinderConnection, OfAnArrayListsOneTargetBehindFourPortals) {
  const std::string iqn = "iqn.2010-06.com.purestorage:flasharray.12345abc";
  for (int n = 1; n <= 4; ++n)
    add("sd" + std::string(1, static_cast<char>('a' + n - 1)), std::to_string(n) + ":0:0:1",
        "10.0.0." + std::to_string(n), iqn);

  EXPECT_THAT(found(R"({"driver_volume_type":"iscsi","data":{
      "target_discovered":false,"discard":true,"target_luns":[1,1,1],
      "target_iqns":["iqn.2010-06.com.purestorage:flasharray.12345abc",
                     "iqn.2010-06.com.purestorage:flasharray.12345abc",
                     "iqn.2010-06.com.purestorage:flasharray.12345abc"],
      "target_portals":["10.0.0.1:3260","10.0.0.2:3260","10.0.0.3:3260"],
      "wwn":"3624a93709714b5cb91634c470002b2c8","addressing_mode":"SAM2",
      "qos_specs":{"maxIOPS":"500"},"access_mode":"rw","encrypted":true}})"),
              UnorderedElementsAre("sda", "sdb", "sdc"));
}

TEST_F(ACinderConnection, OfAnArrayMayListTwoTargetsAndLunsAsText) {
  add("sda", "1:0:0:3", "10.50.3.59", "iqn.2000-05.com.3pardata:22210002ac019d52");
  add("sdb", "2:0:0:4", "10.50.3.60", "iqn.2000-05.com.3pardata:23210002ac019d52");
  add("sdc", "2:0:0:3", "10.50.3.60", "iqn.2000-05.com.3pardata:23210002ac019d52");

  EXPECT_THAT(found(R"({"driver_volume_type":"iscsi","data":{
      "target_luns":["3","4"],"encrypted":false,"target_discovered":true,
      "target_iqns":["iqn.2000-05.com.3pardata:22210002ac019d52",
                     "iqn.2000-05.com.3pardata:23210002ac019d52"],
      "target_portals":["10.50.3.59:3260","10.50.3.60:3260"],
      "volume_id":"0b2f6a1e-98aa-4b6b-8f59-2f5a2f0a6a51"}})"),
              UnorderedElementsAre("sda", "sdb"));
}

TEST_F(ACinderConnection, MayListPortalsWithoutTheirPort) {
  add("sda", "1:0:0:2", "192.168.10.2", "iqn.2014-10.com.huawei:oceanstor");

  EXPECT_THAT(found(R"({"driver_volume_type":"iscsi","data":{"target_luns":[2],
      "target_iqns":["iqn.2014-10.com.huawei:oceanstor"],"target_portals":["192.168.10.2"],
      "multi_path":true}})"),
              ElementsAre("sda"));
}

TEST_F(ACinderConnection, OverRdmaIsTheSameUnderAnotherType) {
  kernel.add_disk("sda", {.address = "1:0:0:0", .transport = "iser", .portal = "10.0.0.7"});

  EXPECT_THAT(found(R"({"driver_volume_type":"iser","data":{"target_discovered":false,
      "target_portal":"10.0.0.7:3260","target_iqn":"iqn.2026-01.org.volgrow:target",
      "target_lun":0,"volume_id":"4b6b0b2f-98aa-4b6b-8f59-2f5a2f0a6a51","access_mode":"rw"}})"),
              ElementsAre("sda"));
}

}  // namespace
}  // namespace volgrow
