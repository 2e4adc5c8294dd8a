// SPDX-License-Identifier: Apache-2.0
// What a job asks of the members of a volume, and what it makes of their sizes.
#include "tests/stack/a_volume.h"

namespace volgrow {
namespace {

/// A map above layers that have no target: only measured sizes tell which member is the smallest.
class AMapOfCryptDevices : public AVolume {
 protected:
  AMapOfCryptDevices() {
    kernel.add_disk("sda", {.address = "1:0:0:1"});
    kernel.add_disk("sdb", {.address = "2:0:0:1"});
    kernel.add_block("dm-9", 10_GiB - crypt_header);
    kernel.set_attribute("block/dm-9/dm/uuid", "mpath-outer");
    with_crypt("dm-7", "sda");
    with_crypt("dm-8", "sdb");
    subject = "dev:dm-9";
  }

  void with_crypt(const std::string& name, const std::string& below) {
    kernel.add_block(name, 10_GiB - crypt_header);
    kernel.set_attribute("block/" + name + "/dm/uuid", "CRYPT-LUKS2-" + name);
    kernel.stack_on(name, below);
    kernel.stack_on("dm-9", name);
    kernel.path(below).target_size = 20_GiB;
  }
};

TEST_F(AMapOfCryptDevices, StaysAsLargeAsItsSmallestMember) {
  kernel.device("dm-7").ignores_growth = true;

  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.size, 10_GiB - crypt_header);
  EXPECT_EQ(kernel.device("dm-9").size, 10_GiB - crypt_header);
  EXPECT_NE(result.state, JobState::complete);
}

TEST_F(AMapOfCryptDevices, GrowsWhenBothHaveGrown) {
  const auto result = run(to(20_GiB));

  EXPECT_EQ(result.size, 20_GiB - crypt_header);
  EXPECT_EQ(result.state, JobState::complete);
}

TEST_F(AVolume, IsMeasuredAtTheEndAsItsConsumerOpensIt) {
  with_paths(2);
  std::vector<std::string> opened;
  before_batch = [&](const Batch& batch) {
    for (const auto& step : batch.steps)
      if (const auto* measure = std::get_if<MeasureStep>(&step.action);
          measure && measure->consumer)
        opened.push_back(measure->layer.device);
  };

  run(any_growth());

  EXPECT_THAT(opened, testing::ElementsAre("dm-3"));
}

TEST_F(AVolume, OnAnOfflinePathIsNotEvenAsked) {
  with_single_path();
  kernel.path("sda").state = "offline";

  run(to(20_GiB));

  EXPECT_THAT(kernel.questions(), testing::IsEmpty());
}

}  // namespace
}  // namespace volgrow
