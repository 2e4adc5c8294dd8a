// SPDX-License-Identifier: Apache-2.0
// Whole files as text within a limit, and the lock that keeps two programs off one volume.
#include "core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/text.h"

namespace volgrow {
namespace {

/// read(2) that a signal does not end.
ssize_t read_some(int fd, char* to, std::size_t most) {
  ssize_t count = 0;
  do
    count = ::read(fd, to, most);
  while (count < 0 && errno == EINTR);
  return count;
}

bool lock(int fd) {
  int done = 0;
  do
    done = ::flock(fd, LOCK_EX | LOCK_NB);
  while (done < 0 && errno == EINTR);
  return done == 0;
}

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, Bytes limit) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return system_failure(errno, fmt::format("open {}", printable(path.native())));
  return read_text(file.get(), limit, path.native());
}

Result<std::string> read_text(int fd, Bytes limit, std::string_view what) {
  std::string text;
  std::array<char, 16384> block{};
  while (true) {
    const auto count = read_some(fd, block.data(), block.size());
    if (count < 0) return system_failure(errno, fmt::format("read {}", printable(what)));
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > limit.count())
      return failure(ErrorCode::invalid_args, fmt::format("{} holds more than the {} bytes it may",
                                                          printable(what), limit.count()));
  }
}

Result<Fd> lock_file(const std::filesystem::path& path) {
  // The directory may be shared; a link put there in advance must not choose what is opened.
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
  if (!file) return system_failure(errno, fmt::format("open {}", printable(path.native())));
  if (lock(file.get())) return file;
  if (errno != EWOULDBLOCK)
    return system_failure(errno, fmt::format("lock {}", printable(path.native())));
  return failure(ErrorCode::busy,
                 fmt::format("{} is locked by another program; try again when it has finished",
                             printable(path.native())));
}

}  // namespace volgrow
