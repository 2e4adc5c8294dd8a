// SPDX-License-Identifier: Apache-2.0
// Answers are timers of the loop: due at once, or at the deadline.
#include "tests/fakes/fake_http_client.h"

#include <utility>

namespace volgrow {

class FakeHttpClient::FakeSending final : public http::Sending {
 public:
  explicit FakeSending(std::weak_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
  FakeSending(const FakeSending&) = delete;
  FakeSending& operator=(const FakeSending&) = delete;
  ~FakeSending() override {
    if (const auto transfer = transfer_.lock()) transfer->client.transfers_.erase(transfer->self);
  }

 private:
  std::weak_ptr<Transfer> transfer_;
};

http::Client::Pending FakeHttpClient::send(http::Outgoing outgoing, Deadline deadline, Then then) {
  requests_.push_back(std::move(outgoing));
  std::optional<Result<http::Response>> answer =
      failure(ErrorCode::unreachable, "the test has no answer to this request");
  if (!script_.empty()) {
    answer = std::move(script_.front());
    script_.pop_front();
  }
  const bool silent = !answer;
  auto result = silent ? failure(ErrorCode::timed_out, "there was no answer before the deadline")
                       : std::move(*answer);
  const auto transfer = std::make_shared<Transfer>(
      Transfer{.then = std::move(then), .result = std::move(result), .client = *this});
  transfer->self = transfers_.insert(transfers_.end(), transfer);
  transfer->turn =
      loop_.at(silent ? deadline.at : TimePoint::min(), [this, raw = transfer.get()] { end(*raw); })
          .value();
  return std::make_unique<FakeSending>(transfer);
}

void FakeHttpClient::end(Transfer& transfer) {
  auto then = std::move(transfer.then);
  auto result = std::move(transfer.result);
  transfers_.erase(transfer.self);
  then(std::move(result));
}

}  // namespace volgrow
