// SPDX-License-Identifier: Apache-2.0
// Volumes in a directory of this machine, and what somebody may have put there instead.
#include "backend/volume_files.h"

#include <gmock/gmock.h>
#include <sys/file.h>

#include <filesystem>
#include <fstream>

#include "tests/connectors/results.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::backend {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto petabyte = Bytes(std::uint64_t{1} << 50);

class ADirectoryOfVolumes : public ::testing::Test {
 protected:
  Result<Bytes> grow(const std::string& id, Bytes size) const {
    const auto held = files.hold(id);
    if (!held) return std::unexpected(held.error());
    return files.grow(*held, size);
  }
  Result<void> remove(const std::string& id) const {
    const auto held = files.hold(id);
    if (!held) return std::unexpected(held.error());
    return files.remove(*held);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder.path()))
      found.push_back(entry.path().filename());
    return found;
  }

  TemporaryDirectory folder;
  VolumeFiles files{folder.path(), 20};
};

TEST_F(ADirectoryOfVolumes, HoldsANewVolumeAsASparseFileOfItsOwner) {
  const auto size = files.create("a", 1_GiB);

  EXPECT_EQ(size, 1_GiB);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "volume-a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_LT(status.st_blocks, 100);
}

TEST_F(ADirectoryOfVolumes, CreatesTheSameVolumeTwice) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());

  EXPECT_EQ(files.create("a", 64_MiB), 64_MiB);
}

TEST_F(ADirectoryOfVolumes, SaysSoWhenAVolumeHasAnotherSize) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());

  EXPECT_THAT(files.create("a", 32_MiB), FailsWith(ErrorCode::size_mismatch, "64 MiB"));
  EXPECT_EQ(files.size("a"), 64_MiB);
}

TEST_F(ADirectoryOfVolumes, GrowsAndMeasures) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());

  EXPECT_EQ(grow("a", 96_MiB), 96_MiB);
  EXPECT_EQ(grow("a", 96_MiB), 96_MiB);
  EXPECT_EQ(fs::file_size(folder / "volume-a"), 96U << 20);
}

TEST_F(ADirectoryOfVolumes, NeverShrinks) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());

  EXPECT_THAT(grow("a", 32_MiB), FailsWith(ErrorCode::would_shrink, "never made smaller"));
  EXPECT_EQ(files.size("a"), 64_MiB);
}

TEST_F(ADirectoryOfVolumes, HasNoSpaceForMuchMoreThanIsFree) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());

  EXPECT_THAT(grow("a", petabyte), FailsWith(ErrorCode::no_space, "free"));
  EXPECT_THAT(files.create("b", petabyte), FailsWith(ErrorCode::no_space, "free"));
  EXPECT_EQ(files.size("a"), 64_MiB);
  EXPECT_THAT(names(), ElementsAre("volume-a"));
}

TEST_F(ADirectoryOfVolumes, PromisesMoreThanIsFreeAsFarAsItsRatioGoes) {
  const auto free = files.space().value().free;
  const auto twice = Bytes(free.count() / 512 * 1024);
  const VolumeFiles strict(folder.path(), 1);

  EXPECT_THAT(strict.create("a", twice), FailsWith(ErrorCode::no_space, "free"));
  EXPECT_EQ(files.create("a", twice), twice);
}

TEST_F(ADirectoryOfVolumes, SaysNoSpaceWhenTheFileSystemCannotHoldSuchAFile) {
  const VolumeFiles generous(folder.path(), 1'000'000'000);
  const auto longest = Bytes(INT64_MAX / 512 * 512);

  EXPECT_THAT(generous.create("a", longest), FailsWith(ErrorCode::no_space, "volume-a"));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(ADirectoryOfVolumes, RemovesAVolume) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());

  EXPECT_THAT(remove("a"), Succeeds());
  EXPECT_THAT(files.size("a"), FailsWith(ErrorCode::no_such_volume, "volume-a"));
  EXPECT_THAT(remove("a"), FailsWith(ErrorCode::no_such_volume, "volume-a"));
}

TEST_F(ADirectoryOfVolumes, ThatIsMissingIsABackEndNotInitialised) {
  const VolumeFiles missing(folder / "missing", 20);

  EXPECT_THAT(missing.space(), FailsWith(ErrorCode::not_initialised, "missing"));
  EXPECT_THAT(missing.create("a", 1_MiB), FailsWith(ErrorCode::not_initialised, "missing"));
  EXPECT_THAT(missing.size("a"), FailsWith(ErrorCode::not_initialised, "missing"));
  EXPECT_THAT(missing.hold("a"), FailsWith(ErrorCode::not_initialised, "missing"));
}

TEST_F(ADirectoryOfVolumes, FollowsNoLinkOutOfItself) {
  const TemporaryDirectory elsewhere;
  resize_sparse(elsewhere / "treasure", 64_MiB);
  fs::create_symlink(elsewhere / "treasure", folder / "volume-a");

  EXPECT_FALSE(files.size("a"));
  EXPECT_FALSE(grow("a", 96_MiB));
  EXPECT_FALSE(files.create("a", 64_MiB));
  EXPECT_EQ(fs::file_size(elsewhere / "treasure"), 64U << 20);
}

TEST_F(ADirectoryOfVolumes, TakesNothingButAFileForAVolume) {
  fs::create_directory(folder / "volume-a");
  ASSERT_EQ(::mkfifo((folder / "volume-b").c_str(), 0600), 0);

  EXPECT_THAT(files.size("a"), FailsWith(ErrorCode::internal, "no regular file"));
  EXPECT_THAT(files.size("b"), FailsWith(ErrorCode::internal, "no regular file"));
  EXPECT_FALSE(files.hold("a"));
  EXPECT_THAT(files.hold("b"), FailsWith(ErrorCode::internal, "no regular file"));
}

TEST_F(ADirectoryOfVolumes, LeavesAVolumeAloneThatAnotherProgramHolds) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());
  const auto held = files.hold("a");

  EXPECT_THAT(files.hold("a"), FailsWith(ErrorCode::busy, "held by another program"));
  EXPECT_EQ(files.size("a"), 64_MiB);
}

TEST_F(ADirectoryOfVolumes, OpensAVolumeAgainWithoutItsLock) {
  ASSERT_THAT(files.create("a", 64_MiB), Succeeds());
  auto held = files.hold("a");
  const auto again = files.open_again(*held);

  ASSERT_THAT(again, Succeeds());
  held = failure(ErrorCode::cancelled, "given up");
  EXPECT_THAT(files.hold("a"), Succeeds());
}

}  // namespace
}  // namespace volgrow::backend
