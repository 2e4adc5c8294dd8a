// SPDX-License-Identifier: Apache-2.0
// NVMe namespaces on the kernel in memory: what a layer says, whom a probe asks, what closes a
// path.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_nvme.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::UnorderedElementsAre;

const Wwid by_uuid{WwidType::uuid, "00000000000040008000000000000005"};

class NvmeNamespaces : public testing::Test {
 protected:
  Layer described(const std::string& device) {
    auto layer = connector->describe(kernel, device);
    EXPECT_THAT(layer, Succeeds()) << device;
    return layer.value_or(Layer());
  }
  Result<Truth> probed(const std::string& device) {
    return connector->probe(kernel, described(device), Deadline(kernel.clock().now() + 3s));
  }
  Result<std::vector<std::string>> found(const std::string& data) {
    const auto info =
        parse_connection_info(R"({"driver_volume_type":"nvmeof","data":)" + data + "}");
    EXPECT_THAT(info, Succeeds());
    return connector->discover(kernel, *info);
  }
  /// The new form, with these members more.
  Result<std::vector<std::string>> found_with(const std::string& members) {
    return found(R"({"target_nqn":"nqn.2026-01.org.volgrow:subsystem",
                     "portals":[["10.0.0.1",4420,"tcp"]])" +
                 members + "}");
  }

  FakeKernel kernel;
  FakeNvme nvme{kernel};
  std::unique_ptr<Connector> connector = nvme_connector();
};

class AJoinedNamespace : public NvmeNamespaces {
 protected:
  AJoinedNamespace() {
    nvme.add_controller("nvme0");
    nvme.add_controller("nvme1", {.address = "traddr=fd00::2,trsvcid=4420"});
    nvme.add_joined({"nvme0", "nvme1"});
  }
};

TEST_F(AJoinedNamespace, IsMadeOfThePathsOfAllControllersAndFollowsThem) {
  const auto head = described("nvme0n1");

  EXPECT_EQ(head.kind, LayerKind::nvme_namespace);
  EXPECT_EQ(head.growth, Growth::by_itself);
  EXPECT_FALSE(head.has_target);
  EXPECT_EQ(head.endpoint, "nqn.2026-01.org.volgrow:subsystem");
  EXPECT_THAT(head.below, ElementsAre("nvme0c0n1", "nvme0c1n1"));
  EXPECT_EQ(head.closed, std::nullopt);
}

TEST_F(AJoinedNamespace, HasPathsThatSayWhereTheyLead) {
  const auto path = described("nvme0c1n1");

  EXPECT_EQ(path.kind, LayerKind::nvme_path);
  EXPECT_EQ(path.growth, Growth::later);
  EXPECT_TRUE(path.has_target);
  EXPECT_EQ(path.address, "nvme1");
  EXPECT_EQ(path.transport, "tcp");
  EXPECT_EQ(path.endpoint, "[fd00::2]:4420,nqn.2026-01.org.volgrow:subsystem");
  EXPECT_EQ(path.state, "live optimized");
  EXPECT_EQ(path.size, 10_GiB);
  EXPECT_THAT(connector->above(kernel, "nvme0c1n1"), ElementsAre("nvme0n1"));
  EXPECT_THAT(connector->above(kernel, "nvme0n1"), IsEmpty());
}

// Nobody can open a hidden disk, so it has no number; its sequence tells it from another.
TEST_F(AJoinedNamespace, HasPathsWithASequenceAndNoNumber) {
  const auto before = described("nvme0c0n1");

  EXPECT_EQ(before.identity, (DeviceIdentity{0, kernel.device("nvme0c0n1").diskseq}));
  kernel.reuse_name("nvme0c0n1");
  EXPECT_THAT(connector->measure(kernel, before, false),
              FailsWith(ErrorCode::no_such_device, "another device"));
}

TEST_F(AJoinedNamespace, IsNotTouchedWhereNothingTellsItsPathsApart) {
  kernel.remove_attribute("block/nvme0c0n1/diskseq");

  EXPECT_THAT(connector->describe(kernel, "nvme0c0n1"),
              FailsWith(ErrorCode::not_supported, "neither a device number nor a sequence"));
}

// With hundreds of namespaces, each of hundreds of jobs goes through all of them.
TEST_F(AJoinedNamespace, IsFoundAmongOthersByOneAttributeOfEachAtItsFirstController) {
  nvme.add_joined(
      {"nvme0", "nvme1"},
      {.nsid = 2, .identity = Wwid{WwidType::uuid, "00000000000040008000000000000006"}});
  std::vector<std::string> read;
  for (const auto* name : {"nvme0c0n1/nguid", "nvme0c0n1/eui", "nvme0c1n1/uuid", "nvme0c1n2/uuid"})
    kernel.add_attribute(fmt::format("block/{}", name), [&read, name] {
      read.emplace_back(name);
      return std::optional<std::string>();
    });

  EXPECT_THAT(found_with(R"(,"vol_uuid":"00000000-0000-4000-8000-000000000006")"),
              Optional(ElementsAre("nvme0n2")));
  EXPECT_THAT(read, IsEmpty());
}

TEST_F(AJoinedNamespace, IsAskedThroughEachControllerByItself) {
  nvme.path("nvme0c1n1").target_size = 20_GiB;

  EXPECT_EQ(probed("nvme0c0n1"), (Truth{10_GiB, by_uuid}));
  EXPECT_EQ(probed("nvme0c1n1"), (Truth{20_GiB, by_uuid}));
  EXPECT_THAT(kernel.questions(),
              ElementsAre("Identify 00 nvme0 nsid 1", "Identify 03 nvme0 nsid 1",
                          "Identify 00 nvme1 nsid 1", "Identify 03 nvme1 nsid 1"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AJoinedNamespace, IsShutWhereItsControllerIsNotLive) {
  for (const auto* state : {"connecting", "resetting", "deleting", "dead", "new"}) {
    nvme.controller("nvme0").state = state;
    EXPECT_THAT(described("nvme0c0n1").closed, Optional(ErrorIs(ErrorCode::no_usable_path, state)));
    EXPECT_EQ(described("nvme0c1n1").closed, std::nullopt);
  }
}

TEST_F(AJoinedNamespace, IsShutWhereTheTargetSaysThatItIsInaccessible) {
  auto& path = nvme.path("nvme0c0n1");
  for (const auto* state : {"inaccessible", "persistent-loss", "change"}) {
    path.ana_state = state;
    EXPECT_THAT(described("nvme0c0n1").closed, Optional(ErrorIs(ErrorCode::no_usable_path, state)));
  }
  for (const auto* state : {"non-optimized", "optimized", ""}) {
    path.ana_state = state;
    EXPECT_EQ(described("nvme0c0n1").closed, std::nullopt) << state;
  }
  EXPECT_EQ(described("nvme0c0n1").state, "live");
}

TEST_F(AJoinedNamespace, IsRescannedThroughItsControllerSomeTimeLater) {
  const auto path = described("nvme0c1n1");
  nvme.target_grows(20_GiB);

  EXPECT_THAT(connector->grow(kernel, path, 20_GiB, Deadline(kernel.clock().now() + 1s)),
              Succeeds());
  EXPECT_THAT(kernel.changes(), ElementsAre("write class/nvme/nvme1/rescan_controller 1"));
  EXPECT_EQ(connector->measure(kernel, path, false)->size, 10_GiB);
  kernel.fake_clock().advance(1s);
  EXPECT_EQ(connector->measure(kernel, path, false),
            (Measurement{20_GiB, path.identity, "live optimized"}));
}

TEST_F(AJoinedNamespace, IsNotRescannedWithoutTime) {
  EXPECT_THAT(
      connector->grow(kernel, described("nvme0c1n1"), 20_GiB, Deadline(kernel.clock().now())),
      FailsWith(ErrorCode::timed_out, "no time was left"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AJoinedNamespace, ThatIsAnotherOneAtItsTargetNowIsNotTakenForTheOldOne) {
  nvme.path("nvme0c0n1").identity->hex.back() = '6';

  EXPECT_THAT(probed("nvme0c0n1"),
              FailsWith(ErrorCode::no_such_device, "uuid.00000000000040008000000000000006"));
}

TEST_F(AJoinedNamespace, IsGoneWhenItsTargetSaysSo) {
  nvme.path("nvme0c0n1").mapped = false;
  nvme.path("nvme0c1n1").status = 0x400b;

  for (const auto* path : {"nvme0c0n1", "nvme0c1n1"})
    EXPECT_THAT(probed(path), FailsWith(ErrorCode::no_such_device, "no such namespace")) << path;
}

TEST_F(AJoinedNamespace, CannotBeAskedThroughALostController) {
  nvme.controller("nvme0").answers = false;
  EXPECT_THAT(probed("nvme0c0n1"), FailsWith(ErrorCode::no_usable_path, "Identify of nvme0c0n1"));

  nvme.path("nvme0c1n1").status = 0x0371;
  EXPECT_THAT(probed("nvme0c1n1"), FailsWith(ErrorCode::no_usable_path, "being reset"));
}

TEST_F(AJoinedNamespace, IsNotAskedThroughANodeOfAnotherController) {
  kernel.set_attribute("class/nvme/nvme0/dev", "240:7");

  EXPECT_THAT(probed("nvme0c0n1"), FailsWith(ErrorCode::no_such_device, "is not the node of"));
  EXPECT_THAT(kernel.questions(), IsEmpty());
}

TEST_F(AJoinedNamespace, IsFoundOnceByItsConnection) {
  EXPECT_THAT(found_with(R"(,"vol_uuid":"00000000-0000-4000-8000-000000000005")"),
              Optional(ElementsAre("nvme0n1")));
  EXPECT_THAT(found_with(R"(,"ns_id":1)"), Optional(ElementsAre("nvme0n1")));
  EXPECT_THAT(found_with(R"(,"ns_id":"1","host_nqn":"nqn.2014-08.org.nvmexpress:uuid:0a")"),
              Optional(ElementsAre("nvme0n1")));
  EXPECT_THAT(found(R"({"nqn":"nqn.2026-01.org.volgrow:subsystem","transport_type":"tcp",
                        "target_portal":"10.0.0.1","target_port":4420})"),
              Optional(ElementsAre("nvme0n1")));
}

TEST_F(AJoinedNamespace, IsNotFoundByAConnectionThatMeansAnother) {
  EXPECT_THAT(found_with(R"(,"vol_uuid":"00000000-0000-4000-8000-000000000006","ns_id":1)"),
              Optional(IsEmpty()));
  EXPECT_THAT(found_with(R"(,"ns_id":2)"), Optional(IsEmpty()));
  EXPECT_THAT(found_with(R"(,"ns_id":1,"host_nqn":"nqn.other")"), Optional(IsEmpty()));
  EXPECT_THAT(found(R"({"target_nqn":"nqn.other","portals":[["10.0.0.1",4420,"tcp"]]})"),
              Optional(IsEmpty()));
}

// Drivers put the same 128 bits under either key, and the kernel shows an NGUID as UUID.
TEST_F(NvmeNamespaces, AreFoundByAnNgidUnderEitherKey) {
  nvme.add_controller("nvme0");
  nvme.add_joined({"nvme0"}, {.identity = Wwid{WwidType::nguid, std::string(32, 'a')}});
  const auto key = std::string(32, 'a');

  EXPECT_THAT(found_with(R"(,"volume_nguid":")" + key + '"'), Optional(ElementsAre("nvme0n1")));
  EXPECT_THAT(found_with(R"(,"vol_uuid":")" + key + '"'), Optional(ElementsAre("nvme0n1")));
  EXPECT_EQ(probed("nvme0c0n1"), (Truth{10_GiB, Wwid{WwidType::nguid, key}}));
}

TEST_F(NvmeNamespaces, WithoutTheKernelsMultipathAreTheirOwnPaths) {
  nvme.add_controller("nvme0");
  nvme.add_controller("nvme1");
  nvme.add_single("nvme0");
  nvme.add_single("nvme1");

  const auto disk = described("nvme1n1");

  EXPECT_EQ(disk.kind, LayerKind::nvme_path);
  EXPECT_EQ(disk.address, "nvme1");
  EXPECT_TRUE(disk.has_target);
  EXPECT_NE(disk.identity.number, 0);
  EXPECT_THAT(connector->above(kernel, "nvme1n1"), IsEmpty());
  EXPECT_THAT(found_with(R"(,"ns_id":1)"), Optional(UnorderedElementsAre("nvme0n1", "nvme1n1")));
}

TEST_F(NvmeNamespaces, MayHaveBlocksOfAnyLength) {
  nvme.add_controller("nvme0");
  for (const auto& [nsid, bits] : {std::pair{1U, 9}, std::pair{2U, 10}, std::pair{3U, 12}}) {
    nvme.add_joined({"nvme0"}, {.nsid = nsid, .block_bits = bits});
    EXPECT_EQ(probed("nvme0c0n" + std::to_string(nsid)), (Truth{10_GiB, by_uuid})) << bits;
  }
}

TEST_F(NvmeNamespaces, OfAControllerWithoutDescriptorsHaveTheIdentityOfTheNamespace) {
  nvme.add_controller("nvme0").descriptors = false;
  nvme.add_joined({"nvme0"}, {.nsid = 1, .identity = Wwid{WwidType::eui, "0025380102030405"}});
  nvme.add_joined({"nvme0"}, {.nsid = 2, .identity = std::nullopt});

  EXPECT_EQ(probed("nvme0c0n1"), (Truth{10_GiB, Wwid{WwidType::eui, "0025380102030405"}}));
  EXPECT_EQ(probed("nvme0c0n2"), (Truth{10_GiB, std::nullopt}));
}

TEST_F(NvmeNamespaces, AreNoOtherDisks) {
  kernel.add_disk("sda");
  kernel.add_block("nvme0n1p1", 1_GiB);
  kernel.add_block("nvme9n9", 1_GiB);

  for (const auto* other : {"sda", "nvme0n1p1", "nvme9n9", "/images/nvme0n1", "nvme0n7"}) {
    EXPECT_FALSE(connector->claims(kernel, other)) << other;
    EXPECT_THAT(connector->describe(kernel, other),
                FailsWith(ErrorCode::no_such_device, "no NVMe namespace"))
        << other;
  }
}

}  // namespace
}  // namespace volgrow
