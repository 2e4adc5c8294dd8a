// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 client on the event loop: a request goes out, and what came of it arrives later. It
// follows no redirect, asks no proxy, and repeats no secret in an error.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "http/message.h"

namespace volgrow::http {

/// Files in PEM form, read when a connection is made.
struct ClientTls {
  std::string ca{};           ///< whom to trust; empty: whom the host trusts
  std::string certificate{};  ///< what to show; empty: nothing
  std::string key{};          ///< of the certificate

  bool operator==(const ClientTls&) const = default;
};

struct Outgoing {
  std::string method = "GET";
  std::string url{};  ///< http:// or https://
  Fields fields{};    ///< without Content-Length
  std::string body{};
  ClientTls tls{};

  bool operator==(const Outgoing&) const = default;
};

struct ClientLimits {
  Bytes head = 64_KiB;  ///< of an answer
  Bytes body = 4_MiB;   ///< of an answer
  unsigned connections_per_host = 8;

  bool operator==(const ClientLimits&) const = default;
};

/// A request under way. Destroying it ends it: its Then is not called any more.
class Sending {
 public:
  virtual ~Sending() = default;
};

class Client {
 public:
  using Pending = std::unique_ptr<Sending>;
  /// Called once, from the loop, never within send(). Any status is an answer, 500 as well. Errors:
  /// Unreachable (no connection, no trust, cut off, no HTTP), TimedOut at the deadline,
  /// LimitsExceeded for an answer that is too big, InvalidArgs for what cannot be sent.
  using Then = std::move_only_function<void(Result<Response>)>;

  /// Over libcurl. The loop and the clock must outlive it. Errors: Internal.
  static Result<std::unique_ptr<Client>> create(EventLoop& loop, const Clock& clock,
                                                ClientLimits limits);
  /// Ends everything that is under way.
  virtual ~Client() = default;

  [[nodiscard]] virtual Pending send(Outgoing outgoing, Deadline deadline, Then then) = 0;
};

/// How an error names where a request went: without user, password, query and fragment.
std::string without_secrets(std::string_view url);

}  // namespace volgrow::http
