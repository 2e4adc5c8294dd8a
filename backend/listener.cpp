// SPDX-License-Identifier: Apache-2.0
// The only file that knows what systemd hands over.
#include "backend/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace volgrow::backend {
namespace {

constexpr int backlog = 16;

Fd new_socket() {
  return Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return failure(ErrorCode::invalid_args,
                   fmt::format("{} is too long for the name of a socket", path.native()));
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

/// A socket that nobody listens on refuses, as a file does; nothing but such a socket is ours to
/// remove.
Result<void> clear_away(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return {};
  const auto probe = new_socket();
  const bool refuses =
      ::connect(probe.get(), generic(address), sizeof address) != 0 && errno == ECONNREFUSED;
  if (!S_ISSOCK(status.st_mode) || !refuses)
    return failure(ErrorCode::busy,
                   fmt::format("{} is taken, perhaps by another volgrow-backend", path.native()));
  if (::unlink(path.c_str()) == 0) return {};
  return system_failure(errno, "remove " + path.native());
}

Result<void> give_to(const std::filesystem::path& path, std::optional<uid_t> user) {
  if (!user || *user == ::geteuid()) return {};
  if (::lchown(path.c_str(), *user, static_cast<gid_t>(-1)) == 0) return {};
  return system_failure(errno, "give away " + path.native());
}

}  // namespace

Result<Fd> inherited_listener() {
  constexpr int unset_environment = 1;
  const int count = ::sd_listen_fds(unset_environment);
  if (count < 0) return system_failure(-count, "ask for sockets of the service manager");
  if (count == 0) return Fd();
  Fd listener(SD_LISTEN_FDS_START);
  if (count > 1 || ::sd_is_socket_unix(listener.get(), SOCK_SEQPACKET, 1, nullptr, 0) <= 0)
    return failure(ErrorCode::invalid_args,
                   "the service manager must hand over one listening AF_UNIX socket of "
                   "ListenSequentialPacket=");
  // A connection that is gone before it is accepted must not make the loop wait for the next one.
  if (::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0)
    return system_failure(errno, "set up the socket of the service manager");
  return listener;
}

Result<Fd> bind_listener(const std::filesystem::path& path, std::optional<uid_t> user) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  if (auto cleared = clear_away(path, *address); !cleared)
    return std::unexpected(std::move(cleared.error()));
  auto listener = new_socket();
  // Given with the socket, not afterwards: there is no moment in which others could connect.
  const auto mask = ::umask(0177);
  const bool bound = ::bind(listener.get(), generic(*address), sizeof *address) == 0;
  const auto error_number = errno;
  ::umask(mask);
  if (!bound) return system_failure(error_number, "bind " + path.native());
  if (auto given = give_to(path, user); !given) return std::unexpected(std::move(given.error()));
  if (::listen(listener.get(), backlog) != 0)
    return system_failure(errno, "listen at " + path.native());
  return listener;
}

std::optional<uid_t> uid_of(const std::string& user) {
  uid_t uid = 0;
  const auto* end = user.data() + user.size();
  if (const auto read = std::from_chars(user.data(), end, uid);
      read.ec == std::errc() && read.ptr == end)
    return uid;
  // Called before any thread exists.
  const auto* entry = ::getpwnam(user.c_str());
  return entry != nullptr ? std::optional(entry->pw_uid) : std::nullopt;
}

}  // namespace volgrow::backend
