// SPDX-License-Identifier: Apache-2.0
// recv and send of whole packets. Descriptors that a packet brings along are never accepted: recv
// takes no control messages, so the kernel drops them.
#include "backend/packet_connection.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "backend/protocol.h"

namespace volgrow::backend {
namespace {

std::unexpected<Error> ended(std::string why) {
  return failure(ErrorCode::unreachable, std::move(why));
}

/// nullopt: nothing is there now.
Result<std::optional<std::string>> packet_from(int socket) {
  std::string packet(longest_packet.count(), '\0');
  // With MSG_TRUNC the length is the packet's own, not what fitted.
  const auto size = ::recv(socket, packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (size < 0) return system_failure(errno, "receive a packet");
  if (size == 0) return ended("the other end closed the connection");
  if (static_cast<std::uint64_t>(size) > longest_packet.count())
    return ended(fmt::format("a packet of {} bytes came, and the longest allowed is {}", size,
                             longest_packet.count()));
  packet.resize(static_cast<std::size_t>(size));
  return packet;
}

/// False: the other end has to read first.
Result<bool> sent(int socket, const std::string& packet) {
  if (::send(socket, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
  if (errno == EAGAIN || errno == EINTR) return false;
  if (errno == EPIPE || errno == ECONNRESET) return ended("the other end closed the connection");
  return system_failure(errno, "send a packet");
}

}  // namespace

Result<std::unique_ptr<PacketConnection>> PacketConnection::create(EventLoop& loop, Fd socket,
                                                                   WithUnsent with_unsent,
                                                                   OnPacket on_packet,
                                                                   OnEnd on_end) {
  const int fd = socket.get();
  std::unique_ptr<PacketConnection> made(new PacketConnection(
      loop, std::move(socket), with_unsent, std::move(on_packet), std::move(on_end)));
  auto watch = loop.on_ready(fd, EPOLLIN,
                             [self = made.get()](std::uint32_t ready) { self->on_ready(ready); });
  if (!watch) return std::unexpected(std::move(watch.error()));
  made->watch_ = std::move(*watch);
  return made;
}

void PacketConnection::send(std::string packet) {
  queue_.push_back(std::move(packet));
  // An error shows again as EPOLLHUP or EPOLLERR, which the loop reports whatever is asked for.
  if (queue_.size() == 1) std::ignore = flush();
  watch_for();
}

void PacketConnection::read(bool wanted) {
  wanted_ = wanted;
  watch_for();
}

/// One packet a turn: a flood on one connection leaves the others their turn.
void PacketConnection::on_ready(std::uint32_t ready) {
  if ((ready & EPOLLOUT) != 0) {
    if (const auto done = flush(); !done) return end(done.error());
    watch_for();
  }
  if ((ready & EPOLLIN) != 0 && reads()) return receive();
  if ((ready & (EPOLLHUP | EPOLLERR)) != 0)
    end(ended("the other end closed the connection").error());
}

/// Called through copies: what is called may destroy this connection and its callbacks with it.
void PacketConnection::end(const Error& why) {
  const auto on_end = on_end_;
  on_end(why);
}

void PacketConnection::receive() {
  auto packet = packet_from(socket_.get());
  if (!packet) return end(packet.error());
  if (!*packet) return;
  const auto on_packet = on_packet_;
  on_packet(std::move(**packet));
}

Result<void> PacketConnection::flush() {
  while (!queue_.empty()) {
    const auto gone = sent(socket_.get(), queue_.front());
    if (!gone) return std::unexpected(gone.error());
    if (!*gone) return {};
    queue_.pop_front();
  }
  return {};
}

void PacketConnection::watch_for() {
  const std::uint32_t events = (reads() ? EPOLLIN : 0U) | (queue_.empty() ? 0U : EPOLLOUT);
  loop_.change_events(*watch_, events);
}

}  // namespace volgrow::backend
