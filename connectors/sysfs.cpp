// SPDX-License-Identifier: Apache-2.0
// openat2(2) with RESOLVE_BENEATH: block/sda is a link to ../devices/…, which stays inside; an
// absolute link, a magic link or one "../" too many does not and is refused by the kernel.
#include "connectors/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>

namespace volgrow {
namespace {

/// sysfs gives a page per attribute; binary ones (VPD pages) can be longer.
constexpr std::size_t page = 4096;
constexpr std::size_t attribute_limit = std::size_t{1} << 16;

/// A ".." that races with any rename or mount on the machine is EAGAIN (openat2(2)); each try is a
/// few microseconds.
constexpr int attempts = 128;

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// The device behind an attribute can go between open and read, and while the path is walked.
bool is_absence(int error_number) {
  constexpr std::array absences{ENOENT, ENOTDIR, ENODEV, ENXIO};
  return std::ranges::find(absences, error_number) != absences.end();
}

std::unexpected<Error> sysfs_failure(int error_number, std::string_view action,
                                     std::string_view path) {
  auto failed = system_failure(error_number, fmt::format("{} /sys/{}", action, path));
  auto error = std::move(failed).error();
  if (is_absence(error_number)) error.code = ErrorCode::no_such_device;
  if (error_number == EXDEV || error_number == ELOOP) error.code = ErrorCode::invalid_args;
  return std::unexpected(std::move(error));
}

Result<std::string> path_behind(int fd) {
  std::array<char, PATH_MAX> text{};
  const auto link = fmt::format("/proc/self/fd/{}", fd);
  const auto length = ::readlink(link.c_str(), text.data(), text.size());
  if (length < 0) return system_failure(errno, "readlink " + link);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

Result<std::string> read_all(int fd, std::string_view attribute) {
  std::string text;
  std::array<char, page> part;  // NOLINT(*-member-init): filled as far as it is read
  while (text.size() < attribute_limit) {
    const auto count = ::read(fd, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysfs_failure(errno, "read", attribute);
    text.append(part.data(), static_cast<std::size_t>(count));
    // kernfs gives all that is there at once, so less than was asked for is all (fs/kernfs/file.c).
    if (static_cast<std::size_t>(count) < part.size()) break;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<Sysfs> Sysfs::open(const std::string& root) {
  Fd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_failure(errno, "open " + root);
  auto path = path_behind(fd.get());
  if (!path) return std::unexpected(std::move(path.error()));
  return Sysfs(std::move(fd), std::move(*path));
}

Result<Fd> Sysfs::beneath(std::string_view path, int flags) const {
  const std::string name(path);
  if (name.empty() || name.find('\0') != std::string::npos)
    return failure(ErrorCode::invalid_args, "a sysfs path is empty or holds a NUL");
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto fd = ::syscall(SYS_openat2, root_.get(), name.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) return sysfs_failure(errno, "open", path);
  }
  return sysfs_failure(EAGAIN, "open", path);
}

Result<std::string> Sysfs::read(std::string_view attribute) const {
  auto fd = beneath(attribute, O_RDONLY);
  if (!fd) return std::unexpected(std::move(fd.error()));
  return read_all(fd->get(), attribute);
}

Result<void> Sysfs::write(std::string_view attribute, std::string_view text) const {
  auto fd = beneath(attribute, O_WRONLY);
  if (!fd) return std::unexpected(std::move(fd.error()));
  const auto written = ::write(fd->get(), text.data(), text.size());
  if (written < 0) return sysfs_failure(errno, "write", attribute);
  if (static_cast<std::size_t>(written) == text.size()) return {};
  return sysfs_failure(EIO, "write", attribute);
}

Result<std::vector<std::string>> Sysfs::list(std::string_view directory) const {
  auto fd = beneath(directory, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::unexpected(std::move(fd.error()));
  const std::unique_ptr<DIR, DirectoryCloser> entries(::fdopendir(fd->get()));
  if (!entries) return sysfs_failure(errno, "list", directory);
  fd->release();  // the stream owns it now
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<std::string> Sysfs::canonical(std::string_view path) const {
  auto fd = beneath(path, O_PATH);
  if (!fd) return std::unexpected(std::move(fd.error()));
  auto whole = path_behind(fd->get());
  if (!whole) return whole;
  const auto prefix = path_ + "/";
  if (*whole == path_) return std::string();
  if (whole->starts_with(prefix)) return whole->substr(prefix.size());
  return sysfs_failure(ENOENT, "resolve", path);  // it was removed while it was open
}

}  // namespace volgrow
