// SPDX-License-Identifier: Apache-2.0
// Connections that ended with an answer before all of the request was read. Closing such a socket
// resets it, and the reset overtakes the answer (RFC 9112 §9.6); so what still comes is read and
// thrown away until the client has closed its side.
#pragma once

#include <cstddef>
#include <list>

#include "core/clock.h"
#include "core/event_loop.h"
#include "core/fd.h"

namespace volgrow::http {

class Lingering {
 public:
  Lingering(EventLoop& loop, const Clock& clock, Duration longest)
      : loop_(loop), clock_(clock), longest_(longest) {}

  /// Keeps the socket behind `fd` open, for `longest` at most; the descriptor stays the caller's.
  void keep(int fd);
  std::size_t size() const { return sockets_.size(); }

 private:
  struct Socket {
    Fd fd;
    EventLoop::Watch readable;
    EventLoop::Watch end;
  };
  using Place = std::list<Socket>::iterator;

  void drain(Place place);

  EventLoop& loop_;
  const Clock& clock_;
  Duration longest_;
  std::list<Socket> sockets_;
};

}  // namespace volgrow::http
