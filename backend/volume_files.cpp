// SPDX-License-Identifier: Apache-2.0
// Files by descriptor: the directory is opened anew for every call, so that one that was mounted
// over, unmounted or removed is noticed, and beneath it no link is ever followed.
#include "backend/volume_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/units.h"

namespace volgrow::backend {
namespace {

/// A pipe that somebody put there must not make us wait for its other end.
constexpr std::uint64_t look = O_RDONLY | O_NONBLOCK;

/// Whatever says that the storage has no more: control answers "no capacity" to it. EFBIG: the file
/// system cannot hold a file of this size.
bool means_no_space(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

std::unexpected<Error> storage_failure(int error_number, std::string_view action) {
  auto failed = system_failure(error_number, action);
  if (means_no_space(error_number)) failed.error().code = ErrorCode::no_space;
  return failed;
}

Fd open_beneath(int directory, const std::string& name, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how)));
}

std::unexpected<Error> no_such_volume(const std::string& name, const std::filesystem::path& in) {
  return failure(ErrorCode::no_such_volume, fmt::format("there is no {} in {}", name, in.native()));
}

Result<struct stat> status_of(int file, const std::string& name) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return system_failure(errno, "look at " + name);
  if (S_ISREG(status.st_mode)) return status;
  return failure(ErrorCode::internal, name + " is no regular file, so it is no volume");
}

Bytes size_in(const struct stat& status) {
  return Bytes(static_cast<std::uint64_t>(status.st_size));
}

Result<void> set_size(int file, const std::string& name, Bytes size) {
  if (::ftruncate(file, static_cast<off_t>(size.count())) == 0) return {};
  return storage_failure(errno, fmt::format("make {} {} long", name, exact_size(size)));
}

/// What was reported must not be gone after a power cut; also what an earlier, interrupted call
/// did.
Result<void> make_durable(int file_or_directory, std::string_view what) {
  if (::fsync(file_or_directory) == 0) return {};
  return storage_failure(errno, fmt::format("write {} to the storage", what));
}

/// A nameless file gets its name, unless somebody was faster: then that one counts.
Result<void> give_name(int file, int directory, const std::string& name) {
  const auto nameless = fmt::format("/proc/self/fd/{}", file);
  if (::linkat(AT_FDCWD, nameless.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ||
      errno == EEXIST)
    return {};
  return storage_failure(errno, "name " + name);
}

std::unexpected<Error> another_size(const std::string& name, Bytes there, Bytes wanted) {
  return failure(ErrorCode::size_mismatch,
                 fmt::format("{} is there already, with {} instead of {}", name, exact_size(there),
                             exact_size(wanted)));
}

std::unexpected<Error> would_shrink(const std::string& name, Bytes from, Bytes to) {
  return failure(ErrorCode::would_shrink,
                 fmt::format("{} has {} already, and a volume is never made smaller: {} asked for",
                             name, exact_size(from), exact_size(to)));
}

}  // namespace

std::string file_name_of(const std::string& id) {
  return "volume-" + id;
}

std::filesystem::path VolumeFiles::path_of(const std::string& id) const {
  return directory_ / file_name_of(id);
}

Result<Fd> VolumeFiles::open_directory() const {
  Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) return directory;
  const auto error_number = errno;
  auto failed = system_failure(
      error_number, fmt::format("open the back end's directory {}", directory_.native()));
  if (error_number == ENOENT || error_number == ENOTDIR)
    failed.error().code = ErrorCode::not_initialised;
  return failed;
}

Result<VolumeFiles::Space> VolumeFiles::space() const {
  const auto directory = open_directory();
  if (!directory) return std::unexpected(directory.error());
  struct statvfs status {};
  if (::fstatvfs(directory->get(), &status) != 0)
    return system_failure(errno, "ask for the space of " + directory_.native());
  return Space{Bytes(std::uint64_t{status.f_blocks} * status.f_frsize),
               Bytes(std::uint64_t{status.f_bavail} * status.f_frsize)};
}

/// Sparse files promise more than there is, which is what thin volumes are for. Cinder's rule (its
/// capacity filter) says how much more: the growth must fit the free bytes times the ratio. Where
/// nothing is free, nothing grows.
Result<void> VolumeFiles::expect_room(int directory, Bytes growth) const {
  struct statvfs status {};
  if (::fstatvfs(directory, &status) != 0)
    return system_failure(errno, "ask for the space of " + directory_.native());
  const auto free = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (growth.count() / ratio_ + (growth.count() % ratio_ != 0 ? 1 : 0) <= free) return {};
  return failure(
      ErrorCode::no_space,
      fmt::format("{} has {} free, and {} more are asked for: more than {} times that",
                  directory_.native(), human_size(Bytes(free)), human_size(growth), ratio_));
}

Result<Bytes> VolumeFiles::create(const std::string& id, Bytes size) const {
  const auto name = file_name_of(id);
  const auto directory = open_directory();
  if (!directory) return std::unexpected(directory.error());
  auto there = size_beneath(directory->get(), name);
  if (!there && there.error().code == ErrorCode::no_such_volume) {
    if (auto made = create_new(directory->get(), name, size); !made)
      return std::unexpected(std::move(made.error()));
    there = size_beneath(directory->get(), name);
  }
  if (!there) return there;
  if (*there != size) return another_size(name, *there, size);
  if (auto done = make_durable(directory->get(), directory_.native()); !done)
    return std::unexpected(std::move(done.error()));
  return there;
}

/// Nobody sees the file before it has its size, and an interruption leaves nothing.
Result<void> VolumeFiles::create_new(int directory, const std::string& name, Bytes size) const {
  if (auto room = expect_room(directory, size); !room) return room;
  const Fd file(::openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return storage_failure(errno, "make a file in " + directory_.native());
  if (auto done = set_size(file.get(), name, size); !done) return done;
  if (auto done = make_durable(file.get(), name); !done) return done;
  return give_name(file.get(), directory, name);
}

Result<Bytes> VolumeFiles::size_beneath(int directory, const std::string& name) const {
  const Fd file = open_beneath(directory, name, look);
  if (!file && errno == ENOENT) return no_such_volume(name, directory_);
  if (!file) return system_failure(errno, "open " + name);
  const auto status = status_of(file.get(), name);
  if (!status) return std::unexpected(status.error());
  return size_in(*status);
}

Result<Bytes> VolumeFiles::size(const std::string& id) const {
  const auto directory = open_directory();
  if (!directory) return std::unexpected(directory.error());
  return size_beneath(directory->get(), file_name_of(id));
}

Result<VolumeFiles::Held> VolumeFiles::hold(const std::string& id) const {
  auto name = file_name_of(id);
  auto directory = open_directory();
  if (!directory) return std::unexpected(std::move(directory.error()));
  Fd file = open_beneath(directory->get(), name, O_RDWR | O_NONBLOCK);
  if (!file && errno == ENOENT) return no_such_volume(name, directory_);
  if (!file) return system_failure(errno, "open " + name);
  // Also against a killed predecessor of this program whose thread still sleeps in the kernel: what
  // it would finish late must not undo what is done now.
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return failure(ErrorCode::busy, name + " is held by another program; try again");
  auto status = status_of(file.get(), name);
  if (!status) return std::unexpected(std::move(status.error()));
  if (status->st_nlink == 0) return no_such_volume(name, directory_);
  return Held{std::move(*directory), std::move(file), std::move(name), *status};
}

Result<Bytes> VolumeFiles::grow(const Held& volume, Bytes size) const {
  const auto current = size_in(volume.status);
  if (current > size) return would_shrink(volume.name, current, size);
  if (current < size)
    if (auto done = enlarge(volume, current, size); !done)
      return std::unexpected(std::move(done.error()));
  if (auto done = make_durable(volume.file.get(), volume.name); !done)
    return std::unexpected(std::move(done.error()));
  const auto status = status_of(volume.file.get(), volume.name);
  if (!status) return std::unexpected(status.error());
  return size_in(*status);
}

Result<void> VolumeFiles::enlarge(const Held& volume, Bytes from, Bytes to) const {
  if (auto room = expect_room(volume.directory.get(), to - from); !room) return room;
  return set_size(volume.file.get(), volume.name, to);
}

Result<void> VolumeFiles::remove(const Held& volume) const {
  if (::unlinkat(volume.directory.get(), volume.name.c_str(), 0) != 0 && errno != ENOENT)
    return system_failure(errno, "remove " + volume.name);
  return make_durable(volume.directory.get(), volume.name);
}

Result<Fd> VolumeFiles::open_again(const Held& volume) const {
  Fd file = open_beneath(volume.directory.get(), volume.name, O_RDWR);
  if (!file) return system_failure(errno, "open " + volume.name);
  const auto status = status_of(file.get(), volume.name);
  if (!status) return std::unexpected(status.error());
  if (status->st_dev == volume.status.st_dev && status->st_ino == volume.status.st_ino) return file;
  return failure(ErrorCode::busy, volume.name + " was replaced meanwhile; try again");
}

}  // namespace volgrow::backend
