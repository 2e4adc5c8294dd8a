// SPDX-License-Identifier: Apache-2.0
// A real server on loopback whose time is the test's, and an application that answers at once, or
// keeps the Answer of a request for /later.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/http/raw_peer.h"

namespace volgrow {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AServer : public ::testing::Test {
 protected:
  http::Server& server() {
    if (!server_) server_ = listening().value();
    return *server_;
  }
  Result<std::unique_ptr<http::Server>> listening() {
    return http::Server::listen(loop, loop.clock(), options,
                                [this](http::Request request, http::Answer answer) {
                                  on_request(std::move(request), std::move(answer));
                                });
  }
  void end_server() { server_.reset(); }

  RawPeer client() { return RawPeer(loop, server().endpoint()); }
  std::unique_ptr<RawPeer> another_client() {
    return std::make_unique<RawPeer>(loop, server().endpoint());
  }

  virtual void on_request(http::Request request, http::Answer answer) {
    const bool later = request.path == "/later";
    requests.push_back(std::move(request));
    if (later) return waiting.push_back(std::move(answer));
    answer(response);
  }

  template <class Condition>
  void run_until(Condition condition) {
    ASSERT_TRUE(loop.run_until(condition));
  }
  /// Until the client has `count` whole answers, by their Content-Length; returns all it received.
  std::string answers(RawPeer& to, std::size_t count = 1) {
    run_until([&] { return to.ended() || whole_answers(to.received()) >= count; });
    return without_date(to.take_received());
  }
  void expect_end(RawPeer& of) {
    run_until([&] { return of.ended(); });
  }

  static std::size_t whole_answers(std::string_view text);
  static std::string without_date(std::string text);

  FakeTimeLoop loop;
  http::ServerOptions options{.listen = "127.0.0.1:0"};
  http::Response response{.body = "grown\n"};
  std::vector<http::Request> requests;
  std::vector<http::Answer> waiting;

 private:
  std::unique_ptr<http::Server> server_;
};

}  // namespace volgrow
