// SPDX-License-Identifier: Apache-2.0
// One timer a waiter; the number of waiters a caller can have is bounded.
#include "agent/waiters.h"

#include <fmt/format.h>

namespace volgrow::agent {

void Waiters::add(JobId job, const std::string& caller, Duration timeout,
                  bus::Reply<bus::JobEnd> reply) {
  if (per_caller_[caller] >= most_per_caller_)
    return reply(
        failure(ErrorCode::limits_exceeded,
                fmt::format("{} calls of Wait are pending for this client already; let one "
                            "end first",
                            most_per_caller_)));
  const auto id = ++last_;
  auto timer = loop_.at(clock_.now() + timeout, [this, id] { time_out(id); });
  if (!timer) return reply(std::unexpected(timer.error()));
  ++per_caller_[caller];
  by_job_.emplace(job, id);
  waiters_.emplace(id, Waiter{job, caller, std::move(reply), std::move(*timer)});
}

Waiters::Waiter Waiters::take(std::uint64_t id) {
  auto waiter = std::move(waiters_.at(id));
  waiters_.erase(id);
  const auto [first, last] = by_job_.equal_range(waiter.job);
  for (auto entry = first; entry != last; ++entry)
    if (entry->second == id) {
      by_job_.erase(entry);
      break;
    }
  if (--per_caller_[waiter.caller] == 0) per_caller_.erase(waiter.caller);
  return waiter;
}

void Waiters::time_out(std::uint64_t id) {
  auto waiter = take(id);
  waiter.reply(bus::JobEnd{std::string(name_of(JobState::running)), ""});
}

void Waiters::job_ended(JobId job, const bus::JobEnd& end) {
  for (auto next = by_job_.find(job); next != by_job_.end(); next = by_job_.find(job)) {
    auto waiter = take(next->second);
    waiter.reply(end);
  }
}

void Waiters::caller_left(const std::string& caller) {
  std::vector<std::uint64_t> theirs;
  for (const auto& [id, waiter] : waiters_)
    if (waiter.caller == caller) theirs.push_back(id);
  for (const auto id : theirs)
    take(id);
}

}  // namespace volgrow::agent
