// SPDX-License-Identifier: Apache-2.0
// Looks are explanations, run like every other job and kept nowhere.
#include "agent/lookout.h"

#include <algorithm>

namespace volgrow::agent {
namespace {

/// One change of a volume is an event for each of its paths and some for its map.
constexpr Duration settling = std::chrono::milliseconds(100);
constexpr Duration least_pause = std::chrono::seconds(1);

}  // namespace

void Lookout::begin_audit() {
  arm_audit(questions_.names().size());
}

void Lookout::look(const std::string& name) {
  auto& entry = entries_[name];
  if (std::exchange(entry.looking, true)) {
    entry.once_more = true;
    return;
  }
  auto request = questions_.subject(name);
  if (!request) return forget(name);
  entry.soon.reset();
  entry.looked_at = needs_.clock.now();
  needs_.runner.start(
      new_job(std::move(*request), needs_.limits, needs_.deadline, needs_.clock.now()),
      [](Phase) {}, [this, name](const JobResult& result) { ended(name, result); });
}

void Lookout::hint(const std::string& name) {
  auto& entry = entries_[name];
  if (entry.soon) return;
  const auto now = needs_.clock.now();
  const auto again = entry.looked_at == TimePoint::min() ? now : entry.looked_at + least_pause;
  // By value: a look ends the timer, and with it what the timer holds.
  auto timer =
      needs_.loop.at(std::max(now + settling, again), [this, name] { look(std::string(name)); });
  if (timer) entry.soon = std::move(*timer);
}

void Lookout::outdate(const std::string& name) {
  const auto found = entries_.find(name);
  if (found != entries_.end() && found->second.looking) found->second.once_more = true;
}

void Lookout::ended(const std::string& name, const JobResult& result) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  found->second.looking = false;
  if (std::exchange(found->second.once_more, false)) return look(name);
  on_seen_(name, result);
}

void Lookout::audit() {
  const auto names = questions_.names();
  auto next = std::ranges::upper_bound(names, audited_);
  if (next == names.end()) next = names.begin();
  if (next != names.end()) {
    audited_ = *next;
    look(*next);
  }
  arm_audit(names.size());
}

void Lookout::arm_audit(std::size_t names) {
  if (needs_.audit_interval == Duration::zero()) return;
  const auto share = needs_.audit_interval / static_cast<long>(std::max<std::size_t>(names, 1));
  auto timer =
      needs_.loop.at(needs_.clock.now() + std::max(share, least_pause), [this] { audit(); });
  if (timer) audit_ = std::move(*timer);
}

}  // namespace volgrow::agent
