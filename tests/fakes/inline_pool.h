// SPDX-License-Identifier: Apache-2.0
// A worker pool without workers: for agents whose host is a fake that cannot cross into another
// process.
#pragma once

#include <utility>
#include <vector>

#include "agent/worker_pool.h"
#include "connectors/all.h"
#include "core/event_loop.h"

namespace volgrow::agent {

/// Performs a step when it is submitted and answers when the loop turns.
class InlinePool final : public WorkerPool {
 public:
  InlinePool(EventLoop& loop, Host& host) : loop_(loop), host_(host) {}

  void submit(Step step, OnResult on_result) override {
    step.begin(host_.clock().now());
    answers_.emplace_back(perform(step, connectors_, host_), std::move(on_result));
    if (!turn_) turn_ = loop_.at(TimePoint::min(), [this] { answer(); }).value();
  }
  std::size_t workers() const override { return 1; }
  std::size_t stuck() const override { return 0; }
  void on_stuck_change(std::function<void()>) override {}
  void on_zygote_end(std::function<void(Error)>) override {}

 private:
  void answer() {
    turn_.reset();
    for (auto& [result, on_result] : std::exchange(answers_, {}))
      on_result(std::move(result));
  }

  EventLoop& loop_;
  Host& host_;
  Connectors connectors_ = all_connectors({});
  std::vector<std::pair<StepResult, OnResult>> answers_;
  EventLoop::Watch turn_;
};

}  // namespace volgrow::agent
