// SPDX-License-Identifier: Apache-2.0
// When volumes are looked at: soon after the kernel said something that concerns them, and each of
// them now and then, for an array that grows and a path that idles send no event. A look asks the
// targets and changes nothing; what to do about what it found is decided elsewhere.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/runner.h"
#include "core/clock.h"
#include "core/event_loop.h"
#include "stack/job.h"

namespace volgrow::agent {

class Lookout {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Runner& runner;
    const JobLimits& limits;
    Duration deadline;        ///< of one look
    Duration audit_interval;  ///< in which everything is looked at once; zero: no audit
  };
  struct Questions {
    /// What to look at under this name; nothing: it is nobody's business any more.
    std::function<std::optional<Request>(const std::string& name)> subject;
    /// All names the audit looks at, in an order that stays.
    std::function<std::vector<std::string>()> names;
  };
  using OnSeen = std::function<void(const std::string& name, const JobResult&)>;

  Lookout(Needs needs, Questions questions, OnSeen on_seen)
      : needs_(needs), questions_(std::move(questions)), on_seen_(std::move(on_seen)) {}

  /// From here on the audit goes around.
  void begin_audit();
  /// At once, or once more when a look is under way.
  void look(const std::string& name);
  /// Soon: one look for a burst of events, and never two of one volume in quick succession.
  void hint(const std::string& name);
  /// What a look under way finds is older than what was just learnt: it is repeated.
  void outdate(const std::string& name);
  void forget(const std::string& name) { entries_.erase(name); }

 private:
  struct Entry {
    EventLoop::Watch soon;
    TimePoint looked_at = TimePoint::min();
    bool looking = false;
    bool once_more = false;
  };

  void ended(const std::string& name, const JobResult& result);
  void audit();
  void arm_audit(std::size_t names);

  Needs needs_;
  Questions questions_;
  OnSeen on_seen_;
  std::map<std::string, Entry> entries_;
  std::string audited_;  ///< last
  EventLoop::Watch audit_;
};

}  // namespace volgrow::agent
