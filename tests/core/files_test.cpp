// SPDX-License-Identifier: Apache-2.0
// Whole-file reads and the lock, against a real directory.
#include "core/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace volgrow {
namespace {

using ::testing::HasSubstr;

class ADirectory : public ::testing::Test {
 protected:
  static std::filesystem::path make() {
    std::string pattern = std::filesystem::temp_directory_path() / "volgrow-files-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  ~ADirectory() override { std::filesystem::remove_all(root); }

  std::filesystem::path file(std::string_view name, std::string_view text) const {
    std::ofstream(root / name, std::ios::binary) << text;
    return root / name;
  }

  const std::filesystem::path root = make();
};

using ATextFile = ADirectory;

TEST_F(ATextFile, IsReadWhole) {
  const std::string text("size\0\n\xff", 7);

  EXPECT_EQ(read_text_file(file("a", text), 7_B), text);
}

TEST_F(ATextFile, LongerThanAReadIsReadWhole) {
  const std::string text(100'000, 'x');

  EXPECT_EQ(read_text_file(file("a", text), 1_MiB), text);
}

TEST_F(ATextFile, MayBeEmpty) {
  EXPECT_EQ(read_text_file(file("a", ""), 0_B), "");
}

TEST_F(ATextFile, BeyondItsLimitIsRefused) {
  const auto text = read_text_file(file("big", "12345678"), 7_B);

  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(text.error().message, HasSubstr("more than the 7 bytes"));
}

TEST_F(ATextFile, WithoutEndStopsAtItsLimit) {
  EXPECT_EQ(read_text_file("/dev/zero", 1_MiB).error().code, ErrorCode::invalid_args);
}

TEST_F(ATextFile, ThatIsMissingIsNamedWithItsErrno) {
  const auto text = read_text_file(root / "none\n", 1_KiB);

  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().error_number, ENOENT);
  EXPECT_THAT(text.error().message, HasSubstr("none\\x0a: No such file or directory"));
}

TEST_F(ATextFile, ThatIsADirectoryIsAnError) {
  EXPECT_EQ(read_text_file(root, 1_KiB).error().error_number, EISDIR);
}

TEST(ADescriptor, IsReadToItsEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd out(ends[0]);
  {
    const Fd in(ends[1]);
    ASSERT_EQ(::write(in.get(), "passphrase", 10), 10);
  }

  EXPECT_EQ(read_text(out.get(), 10_B, "the pipe"), "passphrase");
}

TEST(ADescriptor, ThatIsClosedIsNamed) {
  const auto text = read_text(-1, 10_B, "the pipe");

  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().error_number, EBADF);
  EXPECT_THAT(text.error().message, HasSubstr("read the pipe"));
}

using ALock = ADirectory;

TEST_F(ALock, IsHeldUntilItsDescriptorGoes) {
  auto held = lock_file(root / "volume").value();

  const auto second = lock_file(root / "volume");
  held = Fd();
  const auto third = lock_file(root / "volume");

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_THAT(second.error().message, HasSubstr("volume is locked by another program"));
  EXPECT_TRUE(third);
}

TEST_F(ALock, IsAPrivateFileThatNoChildInherits) {
  const auto held = lock_file(root / "volume").value();

  struct stat status {};
  ASSERT_EQ(::fstat(held.get(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(::fcntl(held.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(ALock, DoesNotFollowALinkPutInItsPlace) {
  const auto victim = file("victim", "");
  std::filesystem::create_symlink(victim, root / "volume");

  EXPECT_EQ(lock_file(root / "volume").error().error_number, ELOOP);
}

TEST_F(ALock, InAMissingDirectoryIsAnError) {
  EXPECT_EQ(lock_file(root / "none" / "volume").error().error_number, ENOENT);
}

TEST(AnFd, ClosesWhatItOwnedWhenAnotherIsMovedIn) {
  Fd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = first.get();

  first = Fd();

  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_FALSE(first);
}

}  // namespace
}  // namespace volgrow
