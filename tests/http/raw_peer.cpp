// SPDX-License-Identifier: Apache-2.0
// Sockets of loopback, read and written as the loop says.
#include "tests/http/raw_peer.h"

#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "http/listening.h"

namespace volgrow {
namespace {

Fd connected_to(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  auto host = endpoint.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), endpoint.c_str() + colon + 1, &wanted, &found) != 0) std::abort();
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0) std::abort();
  return socket;
}

}  // namespace

RawPeer::RawPeer(EventLoop& loop, const std::string& endpoint)
    : RawPeer(loop, connected_to(endpoint)) {}

RawPeer::RawPeer(EventLoop& loop, Fd socket) : loop_(loop), socket_(std::move(socket)) {
  ready_ = loop_.on_ready(socket_.get(), EPOLLIN, [this](std::uint32_t ready) { on_ready(ready); })
               .value();
}

void RawPeer::send(std::string_view bytes) {
  unsent_ += bytes;
  write();
}

void RawPeer::stop_reading() {
  reading_ = false;
  watch();
}

void RawPeer::start_reading() {
  reading_ = true;
  watch();
}

void RawPeer::finish() {
  finishing_ = true;
  write();
}

void RawPeer::vanish() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ready_.reset();
  socket_ = Fd();
}

void RawPeer::on_ready(std::uint32_t ready) {
  if ((ready & EPOLLOUT) != 0) write();
  if ((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void RawPeer::read() {
  std::array<char, 65536> block{};
  const auto count = ::recv(socket_.get(), block.data(), block.size(), MSG_DONTWAIT);
  if (count > 0) {
    received_.append(block.data(), static_cast<std::size_t>(count));
    return;
  }
  if (count < 0 && errno == EAGAIN) return;
  ended_ = true;
  reset_ = count < 0;
  ready_.reset();
}

void RawPeer::write() {
  while (!unsent_.empty() && !ended_) {
    const auto count =
        ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) break;
    unsent_.erase(0, static_cast<std::size_t>(count));
  }
  if (unsent_.empty() && std::exchange(finishing_, false)) ::shutdown(socket_.get(), SHUT_WR);
  watch();
}

void RawPeer::watch() {
  if (ready_)
    loop_.change_events(*ready_, (reading_ ? EPOLLIN : 0U) | (unsent_.empty() ? 0U : EPOLLOUT));
}

RawListener::RawListener(EventLoop& loop)
    : loop_(loop),
      socket_(http::listen_on("127.0.0.1:0").value()),
      endpoint_(http::endpoint_of(socket_).value()) {
  ready_ = loop_
               .on_ready(socket_.get(), EPOLLIN,
                         [this](std::uint32_t) {
                           client_ = std::make_unique<RawPeer>(
                               loop_, Fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
                           ++clients_;
                         })
               .value();
}

}  // namespace volgrow
