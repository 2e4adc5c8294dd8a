// SPDX-License-Identifier: Apache-2.0
// Back ends in memory that react: volumes are made, grow and are exported to hosts, by the rules of
// backend/protocol.h. A test says which call goes wrong, and how. Deadlines and "never within
// ask()" are as with the real client.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backend/client.h"
#include "core/event_loop.h"

namespace volgrow {

class FakeBackEnds final : public backend::Client {
 public:
  struct BackEnd {
    std::string driver = "file";
    std::string protocol = "local";
    bool in_use_extend = true;
    Bytes total = 100_GiB;
    std::uint32_t max_over_subscription_ratio = 1;
  };
  struct Volume {
    Bytes size;
    std::set<std::string> hosts{};  ///< that it is exported to

    bool operator==(const Volume&) const = default;
  };
  /// How a call goes, when not by itself.
  struct Course {
    bool done = false;           ///< its work is done, whatever is answered
    std::optional<Error> error;  ///< instead of the answer
    enum class Answered : std::uint8_t { at_once, when_told, at_deadline };
    Answered answered = Answered::at_once;
  };

  /// With one back end, "fast".
  explicit FakeBackEnds(EventLoop& loop) : loop_(loop) { back_ends["fast"]; }

  // ---- what the next call of a word ("export") without a course yet will meet ----

  void will_fail(std::string_view word, ErrorCode code, std::string message) {
    courses_[std::string(word)].push_back({false, Error{code, std::move(message), {}, 0}, {}});
  }
  /// The work is done, and nobody hears of it.
  void will_lose_the_answer(std::string_view word) {
    courses_[std::string(word)].push_back(
        {true, Error{ErrorCode::unreachable, "volgrow-backend went away", {}, 0}, {}});
  }
  /// TimedOut at the deadline; the work is not done, or is.
  void will_hang(std::string_view word, bool done = false) {
    courses_[std::string(word)].push_back({done, {}, Course::Answered::at_deadline});
  }
  /// The call reaches the back end, and is answered, when the test calls release().
  void will_wait(std::string_view word) {
    courses_[std::string(word)].push_back({true, {}, Course::Answered::when_told});
  }
  /// Lets the oldest call that waits go on.
  void release();
  /// Whoever asked is dead and hears nothing. What waits was lost with its connection; what is done
  /// stays done.
  void lose_the_callers();

  // ---- what came, and what came of it ----

  /// Every call so far, in its order.
  const std::vector<backend::Call>& calls() const { return calls_; }
  /// Those of one kind: calls_of<backend::Export>().
  template <class C>
  std::vector<C> calls_of() const {
    std::vector<C> some;
    for (const auto& call : calls_)
      if (const auto* one = std::get_if<C>(&call)) some.push_back(*one);
    return some;
  }
  /// Calls that have no answer yet, and of these the ones that release() is for.
  std::size_t unanswered() const { return asked_.size(); }
  std::size_t waiting() const { return held_.size(); }

  void ask(backend::Call call, Deadline deadline, Then<backend::Outcome> then) override;

  std::map<std::string, BackEnd> back_ends;  ///< by name; one that is missing is not initialised
  std::map<std::string, Volume> volumes;     ///< by id

 private:
  struct Asked {
    backend::Call call;
    Then<backend::Outcome> then;
    EventLoop::Watch turn{};
  };
  using Place = std::list<Asked>::iterator;

  Course course_of(std::string_view word);
  void end_at(TimePoint when, Place asked, std::optional<Error> error, bool done);
  void end(Place asked, Result<backend::Outcome> outcome);
  Result<backend::Outcome> perform(const backend::Call& call);

  EventLoop& loop_;
  std::map<std::string, std::deque<Course>, std::less<>> courses_;
  std::vector<backend::Call> calls_;
  std::list<Asked> asked_;
  std::deque<Place> held_;
};

}  // namespace volgrow
