// SPDX-License-Identifier: Apache-2.0
// multipathd's frame (multipath-tools, libmpathcmd/mpath_cmd.c): a native size_t, then that many
// bytes with a NUL at their end, the same in both directions; strictly request, then reply.
#include "connectors/multipathd_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>

#include "core/fd.h"

namespace volgrow {
namespace {

/// _MAX_CMD_LEN and MAX_REPLY_LEN of multipath-tools, the NUL included in both.
constexpr std::size_t longest_request = 512;
constexpr std::size_t longest_reply = std::size_t{32} << 20;

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;
};

std::unexpected<Error> unavailable(std::string message, int error_number = 0) {
  return std::unexpected(
      Error{ErrorCode::multipath_unavailable, std::move(message), "", error_number});
}

/// An abstract name has no NUL at its end: with one it would be another name.
Result<Address> address_of(std::string_view text) {
  Address address;
  const bool abstract = text.starts_with('@');
  if (text.empty() || text.size() >= sizeof address.name.sun_path)
    return failure(ErrorCode::internal, fmt::format("'{}' is no address of a socket", text));
  address.name.sun_family = AF_UNIX;
  std::ranges::copy(text, address.name.sun_path);
  if (abstract) address.name.sun_path[0] = '\0';
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
  return address;
}

Result<void> check_owner(const Fd& fd, const std::string& address, uid_t owner) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return system_failure(errno, "who listens on " + address);
  if (peer.uid == owner) return {};
  return unavailable(
      fmt::format("{} belongs to a process of user {}, not of user {}: it is told "
                  "nothing",
                  address, peer.uid, owner));
}

/// One command on its way: what it is, until when it is of use, and the words for what went wrong.
class Conversation {
 public:
  Conversation(std::string_view command, Deadline deadline, const Clock& clock)
      : command_(command), deadline_(deadline), clock_(clock) {}

  Result<void> reach(const MultipathdSocket& socket);
  Result<void> send();
  Result<std::string> receive();

 private:
  Result<Fd> connect(const std::string& address, uid_t owner) const;
  Result<void> join(const Fd& fd, const Address& address, const std::string& name) const;
  Result<void> fill(std::string& text, std::size_t size) const;
  Result<void> await_more() const;
  std::chrono::milliseconds time_left() const;
  std::unexpected<Error> hung_up() const;

  std::string command_;
  Deadline deadline_;
  const Clock& clock_;
  Fd fd_;
};

std::chrono::milliseconds Conversation::time_left() const {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline_.remaining(clock_.now()));
}

std::unexpected<Error> Conversation::hung_up() const {
  return unavailable(
      fmt::format("multipathd hung up in the middle of '{}'; whether it did that is "
                  "unknown",
                  command_));
}

/// connect(2) to an AF_UNIX socket cannot be polled for. It sleeps until there is a place in the
/// listener's queue, no longer than SO_SNDTIMEO allows (net/unix/af_unix.c, unix_stream_connect).
Result<void> Conversation::join(const Fd& fd, const Address& address,
                                const std::string& name) const {
  while (true) {
    const auto left = time_left().count();
    if (left <= 0)
      return failure(ErrorCode::timed_out,
                     fmt::format("no time was left to send '{}' to multipathd", command_));
    const timeval limit{left / 1000, left % 1000 * 1000};
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
      return system_failure(errno, "SO_SNDTIMEO of " + name);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.name), address.size) == 0)
      return {};
    if (errno != EINTR && errno != EAGAIN)
      return unavailable(fmt::format("{}: {}", name, std::strerror(errno)), errno);
  }
}

Result<Fd> Conversation::connect(const std::string& address, uid_t owner) const {
  auto where = address_of(address);
  if (!where) return std::unexpected(std::move(where.error()));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return system_failure(errno, "socket for " + address);
  if (auto joined = join(fd, *where, address); !joined)
    return std::unexpected(std::move(joined.error()));
  if (auto right = check_owner(fd, address, owner); !right)
    return std::unexpected(std::move(right.error()));
  return fd;
}

Result<void> Conversation::reach(const MultipathdSocket& socket) {
  std::string tried;
  for (const auto& address : socket.addresses) {
    auto fd = connect(address, socket.owner);
    if (fd) {
      fd_ = std::move(*fd);
      return {};
    }
    if (fd.error().code != ErrorCode::multipath_unavailable)
      return std::unexpected(std::move(fd.error()));
    tried += (tried.empty() ? "" : "; ") + fd.error().message;
  }
  return unavailable(
      fmt::format("multipathd cannot be reached ({}): systemctl start multipathd", tried));
}

/// In one piece: old versions read the length and the text without waiting in between.
Result<void> Conversation::send() {
  std::size_t size = command_.size() + 1;
  std::array<iovec, 2> pieces{iovec{&size, sizeof size}, iovec{command_.data(), size}};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  ssize_t sent = 0;
  do
    sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(sizeof size + size)) return {};
  return hung_up();
}

Result<void> Conversation::await_more() const {
  const auto left = time_left().count();
  if (left <= 0)
    return failure(ErrorCode::timed_out,
                   fmt::format("multipathd did not answer '{}' within the time allowed; whether it "
                               "did that is unknown",
                               command_));
  pollfd waiting{fd_.get(), POLLIN, 0};
  const auto wait = std::min<decltype(left)>(left, std::numeric_limits<int>::max());
  if (::poll(&waiting, 1, static_cast<int>(wait)) >= 0 || errno == EINTR) return {};
  return system_failure(errno, "poll multipathd");
}

/// Until `text` has `size` bytes. It grows with what has come, never with what was promised.
Result<void> Conversation::fill(std::string& text, std::size_t size) const {
  std::array<char, 16384> buffer;
  while (text.size() < size) {
    const auto wanted = std::min(buffer.size(), size - text.size());
    const auto got = ::recv(fd_.get(), buffer.data(), wanted, MSG_DONTWAIT);
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    const bool nothing_yet = got < 0 && (errno == EAGAIN || errno == EINTR);
    if (!nothing_yet) return hung_up();
    if (auto more = await_more(); !more) return more;
  }
  return {};
}

Result<std::string> Conversation::receive() {
  std::string head;
  if (auto done = fill(head, sizeof(std::size_t)); !done)
    return std::unexpected(std::move(done.error()));
  std::size_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  if (size == 0 || size >= longest_reply)
    return unavailable(
        fmt::format("the answer to '{}' is said to have {} bytes: that is not how "
                    "multipathd speaks; whether it did that is unknown",
                    command_, size));
  std::string reply;
  if (auto done = fill(reply, size); !done) return std::unexpected(std::move(done.error()));
  reply.resize(std::min(reply.find('\0'), reply.size()));
  // Its own time (uxsock_timeout, 4 s) was over before it had the lock this command needs; a bare
  // word in older versions, behind `fail` in newer ones.
  if (reply != "timeout\n" && reply != "fail\ntimeout\n") return reply;
  return unavailable(fmt::format("multipathd was too busy to begin with '{}'", command_));
}

}  // namespace

Result<std::string> multipathd_command(const MultipathdSocket& socket, std::string_view command,
                                       Deadline deadline, const Clock& clock) {
  constexpr std::string_view forbidden("\0\n", 2);
  const bool fits = !command.empty() && command.size() < longest_request;
  if (!fits || command.find_first_of(forbidden) != std::string_view::npos)
    return failure(ErrorCode::internal,
                   fmt::format("'{}' is no command for multipathd", command.substr(0, 64)));
  Conversation conversation(command, deadline, clock);
  if (auto reached = conversation.reach(socket); !reached)
    return std::unexpected(std::move(reached.error()));
  if (auto sent = conversation.send(); !sent) return std::unexpected(std::move(sent.error()));
  return conversation.receive();
}

}  // namespace volgrow
