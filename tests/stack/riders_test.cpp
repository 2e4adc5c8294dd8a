// SPDX-License-Identifier: Apache-2.0
// What stands on a volume: shown by those that look, and in the way of a growth only where its
// consumer would see nothing of it.
#include "stack/riders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/stack/a_volume.h"

namespace volgrow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AVolumeWithRiders : public AVolume {
 protected:
  AVolumeWithRiders() { with_single_path(); }
  void with_partition(const std::string& name, const std::string& disk) {
    kernel.set_attribute(fmt::format("block/{}/{}/partition", disk, name), "1");
    kernel.set_attribute(fmt::format("class/block/{}/partition", name), "1");
    kernel.set_attribute(fmt::format("class/block/{}/size", name), "2048");
  }
  void with_dm(const std::string& name, const std::string& uuid, const std::string& below) {
    kernel.add_block(name, 1_GiB);
    kernel.set_attribute("block/" + name + "/dm/uuid", uuid);
    kernel.set_attribute("block/" + name + "/dm/name", "name-of-" + name);
    kernel.stack_on(name, below);
  }
  static std::vector<std::string> layers_of(const JobResult& result) {
    std::vector<std::string> layers;
    for (const auto& layer : result.layers)
      layers.push_back(fmt::format("{} {}", name_of(layer.kind), layer.device));
    return layers;
  }
  JobResult explain() {
    Request request;
    request.operation = Operation::explain;
    return run(request);
  }
};

TEST_F(AVolumeWithRiders, IsExplainedWithAllThatStandsOnIt) {
  with_partition("sda1", "sda");
  kernel.set_attribute("class/block/sda1/holders/dm-5/x", "");
  with_dm("dm-5", "LVM-abc", "sda");
  with_dm("dm-6", "CRYPT-PLAIN-x", "dm-5");
  kernel.add_block("md127", 1_GiB);
  kernel.stack_on("md127", "sda");

  const auto result = explain();

  EXPECT_THAT(layers_of(result),
              ElementsAre("path sda", "lvm dm-5", "md md127", "partition sda1", "crypt dm-6"));
  EXPECT_EQ(result.layers[1].reason, "not grown by volgrow: pvresize /dev/sda, then lvextend");
  EXPECT_EQ(result.layers[3].after_bytes, 1_MiB);
  EXPECT_THAT(result.layers[4].reason, HasSubstr("cryptsetup resize name-of-dm-6"));
  EXPECT_EQ(result.device, "/dev/sda");
  EXPECT_EQ(result.diagnosis, std::nullopt);
}

TEST_F(AVolumeWithRiders, GrowsBelowALogicalVolumeAndReportsOnlyItself) {
  with_dm("dm-5", "LVM-abc", "sda");
  kernel.path("sda").target_size = 20_GiB;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_THAT(layers_of(result), ElementsAre("path sda"));
}

TEST_F(AVolumeWithRiders, GrowsBelowALogicalVolumeThatIsEncrypted) {
  with_dm("dm-5", "LVM-abc", "sda");
  with_dm("dm-6", "CRYPT-PLAIN-x", "dm-5");
  kernel.path("sda").target_size = 20_GiB;

  EXPECT_EQ(run(to(20_GiB)).state, JobState::complete);
}

TEST_F(AVolumeWithRiders, IsNotGrownBelowEncryption) {
  with_dm("dm-6", "CRYPT-PLAIN-x", "sda");
  kernel.path("sda").target_size = 20_GiB;

  const auto result = run(to(20_GiB));

  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::not_supported);
  EXPECT_THAT(result.error->message, HasSubstr("dm-6 (CRYPT) is on top of sda"));
  EXPECT_EQ(kernel.path("sda").size, 10_GiB);
}

TEST_F(AVolumeWithRiders, HasNoneOfAKindWithoutAName) {
  with_dm("dm-5", "", "sda");

  EXPECT_THAT(layers_of(explain()), ElementsAre("path sda"));
}

}  // namespace
}  // namespace volgrow
