// SPDX-License-Identifier: Apache-2.0
// An HTTP client without a network: it keeps what was sent and plays answers, in the order in which
// a test wrote them. Deadlines, cancellation and "never within send()" are as with the real one.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "core/event_loop.h"
#include "http/client.h"

namespace volgrow {

class FakeHttpClient final : public http::Client {
 public:
  explicit FakeHttpClient(EventLoop& loop) : loop_(loop) {}

  /// What the next request that has no answer yet will get. A request for which nothing was written
  /// gets Unreachable.
  void will_answer(Result<http::Response> answer) { script_.emplace_back(std::move(answer)); }
  /// The next request gets no answer: TimedOut, at its deadline.
  void will_be_silent() { script_.emplace_back(std::nullopt); }

  /// Every request so far, cancelled ones included.
  const std::vector<http::Outgoing>& requests() const { return requests_; }
  std::size_t waiting() const { return transfers_.size(); }

  Pending send(http::Outgoing outgoing, Deadline deadline, Then then) override;

 private:
  struct Transfer {
    Then then;
    Result<http::Response> result;
    EventLoop::Watch turn{};
    std::list<std::shared_ptr<Transfer>>::iterator self{};
    FakeHttpClient& client;
  };
  class FakeSending;

  void end(Transfer& transfer);

  EventLoop& loop_;
  std::deque<std::optional<Result<http::Response>>> script_;
  std::vector<http::Outgoing> requests_;
  std::list<std::shared_ptr<Transfer>> transfers_;
};

}  // namespace volgrow
