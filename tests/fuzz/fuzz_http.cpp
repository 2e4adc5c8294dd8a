// SPDX-License-Identifier: Apache-2.0
// A stranger's bytes to a real server on loopback, whose time is the fuzzer's; the byte 0x1e parts
// what arrives at once. Whatever comes, the application sees sound requests within their limits,
// what goes back is HTTP, and the connection is gone when its time is up.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/server.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fuzz/property.h"
#include "tests/http/raw_peer.h"

namespace {

using volgrow::fuzz::holds;
using volgrow::http::Answer;
using volgrow::http::Request;
using volgrow::http::ServerLimits;

const ServerLimits limits{
    .target = volgrow::Bytes(300), .head = volgrow::Bytes(600), .body = volgrow::Bytes(100)};

void expect_sound(const Request& request) {
  using namespace volgrow::http;
  holds(is_token(request.method), "a method is a token");
  holds(request.path.starts_with('/') || request.path == "*", "a path begins with a slash");
  holds(request.path.size() <= limits.target.count(), "a path is not too long");
  holds(request.body.size() <= limits.body.count(), "a body is not too long");
  holds(std::ranges::all_of(
            request.fields,
            [](const Field& field) { return is_token(field.name) && is_field_value(field.value); }),
        "a field is a name and a value");
  holds(path_segments(request.path).size() <= request.path.size() + 1, "segments are parts");
}

class FuzzedServer {
 public:
  /// A connection of its own, from an address of its own: the kernel keeps the ports of ended ones.
  volgrow::RawPeer client() {
    const sockaddr_in here{
        AF_INET, 0, {htonl(0x7f000002U + (clients_++ & 0xffffffU) % 0xfffff0U)}, {}};
    const sockaddr_in there{AF_INET, htons(port_), {htonl(INADDR_LOOPBACK)}, {}};
    volgrow::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // The fuzzer's alarm may interrupt it; called again, Linux goes on with the same connection.
    const bool connected =
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 &&
        TEMP_FAILURE_RETRY(
            ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there)) == 0;
    if (!connected) {
      std::perror("a client of the fuzzer's");
      std::abort();
    }
    return {loop_, std::move(socket)};
  }
  /// Until nothing is ready any more; then what was to be answered later is, and so on.
  void settle() {
    turn();
    while (!waiting_.empty()) {
      for (auto& answer : std::exchange(waiting_, {}))
        answer({.status = 202, .body = "later"});
      turn();
    }
  }
  void let_time_pass(volgrow::Duration span) {
    loop_.advance(span);
    settle();
  }
  unsigned connections() const { return server_->connections(); }

 private:
  void turn() {
    const auto idle = loop_.when_idle([this] { loop_.exit(0); });
    holds(loop_.run().has_value(), "the loop turns without an error");
  }
  void on_request(const Request& request, Answer answer) {
    expect_sound(request);
    if (request.path.ends_with("later")) return waiting_.push_back(std::move(answer));
    if (request.path.ends_with("drop")) return;
    answer({.fields = {{"X-Method", request.method}}, .body = request.body});
  }

  volgrow::FakeTimeLoop loop_;
  std::vector<Answer> waiting_;
  std::unique_ptr<volgrow::http::Server> server_ =
      volgrow::http::Server::listen(
          loop_, loop_.clock(), {.listen = "127.0.0.1:0", .limits = limits},
          [this](const Request& request, Answer answer) { on_request(request, std::move(answer)); })
          .value();
  std::uint16_t port_ = static_cast<std::uint16_t>(
      std::atoi(server_->endpoint().c_str() + server_->endpoint().rfind(':') + 1));
  std::uint32_t clients_ = 0;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzedServer server;
  auto bytes = volgrow::fuzz::text_of(data, size);
  auto client = server.client();
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\x1e'), bytes.size());
    client.send(bytes.substr(0, end));
    server.settle();
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  client.finish();
  server.settle();
  // The longest of its times: after an answer and an empty line, libmicrohttpd does not notice an
  // end in the middle of the next request line.
  if (!client.ended()) server.let_time_pass(limits.idle);
  holds(client.ended(), "a connection ends with its client, or in its time");
  holds(server.connections() == 0, "an ended connection is forgotten");
  holds(client.received().empty() || client.received().starts_with("HTTP/1.1 "),
        "what goes back is HTTP");
  return 0;
}
