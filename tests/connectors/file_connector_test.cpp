// SPDX-License-Identifier: Apache-2.0
// Files as layers and as volumes, and the connections that name a path. Paths come from strangers.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto bad = ErrorCode::bad_connection_info;
const std::string image = "/var/lib/volumes/v1.img";

class AFile : public testing::Test {
 protected:
  AFile() {
    kernel.add_file(image, 10_GiB);
    kernel.add_file("/etc/shadow", 1_KiB);
  }

  Layer layer(const std::string& path) { return files->describe(kernel, path).value(); }
  Deadline soon() { return within(3s, kernel.clock().now()); }

  FakeKernel kernel;
  std::unique_ptr<Connector> files = file_connector({"/var/lib/volumes"});
};

TEST_F(AFile, IsClaimedWhenItIsRegular) {
  kernel.add_symlink("/var/lib/volumes/link", image);
  kernel.add_disk("sda");

  EXPECT_TRUE(files->claims(kernel, image));
  EXPECT_FALSE(files->claims(kernel, "/var/lib/volumes/link"));
  EXPECT_FALSE(files->claims(kernel, "/dev/sda"));
  EXPECT_FALSE(files->claims(kernel, "sda"));
  EXPECT_FALSE(files->claims(kernel, "/nowhere"));
}

TEST_F(AFile, IsAVolumeOnlyBeneathARoot) {
  Layer expected;
  expected.connector = "file";
  expected.kind = LayerKind::file;
  expected.device = image;
  expected.size = 10_GiB;
  expected.has_target = true;

  EXPECT_EQ(layer(image), expected);
  EXPECT_FALSE(layer("/etc/shadow").has_target);
}

TEST_F(AFile, InADirectoryThatOnlyBeginsLikeARootIsNoVolume) {
  kernel.add_file("/var/lib/volumes-of-others/v", 1_GiB);

  EXPECT_FALSE(layer("/var/lib/volumes-of-others/v").has_target);
}

TEST_F(AFile, IsItsOwnTruthAndMeasure) {
  const auto before = layer(image);
  kernel.file(image).device = 0xfe01;
  kernel.file(image).inode = 0x2a;
  kernel.file(image).size = 20_GiB;

  EXPECT_EQ(
      files->probe(kernel, before, soon()),
      (Truth{20_GiB, Wwid{WwidType::file, "000000000000fe01000000000000002a0000000000000000"}}));
  EXPECT_EQ(files->measure(kernel, before, true), (Measurement{20_GiB, {}, ""}));
}

TEST_F(AFile, GrowsWithoutBeingTouched) {
  EXPECT_THAT(files->grow(kernel, layer(image), 20_GiB, soon()), Succeeds());

  EXPECT_EQ(kernel.file(image).size, 10_GiB);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AFile, ThatBecameSomethingElseIsNoSuchDevice) {
  const auto before = layer(image);
  kernel.remove_file(image);
  kernel.add_directory(image);

  EXPECT_THAT(files->probe(kernel, before, soon()), FailsWith(ErrorCode::no_such_device, image));
  EXPECT_THAT(files->measure(kernel, before, false), FailsWith(ErrorCode::no_such_device, image));
  EXPECT_THAT(files->describe(kernel, image), FailsWith(ErrorCode::no_such_device, image));
}

class ALocalConnection : public AFile {
 protected:
  Result<std::vector<std::string>> at(const std::string& path) {
    return files->discover(kernel, {"local", {{"device_path", path}}, std::nullopt});
  }
};

TEST_F(ALocalConnection, FindsADeviceByItsNode) {
  kernel.add_disk("sda");

  EXPECT_EQ(at("/dev/sda"), std::vector<std::string>{"sda"});
}

TEST_F(ALocalConnection, FindsADeviceByALinkInDev) {
  kernel.add_disk("sda");
  kernel.add_symlink("/dev/disk/by-id/wwn-0x6001405", "../../sda");

  EXPECT_EQ(at("/dev/disk/by-id/wwn-0x6001405"), std::vector<std::string>{"sda"});
}

TEST_F(ALocalConnection, FindsAFileBeneathARoot) {
  EXPECT_EQ(at(image), std::vector<std::string>{image});
}

TEST_F(ALocalConnection, FindsNothingWhereNothingIs) {
  EXPECT_EQ(at("/dev/sdq"), std::vector<std::string>{});
  EXPECT_EQ(at("/var/lib/volumes/gone"), std::vector<std::string>{});
}

TEST_F(ALocalConnection, NamesTheKeyThatIsMissing) {
  const ConnectionInfo empty{"local", {}, std::nullopt};

  EXPECT_THAT(files->discover(kernel, empty), FailsWith(bad, "device_path"));
}

TEST_F(ALocalConnection, RefusesAFileBeneathNoRoot) {
  EXPECT_THAT(at("/etc/shadow"), FailsWith(bad, "beneath none of the configured"));
}

TEST_F(ALocalConnection, RefusesAWayOutOfARoot) {
  EXPECT_THAT(at("/var/lib/volumes/../../../etc/shadow"), FailsWith(bad, "/etc/shadow is beneath"));
}

TEST_F(ALocalConnection, RefusesASymbolicLinkToAFile) {
  kernel.add_symlink("/var/lib/volumes/v2", image);

  EXPECT_THAT(at("/var/lib/volumes/v2"), FailsWith(bad, "no regular file"));
}

TEST_F(ALocalConnection, RefusesADirectoryThatLinksOutOfARoot) {
  kernel.add_symlink("/var/lib/volumes/etc", "/etc");

  EXPECT_THAT(at("/var/lib/volumes/etc/shadow"), FailsWith(bad, "/etc/shadow is beneath"));
}

TEST_F(ALocalConnection, RefusesAWayOutOfDev) {
  kernel.add_symlink("/dev/mine", "/etc/shadow");

  EXPECT_THAT(at("/dev/mine"), FailsWith(bad, "leads out of /dev"));
  EXPECT_THAT(at("/dev/../etc/shadow"), FailsWith(bad, "leads out of /dev"));
}

TEST_F(ALocalConnection, RefusesWhatIsNoBlockDevice) {
  kernel.add_text_file("/dev/core", "");

  EXPECT_THAT(at("/dev/core"), FailsWith(bad, "no block device"));
  EXPECT_THAT(at("sda"), FailsWith(bad, "no absolute path"));
  EXPECT_THAT(at(""), FailsWith(bad, "device_path"));
}

class AnNfsConnection : public AFile {
 protected:
  AnNfsConnection() {
    kernel.add_text_file(
        "/proc/self/mountinfo",
        "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "40 22 0:40 / /other rw - nfs4 nas:/other rw\n"
        "41 22 0:41 / /var/lib/volumes/nas\\040one rw shared:1 - nfs4 nas:/v rw\n");
    kernel.add_file("/var/lib/volumes/nas one/volume-1", 10_GiB);
    kernel.add_file("/other/volume-1", 10_GiB);
  }
  Result<std::vector<std::string>> find(Value::Object data) {
    return files->discover(kernel, {"nfs", std::move(data), std::nullopt});
  }
};

TEST_F(AnNfsConnection, FindsItsFileWhereItsExportIsMounted) {
  EXPECT_EQ(find({{"export", "nas:/v"}, {"name", "volume-1"}}),
            std::vector<std::string>{"/var/lib/volumes/nas one/volume-1"});
}

TEST_F(AnNfsConnection, FindsNothingWhereItsExportIsNotMounted) {
  EXPECT_EQ(find({{"export", "nas:/w"}, {"name", "volume-1"}}), std::vector<std::string>{});
  EXPECT_EQ(find({{"export", "/dev/vda"}, {"name", "volume-1"}}), std::vector<std::string>{});
}

TEST_F(AnNfsConnection, FindsNothingWhereItsFileIsMissing) {
  EXPECT_EQ(find({{"export", "nas:/v"}, {"name", "volume-2"}}), std::vector<std::string>{});
}

TEST_F(AnNfsConnection, RefusesAMountBeneathNoRoot) {
  EXPECT_THAT(find({{"export", "nas:/other"}, {"name", "volume-1"}}),
              FailsWith(bad, "beneath none of the configured"));
}

TEST_F(AnNfsConnection, NamesTheKeyThatIsMissing) {
  EXPECT_THAT(find({{"name", "volume-1"}}), FailsWith(bad, "export"));
  EXPECT_THAT(find({{"export", "nas:/v"}}), FailsWith(bad, "name"));
}

TEST_F(AnNfsConnection, RefusesANameThatIsAPath) {
  for (const auto* name : {"../../../etc/shadow", "..", ".", "a/b", ""})
    EXPECT_THAT(find({{"export", "nas:/v"}, {"name", name}}), FailsWith(bad, "name")) << name;
}

}  // namespace
}  // namespace volgrow
