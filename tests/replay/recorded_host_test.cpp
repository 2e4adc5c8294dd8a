// SPDX-License-Identifier: Apache-2.0
// The reader of captures, and the host that answers from one.
#include "tests/fakes/recorded_host.h"

#include <gmock/gmock.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view text = R"(volgrow capture 1
# one disk

[sysfs]
block/sda -> ../devices/host0/0:0:0:0/block/sda
dev/block/8:0 -> ../../devices/host0/0:0:0:0/block/sda
devices/host0/0:0:0:0/address ! 107
devices/host0/0:0:0:0/block/sda/dev = 8:0
devices/host0/0:0:0:0/block/sda/device -> ../../../0:0:0:0
devices/host0/0:0:0:0/block/sda/holders/
devices/host0/0:0:0:0/block/sda/size = 2048
devices/host0/0:0:0:0/block/sda/uevent =
| MAJOR=8
| DEVNAME=sda
devices/host0/0:0:0:0/block/sda-more = x
devices/host0/0:0:0:0/rev =
devices/host0/0:0:0:0/vendor = LIO-ORG\x20
devices/out -> ../../etc
devices/round -> round

[dev]
/dev/mapper/a -> ../sda
/dev/sda = 8:0

[files]
/recorded/file-1 = 4096 27 7

[mounts]
1 0 0:1 / /recorded/mount-1 rw - nfs4 192.0.2.1:/export-1 rw

[multipathd]
show daemon =
| pid 1 idle
|
)";

class AHostFromACapture : public testing::Test {
 protected:
  RecordedHost host{parse_capture(text).value()};
};

TEST_F(AHostFromACapture, ReadsAttributesThroughLinks) {
  EXPECT_EQ(host.read("block/sda/size"), "2048");
  EXPECT_EQ(host.read("block/sda/uevent"), "MAJOR=8\nDEVNAME=sda");
  EXPECT_EQ(host.read("block/sda/device/vendor"), "LIO-ORG ");
  EXPECT_EQ(host.read("block/sda/device/rev"), "");
  EXPECT_EQ(host.canonical_sysfs("block/sda/device"), "devices/host0/0:0:0:0");
}

TEST_F(AHostFromACapture, ListsWhatWasThere) {
  EXPECT_EQ(host.list("block"), std::vector<std::string>{"sda"});
  EXPECT_EQ(host.list("block/sda/holders"), std::vector<std::string>{});
  EXPECT_THAT(host.list("devices/host0/0:0:0:0/block").value(), ElementsAre("sda", "sda-more"));
  EXPECT_THAT(host.list("class/nvme"), FailsWith(ErrorCode::no_such_device, "class/nvme"));
}

TEST_F(AHostFromACapture, FailsAsTheKernelDid) {
  const auto unreadable = host.read("block/sda/device/address");

  EXPECT_EQ(unreadable.error().error_number, ENOTCONN);
  EXPECT_THAT(host.read("block/sda/ro"), FailsWith(ErrorCode::no_such_device, "block/sda/ro"));
  EXPECT_FALSE(host.read("block/sda"));
}

TEST_F(AHostFromACapture, LeadsNowhereElse) {
  EXPECT_FALSE(host.canonical_sysfs("devices/out"));
  EXPECT_FALSE(host.canonical_sysfs("../etc"));
  EXPECT_FALSE(host.canonical_sysfs("devices/round"));
}

TEST_F(AHostFromACapture, HasNodesFilesAndMounts) {
  EXPECT_EQ(host.canonical("/dev/mapper/a"), "/dev/sda");
  EXPECT_TRUE(S_ISLNK(host.status("/dev/mapper/a")->mode));
  EXPECT_EQ(host.status("/dev/sda")->device_number, makedev(8, 0));
  EXPECT_EQ(host.status("/recorded/file-1")->size, 4_KiB);
  EXPECT_EQ(host.read_file("/proc/self/mountinfo"),
            "1 0 0:1 / /recorded/mount-1 rw - nfs4 192.0.2.1:/export-1 rw\n");
  EXPECT_THAT(host.status("/dev/sdb"), FailsWith(ErrorCode::no_such_device, "/dev/sdb"));
}

TEST_F(AHostFromACapture, KnowsTheSizeOfANode) {
  std::uint64_t bytes = 0;
  auto node = host.open("/dev/sda", Access::query).value();

  EXPECT_TRUE(node->control(BLKGETSIZE64, &bytes));
  EXPECT_EQ(bytes, 1048576);
}

TEST_F(AHostFromACapture, AnswersWhatMultipathdWasAsked) {
  EXPECT_EQ(host.multipathd("show daemon", {}), "pid 1 idle\n");
  EXPECT_THAT(host.multipathd("show topology", {}),
              FailsWith(ErrorCode::multipath_unavailable, "show topology"));
  EXPECT_THAT(host.scsi("sda", {}), FailsWith(ErrorCode::no_usable_path, "sda"));
  EXPECT_THAT(host.changes(), IsEmpty());
}

TEST_F(AHostFromACapture, RefusesAndNotesEachChange) {
  auto node = host.open("/dev/sda", Access::query).value();

  EXPECT_FALSE(host.write("block/sda/device/rescan", "1"));
  EXPECT_FALSE(host.multipathd("resize map a", {}));
  EXPECT_FALSE(host.open("/dev/sda", Access::command));
  EXPECT_FALSE(node->control(BLKRRPART, nullptr));
  EXPECT_THAT(host.changes(),
              ElementsAre("write block/sda/device/rescan 1", "multipathd resize map a",
                          "open /dev/sda to write", "ioctl 0x125f of /dev/sda"));
}

TEST(ACapture, IsRefusedWithTheLineThatIsWrong) {
  const std::string head(text.substr(0, text.find("[sysfs]")));
  const auto fails_with = [](const auto& words) {
    return FailsWith(ErrorCode::invalid_args, words);
  };

  EXPECT_THAT(parse_capture(""), fails_with("line 1"));
  EXPECT_THAT(parse_capture("volgrow capture 2\n"), fails_with("line 1"));
  EXPECT_THAT(parse_capture(head + "[sysfs]\nblock\n"), fails_with("line 5"));
  EXPECT_THAT(parse_capture(head + "[sysfs]\nblock ! x\n"), fails_with("line 5"));
  EXPECT_THAT(parse_capture(head + "[sysfs]\n| more\n"), fails_with("line 5"));
  EXPECT_THAT(parse_capture(head + "[dev]\n/dev/sda = 8\n"), fails_with("line 5"));
  EXPECT_THAT(parse_capture(head + "[files]\n/recorded/file-1 = 1 2\n"), fails_with("line 5"));
  EXPECT_THAT(parse_capture(head + "[elsewhere]\na = 1\n"), fails_with("line 5"));
}

}  // namespace
}  // namespace volgrow
