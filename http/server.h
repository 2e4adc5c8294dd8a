// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server on the event loop: whole requests go in, answers come back now or later. What
// a stranger may cost is limited in bytes, connections and time; the rest of the program sees
// values.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "http/message.h"

namespace volgrow::http {

/// Files in PEM form.
struct ServerTls {
  std::string certificate{};  ///< with the chain behind it
  std::string key{};
  /// Who signs clients. Not empty: a client without a certificate of theirs ends in the handshake.
  std::string client_ca{};
};

/// Who exceeds a limit of time is cut off without a word.
struct ServerLimits {
  Bytes target = 8_KiB;                           ///< of the request line; above it 414
  Bytes head = 16_KiB;                            ///< request line and fields; above it 431
  Bytes body = Bytes(114688);                     ///< Cinder's limit; above it 413
  unsigned connections = 500;                     ///< more wait to be accepted
  unsigned connections_per_address = 250;         ///< more are closed at once
  Duration receiving = std::chrono::seconds(30);  ///< a whole request, however slowly it comes
  Duration idle = std::chrono::seconds(75);       ///< from an answer to the next request line
  Duration sending = std::chrono::seconds(30);    ///< a whole answer, however slowly it is read

  bool operator==(const ServerLimits&) const = default;
};

/// The server refused a request by itself. `reason` is a sentence for people.
struct Refusal {
  int status;  ///< 400 413 414 431 500 501
  std::string_view reason;
};

struct ServerOptions {
  /// "127.0.0.1:8776", "[::1]:8776", ":8776" for every address of the host; port 0 is any free one.
  std::string listen{};
  std::optional<ServerTls> tls{};
  ServerLimits limits{};
  /// Phrases a refusal as the application's clients expect; without it, the reason as text/plain.
  /// libmicrohttpd does not ask before it refuses what is hardly HTTP: a Content-Length that is no
  /// number, chunks that are none, a head far beyond its limit.
  std::function<Response(const Refusal&)> on_refused{};
};

/// The right to answer one request, once: answer({.status = 200}). Called from the loop's thread,
/// within OnRequest or at any time later, also when the client or the server is gone. An Answer
/// that is destroyed unused is a 500.
class Answer {
 public:
  /// `deliver` gets what was answered; nothing when the Answer was dropped.
  using Deliver = std::move_only_function<void(std::optional<Response>)>;

  explicit Answer(Deliver deliver) : deliver_(std::move(deliver)) {}
  Answer(Answer&& other) noexcept : deliver_(std::exchange(other.deliver_, nullptr)) {}
  Answer& operator=(Answer&& other) noexcept {
    std::swap(deliver_, other.deliver_);
    return *this;
  }
  ~Answer() { give(std::nullopt); }

  void operator()(Response response) { give(std::move(response)); }

 private:
  void give(std::optional<Response> response) {
    if (auto deliver = std::exchange(deliver_, nullptr)) deliver(std::move(response));
  }

  Deliver deliver_;
};

/// Must not destroy the server.
using OnRequest = std::function<void(Request, Answer)>;

class Server {
 public:
  /// Accepts connections from now on, as the loop turns. The loop and the clock must outlive the
  /// server. Errors: InvalidArgs for an address or a certificate; Internal with errno.
  static Result<std::unique_ptr<Server>> listen(EventLoop& loop, const Clock& clock,
                                                ServerOptions options, OnRequest on_request);
  /// Closes every connection; who still waits for an answer gets none.
  virtual ~Server() = default;

  /// Where it listens, with the real port: "127.0.0.1:8776".
  virtual const std::string& endpoint() const = 0;
  virtual unsigned connections() const = 0;
};

}  // namespace volgrow::http
