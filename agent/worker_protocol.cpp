// SPDX-License-Identifier: Apache-2.0
// Messages between the pool, the zygote and the workers: whole or not at all.
#include "agent/worker_protocol.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace volgrow::agent {
namespace {

// A message must fit into the sender's buffer whole. Without CAP_NET_ADMIN net.core.wmem_max is the
// limit (about 400 KiB by default), and a longer message then fails as EMSGSIZE.
void widen(int socket) {
  const int size = static_cast<int>(message_limit);
  if (::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == 0) return;
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

}  // namespace

Result<std::pair<Fd, Fd>> message_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
    return system_failure(errno, "make a pair of sockets");
  for (const int end : ends)
    widen(end);
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<void> send_message(int socket, std::string_view bytes, int flags) {
  ssize_t sent = -1;
  do
    sent = ::send(socket, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_failure(errno, "send a message");
  return {};
}

Inbox::State Inbox::receive(int socket, int flags) {
  ssize_t size = -1;
  // MSG_TRUNC: the real length, so that a message that was cut is never taken for a whole one.
  do
    size = ::recv(socket, buffer_.get(), message_limit, flags | MSG_TRUNC);
  while (size < 0 && errno == EINTR);
  size_ = 0;
  if (size < 0 && errno == EAGAIN) return State::nothing_yet;
  if (size <= 0) return State::closed;
  if (static_cast<std::size_t>(size) > message_limit) return State::too_long;
  size_ = static_cast<std::size_t>(size);
  return State::message;
}

}  // namespace volgrow::agent
