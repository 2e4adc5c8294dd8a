// SPDX-License-Identifier: Apache-2.0
// The walls around sysfs, on a directory that is built like it, and on the real one.
#include "connectors/sysfs.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/connectors/results.h"
#include "tests/fakes/real_loop.h"

namespace volgrow {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class ASysfs : public testing::Test {
 protected:
  ASysfs() {
    write("outside", "secret\n");
    std::filesystem::create_directories(root + "/devices/pci/block/sda");
    std::filesystem::create_directories(root + "/block");
    write("sys/devices/pci/block/sda/size", "2048\n");
    link("block/sda", "../devices/pci/block/sda");
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory / name) << text;
  }
  void link(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, root + "/" + name);
  }
  Sysfs sysfs() { return Sysfs::open(root).value(); }

  TemporaryDirectory directory;
  std::string root = directory / "sys";
};

TEST_F(ASysfs, IsReadThroughItsOwnLinksWithoutTheNewline) {
  EXPECT_EQ(sysfs().read("block/sda/size"), "2048");
}

TEST_F(ASysfs, IsListedInOrder) {
  std::filesystem::create_directories(root + "/block/loop0");

  EXPECT_EQ(sysfs().list("block"), (std::vector<std::string>{"loop0", "sda"}));
}

TEST_F(ASysfs, SaysWhereAPathReallyIs) {
  EXPECT_EQ(sysfs().canonical("block/sda"), "devices/pci/block/sda");
  EXPECT_EQ(sysfs().canonical("block/sda/../sda/size"), "devices/pci/block/sda/size");
}

TEST_F(ASysfs, IsWrittenWhereTheAttributeIsAndNowhereElse) {
  EXPECT_THAT(sysfs().write("block/sda/size", "4096"), Succeeds());
  EXPECT_THAT(sysfs().write("block/sda/rescan", "1"), FailsWith(ErrorCode::no_such_device, ""));

  EXPECT_EQ(sysfs().read("block/sda/size"), "4096");
  EXPECT_FALSE(std::filesystem::exists(root + "/block/sda/rescan"));
}

TEST_F(ASysfs, HasNoSuchDeviceWhereAPathIsMissing) {
  EXPECT_THAT(sysfs().read("block/sdb/size"), FailsWith(ErrorCode::no_such_device, "block/sdb"));
  EXPECT_THAT(sysfs().read("block/sda/size/x"), FailsWith(ErrorCode::no_such_device, ""));
  EXPECT_THAT(sysfs().list("block/sdb"), FailsWith(ErrorCode::no_such_device, ""));
  EXPECT_THAT(sysfs().canonical("block/sdb"), FailsWith(ErrorCode::no_such_device, ""));
}

TEST_F(ASysfs, IsNotLeftByAnyPath) {
  link("block/absolute", directory / "outside");
  link("block/upward", "../../outside");
  link("block/loop", "loop");
  const std::string with_nul("block/sda/size\0x", 16);

  for (const std::string& path :
       {std::string("../outside"), std::string("block/../../outside"), directory / "outside",
        std::string("block/absolute"), std::string("block/upward"), std::string("block/loop"),
        std::string(), with_nul}) {
    EXPECT_THAT(sysfs().read(path), FailsWith(ErrorCode::invalid_args, "")) << path;
    EXPECT_THAT(sysfs().write(path, "1"), FailsWith(ErrorCode::invalid_args, "")) << path;
    EXPECT_THAT(sysfs().canonical(path), FailsWith(ErrorCode::invalid_args, "")) << path;
  }
}

TEST_F(ASysfs, CannotBeOpenedWhereNoDirectoryIs) {
  EXPECT_THAT(Sysfs::open(directory / "outside"), FailsWith(ErrorCode::internal, "outside"));
}

TEST(TheRealSysfs, ListsBlockDevicesThatAreLinksInsideIt) {
  const auto sysfs = Sysfs::open("/sys").value();
  const auto devices = sysfs.list("block");
  ASSERT_THAT(devices, Succeeds());
  if (devices->empty()) GTEST_SKIP() << "this machine has no block device";

  const auto where = sysfs.canonical("block/" + devices->front());

  ASSERT_THAT(where, Succeeds());
  EXPECT_TRUE(where->starts_with("devices/")) << *where;
  EXPECT_THAT(sysfs.read("block/" + devices->front() + "/size"), Succeeds());
}

}  // namespace
}  // namespace volgrow
