// SPDX-License-Identifier: Apache-2.0
// A server's connections, kept by what they are doing. Every stage has one limit of time, so within
// a stage they stand in the order in which they run out of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "http/message.h"
#include "http/server.h"

struct MHD_Connection;

namespace volgrow::http {

struct Connection;

/// One request and what becomes of it. An Answer that comes when it is gone is for nobody.
struct Exchange {
  Connection& connection;
  Request request{};  ///< until the application has it
  bool head_read = false;
  bool with_application = false;
  bool suspended = false;  ///< libmicrohttpd waits to be told that there is a response
  std::optional<Refusal> refusal{};
  std::optional<Response> response{};
};

enum class Stage : std::uint8_t {
  receiving,
  answering,  ///< the application has the request; its time is its own
  sending,
  idle,
  left,  ///< the client has closed its side; there is no more to come than what was read already
  cut,   ///< shut down at its deadline, to be closed by libmicrohttpd
};
constexpr std::size_t stages = 6;

struct Connection {
  MHD_Connection* mhd;
  int fd;  ///< libmicrohttpd's
  std::string peer{};
  std::optional<ClientCertificate> certificate{};

  Stage stage = Stage::receiving;
  TimePoint due{};  ///< when it is cut, if its stage has a limit
  std::list<Connection>::iterator self{};
  bool refused = false;  ///< an answer was sent before all of the request was read
  std::shared_ptr<Exchange> exchange{};
};

class Connections {
 public:
  Connections(const Clock& clock, const ServerLimits& limits) : clock_(clock), limits_(limits) {}

  /// Begins in the stage receiving. The reference stays good until it is removed.
  Connection& add(Connection connection);
  void remove(Connection& connection);
  void enter(Connection& connection, Stage stage);

  /// When the first of them runs out of time.
  std::optional<TimePoint> next_due() const;
  /// One that has run out of time; nullptr when there is none.
  Connection* overdue();

  std::list<Connection>& in(Stage stage) { return by_stage_.at(static_cast<std::size_t>(stage)); }
  std::size_t size() const;

 private:
  std::optional<Duration> limit_of(Stage stage) const;

  const Clock& clock_;
  const ServerLimits& limits_;
  std::array<std::list<Connection>, stages> by_stage_;
};

}  // namespace volgrow::http
