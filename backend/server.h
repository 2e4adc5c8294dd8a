// SPDX-License-Identifier: Apache-2.0
// The helper's end of the socket: who may ask, what was asked, and the answer when a lane has it.
// It decides nothing about storage.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "backend/driver.h"
#include "backend/lanes.h"
#include "backend/packet_connection.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/fd.h"
#include "service/log.h"

namespace volgrow::backend {

struct ServerLimits {
  std::size_t lanes = 4;  ///< of each back end
  std::size_t connections = 16;
  std::size_t in_flight = 64;  ///< calls of one connection; further ones stay in its socket
};

/// Root, and who is configured. nullopt: nobody is.
bool may_ask(uid_t uid, std::optional<uid_t> user);

class Server {
 public:
  using Drivers = std::map<std::string, std::shared_ptr<const Driver>>;
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Log& log;
  };

  /// `drivers` by the name of their back end. Errors: Internal.
  static Result<std::unique_ptr<Server>> create(const Needs& needs, const Drivers& drivers,
                                                std::optional<uid_t> user, ServerLimits limits);

  /// From now on connections of this listening, non-blocking socket are served.
  Result<void> listen(Fd listener);
  /// A connected, non-blocking socket. A peer that may not ask is told so, and hung up on.
  void serve(Fd socket);

 private:
  struct BackEndLanes {
    std::shared_ptr<const Driver> driver;
    std::unique_ptr<Lanes> lanes;
  };
  struct Peer {
    std::unique_ptr<PacketConnection> connection;
    std::size_t in_flight = 0;
  };

  Server(const Needs& needs, std::optional<uid_t> user, ServerLimits limits)
      : loop_(needs.loop), clock_(needs.clock), log_(needs.log), user_(user), limits_(limits) {}

  Result<void> add(const std::string& name, std::shared_ptr<const Driver> driver);
  void accept();
  std::optional<Error> objection_to(int socket);
  void on_packet(std::uint64_t peer, const std::string& packet);
  void refuse(std::uint64_t peer, const std::string& packet, const Error& why);
  void carry_out(std::uint64_t peer, Request request);
  void answer(std::uint64_t peer, std::uint64_t id, const Call& call, Result<Outcome> outcome);
  void tell_stuck(const std::string& name);

  EventLoop& loop_;
  const Clock& clock_;
  Log& log_;
  std::optional<uid_t> user_;
  ServerLimits limits_;
  std::map<std::string, BackEndLanes> backends_;
  std::map<std::uint64_t, Peer> peers_;
  std::uint64_t last_peer_ = 0;
  std::set<uid_t> refused_;  ///< logged once each
  Fd listener_;
  EventLoop::Watch listening_;
};

}  // namespace volgrow::backend
