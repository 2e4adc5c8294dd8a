// SPDX-License-Identifier: Apache-2.0
// One end of a SOCK_SEQPACKET connection on the loop: whole packets of a bounded length in both
// directions. What is in a packet is not looked at here.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/event_loop.h"
#include "core/fd.h"

namespace volgrow::backend {

class PacketConnection {
 public:
  using OnPacket = std::function<void(std::string packet)>;
  /// The last thing that is called, with the reason; the connection may be destroyed in it.
  using OnEnd = std::function<void(const Error& why)>;

  /// Of both ends of a connection, one at most may be patient, or both could wait for each other.
  enum class WithUnsent {
    read_on,
    wait,  ///< who does not read what is sent to it is not read from
  };

  /// Takes a connected, non-blocking socket. Errors: Internal.
  static Result<std::unique_ptr<PacketConnection>> create(EventLoop& loop, Fd socket,
                                                          WithUnsent with_unsent,
                                                          OnPacket on_packet, OnEnd on_end);

  /// At once, or when the other end has read what is before it. What is queued is the caller's to
  /// bound. An end that is met here is told later, on the loop.
  void send(std::string packet);
  /// Whether packets are taken at all: who does not read makes the other end wait.
  void read(bool wanted);

 private:
  PacketConnection(EventLoop& loop, Fd socket, WithUnsent with_unsent, OnPacket on_packet,
                   OnEnd on_end)
      : loop_(loop),
        socket_(std::move(socket)),
        with_unsent_(with_unsent),
        on_packet_(std::move(on_packet)),
        on_end_(std::move(on_end)) {}

  void on_ready(std::uint32_t ready);
  bool reads() const { return wanted_ && (queue_.empty() || with_unsent_ == WithUnsent::read_on); }
  void receive();
  void end(const Error& why);
  Result<void> flush();
  void watch_for();

  EventLoop& loop_;
  Fd socket_;
  WithUnsent with_unsent_;
  OnPacket on_packet_;
  OnEnd on_end_;
  std::deque<std::string> queue_;
  bool wanted_ = true;
  EventLoop::Watch watch_;  ///< last: ends before what its callback uses
};

}  // namespace volgrow::backend
