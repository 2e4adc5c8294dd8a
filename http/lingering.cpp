// SPDX-License-Identifier: Apache-2.0
// One readiness, one read: a fast sender must not hold the loop.
#include "http/lingering.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace volgrow::http {

void Lingering::keep(int fd) {
  Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return;
  const auto place = sockets_.insert(sockets_.end(), Socket{std::move(own), {}, {}});
  auto readable =
      loop_.on_ready(place->fd.get(), EPOLLIN, [this, place](std::uint32_t) { drain(place); });
  auto end = loop_.at(clock_.now() + longest_, [this, place] { sockets_.erase(place); });
  if (!readable || !end) {
    sockets_.erase(place);
    return;
  }
  place->readable = std::move(*readable);
  place->end = std::move(*end);
}

void Lingering::drain(Place place) {
  std::array<char, 65536> dropped;
  const auto count = ::recv(place->fd.get(), dropped.data(), dropped.size(), MSG_DONTWAIT);
  const bool more = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
  if (!more) sockets_.erase(place);
}

}  // namespace volgrow::http
