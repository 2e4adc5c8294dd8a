// SPDX-License-Identifier: Apache-2.0
// A worker pool that keeps what it is given until the test answers.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "agent/worker_pool.h"

namespace volgrow::agent {

class PatientPool final : public WorkerPool {
 public:
  void submit(Step step, OnResult on_result) override {
    given.push_back(step.id);
    open_.emplace_back(step.id, std::move(on_result));
  }
  std::size_t workers() const override { return 0; }
  std::size_t stuck() const override { return 0; }
  void on_stuck_change(std::function<void()>) override {}
  void on_zygote_end(std::function<void(Error)>) override {}

  std::size_t open() const { return open_.size(); }
  /// The oldest one.
  void answer(Result<StepAnswer> what = Done{}) {
    auto [id, on_result] = std::move(open_.front());
    open_.erase(open_.begin());
    on_result({id, std::move(what), {}});
  }

  std::vector<std::uint32_t> given;

 private:
  std::vector<std::pair<std::uint32_t, OnResult>> open_;
};

}  // namespace volgrow::agent
