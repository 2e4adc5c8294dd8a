// SPDX-License-Identifier: Apache-2.0
// Work that ends later, one after the other for each key: whoever has the turn reads, asks and
// writes without another of the same key in between.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace volgrow::control {

class Turns {
  struct State;

 public:
  /// The right to work on a key. The next one begins when it is destroyed.
  class Turn {
   public:
    Turn(std::weak_ptr<State> state, std::string key)
        : state_(std::move(state)), key_(std::move(key)) {}
    Turn(Turn&& other) noexcept
        : state_(std::exchange(other.state_, {})), key_(std::move(other.key_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (const auto state = state_.lock()) pass_on(state, key_);
    }

   private:
    std::weak_ptr<State> state_;  ///< whoever is asked may outlive the Turns
    std::string key_;
  };
  using Work = std::move_only_function<void(Turn)>;

  /// `work` runs now, or when those of the same key before it have ended. What still waits when
  /// this is destroyed never runs.
  void take(const std::string& key, Work work) {
    const auto [waiting, first] = state_->waiting.try_emplace(key);
    if (!first) return waiting->second.push_back(std::move(work));
    work(Turn(state_, key));
  }

 private:
  /// Keys that somebody has the turn of, each with who waits for it.
  struct State {
    std::map<std::string, std::deque<Work>> waiting;
    std::deque<std::string> free;
    bool advancing = false;
  };

  /// A loop and not a recursion: work that ends at once passes its turn on from within.
  static void pass_on(const std::shared_ptr<State>& state, const std::string& key) {
    state->free.push_back(key);
    if (std::exchange(state->advancing, true)) return;
    for (; !state->free.empty(); state->free.pop_front())
      begin_next(state, state->free.front());
    state->advancing = false;
  }
  static void begin_next(const std::shared_ptr<State>& state, const std::string& key) {
    const auto found = state->waiting.find(key);
    if (found->second.empty()) return static_cast<void>(state->waiting.erase(found));
    auto work = std::move(found->second.front());
    found->second.pop_front();
    work(Turn(state, key));
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace volgrow::control
