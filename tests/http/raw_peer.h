// SPDX-License-Identifier: Apache-2.0
// The other end of a connection, byte for byte: what HTTP libraries would never send or show.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/event_loop.h"
#include "core/fd.h"

namespace volgrow {

class RawPeer {
 public:
  /// A client of `endpoint` ("127.0.0.1:80", "[::1]:80").
  RawPeer(EventLoop& loop, const std::string& endpoint);
  /// Over a socket that is connected already.
  RawPeer(EventLoop& loop, Fd socket);
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  /// Leaves as the loop turns and the other side reads.
  void send(std::string_view bytes);
  void stop_reading();
  void start_reading();
  /// No more is sent after what was given; it still reads.
  void finish();
  /// Gone, with a reset.
  void vanish();

  const std::string& received() const { return received_; }
  std::string take_received() { return std::exchange(received_, {}); }
  /// The other side ended the connection, in order or by a reset.
  bool ended() const { return ended_; }
  bool was_reset() const { return reset_; }
  bool has_sent_all() const { return unsent_.empty(); }

 private:
  void on_ready(std::uint32_t ready);
  void read();
  void write();
  void watch();

  EventLoop& loop_;
  Fd socket_;
  std::string unsent_;
  std::string received_;
  bool reading_ = true;
  bool finishing_ = false;
  bool ended_ = false;
  bool reset_ = false;
  EventLoop::Watch ready_;
};

/// A server that does nothing by itself: a listening socket and whoever connected to it.
class RawListener {
 public:
  explicit RawListener(EventLoop& loop);

  const std::string& endpoint() const { return endpoint_; }
  /// The client that came last; nullptr before the first.
  RawPeer* client() const { return client_.get(); }
  unsigned clients() const { return clients_; }
  void hang_up() { client_.reset(); }

 private:
  EventLoop& loop_;
  Fd socket_;
  std::string endpoint_;
  std::unique_ptr<RawPeer> client_;
  unsigned clients_ = 0;
  EventLoop::Watch ready_;
};

}  // namespace volgrow
