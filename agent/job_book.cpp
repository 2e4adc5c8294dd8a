// SPDX-License-Identifier: Apache-2.0
// Acceptance, queues, ends and oblivion. What a job does is the Runner's and stack/'s.
#include "agent/job_book.h"

#include <fmt/format.h>

namespace volgrow::agent {
namespace {

// How long a store that failed (a full disk) is left alone before the end of a job is written
// again.
constexpr Duration store_retry = std::chrono::seconds(1);

/// The same work for the same volume, whoever asked. A pin that came or went meanwhile makes no
/// difference; two different ones do.
bool same_work(Request a, Request b) {
  if (a.pinned && b.pinned && *a.pinned != *b.pinned) return false;
  a.origin = b.origin;
  a.pinned = b.pinned;
  a.pin_required = b.pin_required;
  return a == b;
}

JobView view_of(const JobRecord& record) {
  JobView view;
  view.id = record.id;
  view.operation = record.request.operation;
  view.volume_id = record.request.volume_id;
  view.started_by_uid = record.uid;
  view.started_at = record.started_at;
  view.phase = "queued";
  return view;
}

void describe_end(JobView& view, const JobResult& result) {
  view.volume_id = result.volume_id;
  view.state = result.state;
  view.phase = std::string(name_of(Phase::done));
  view.result_json = to_json(result);
  if (!result.error) return;
  view.error_name = std::string(name_of(result.error->code));
  view.error_message = result.error->message;
}

bus::JobEnd end_of(const JobView& view) {
  return {std::string(name_of(view.state)), view.result_json};
}

}  // namespace

std::string queue_of(const Request& request) {
  return request.volume_id.empty() ? to_text(request.subject) : request.volume_id;
}

JobBook::JobBook(Needs needs, JobEvents& events)
    : needs_(needs),
      events_(events),
      waiters_(needs.loop, needs.clock, needs.config.most_waits_per_caller) {}

// --- acceptance ---

void JobBook::accept(JobRecord record, bus::Reply<JobId> reply) {
  auto known = recall(record);
  if (!known) return reply(std::unexpected(std::move(known.error())));
  if (!*known) *known = identical(record);
  if (*known)
    return needs_.commits.after(
        [id = **known, reply = std::move(reply)](const auto& committed) mutable {
          reply(committed ? Result<JobId>(id) : std::unexpected(committed.error()));
        });
  if (auto room = room_for(record.uid, 1); !room) return reply(std::unexpected(room.error()));
  store(std::move(record), std::move(reply));
}

/// The job a repeated idempotency key stands for, shown again if it was forgotten.
Result<std::optional<JobId>> JobBook::recall(const JobRecord& record) {
  if (record.idempotency_key.empty()) return std::nullopt;
  auto journal = needs_.commits.open();
  if (!journal) return std::unexpected(std::move(journal.error()));
  auto before = (*journal)->accepted(record.uid, record.idempotency_key);
  if (!before) return std::unexpected(std::move(before.error()));
  if (!*before) return std::nullopt;
  if (!same_work((*before)->request, record.request))
    return failure(
        ErrorCode::invalid_args,
        fmt::format("idempotency-key: '{}' stands for job {}, which was another request; "
                    "use a new key",
                    record.idempotency_key, (*before)->id));
  if (auto shown = show_again((*before)->id); !shown) return std::unexpected(shown.error());
  return (*before)->id;
}

/// A running job that does just what is asked and has yet to look at the target for the last time:
/// one that has looked would miss a growth announced since. Only for callers without a key.
std::optional<JobId> JobBook::identical(const JobRecord& record) const {
  if (!record.idempotency_key.empty()) return std::nullopt;
  const auto queue = queues_.find(queue_of(record.request));
  if (queue == queues_.end()) return std::nullopt;
  for (const auto id : queue->second)
    if (const auto& entry = entries_.at(id);
        !entry.measured && same_work(entry.record.request, record.request))
      return id;
  return std::nullopt;
}

Result<void> JobBook::room_for(std::uint32_t uid, std::size_t more) const {
  const auto theirs = open_by_uid_.find(uid);
  const std::size_t has = theirs == open_by_uid_.end() ? 0 : theirs->second;
  const bool crowded = has + more > needs_.config.most_jobs_per_caller;
  if (open_ + more <= needs_.config.most_jobs && !crowded) return {};
  return failure(ErrorCode::limits_exceeded,
                 fmt::format("{} jobs are open{}; wait for some to end, or raise jobs.most{} in "
                             "agent.toml",
                             crowded ? has : open_, crowded ? " for this user" : "",
                             crowded ? "_per_caller" : ""));
}

void JobBook::store(JobRecord record, bus::Reply<JobId> reply) {
  auto journal = needs_.commits.open();
  if (!journal) return reply(std::unexpected(std::move(journal.error())));
  auto id = (*journal)->accept(record);
  if (!id) return reply(std::unexpected(std::move(id.error())));
  record.id = *id;
  enter(std::move(record));
  needs_.commits.after([this, job = *id, reply = std::move(reply)](const auto& committed) mutable {
    stored(job, committed, reply);
  });
}

JobBook::Entry& JobBook::enter(JobRecord record) {
  const auto id = record.id;
  const auto queue = queue_of(record.request);
  ++open_;
  ++open_by_uid_[record.uid];
  queues_[queue].push_back(id);
  auto view = view_of(record);
  return entries_.insert_or_assign(id, Entry{std::move(record), std::move(view), queue})
      .first->second;
}

/// Out of its queue; the entry itself may stay to be looked at.
void JobBook::leave(JobId id) {
  const auto& entry = entries_.at(id);
  auto& queue = queues_.at(entry.queue);
  std::erase(queue, id);
  if (queue.empty()) queues_.erase(entry.queue);
  --open_;
  if (--open_by_uid_.at(entry.record.uid) == 0) open_by_uid_.erase(entry.record.uid);
}

void JobBook::stored(JobId id, const Result<void>& committed, bus::Reply<JobId>& reply) {
  if (!committed) {
    leave(id);
    entries_.erase(id);
    return reply(std::unexpected(committed.error()));
  }
  reply(id);
  const auto& entry = entries_.at(id);
  events_.job_accepted(entry.record, entry.view);
  start_next(entry.queue);
}

// --- running ---

void JobBook::start_next(const std::string& queue) {
  const auto waiting = queues_.find(queue);
  if (waiting == queues_.end()) return;
  auto& entry = entries_.at(waiting->second.front());
  if (entry.walk == 0) start(entry);
}

void JobBook::start(Entry& entry) {
  const auto left =
      std::max(Duration(entry.record.deadline - needs_.clock.wall()), Duration::zero());
  const auto id = entry.record.id;
  entry.walk = needs_.runner.start(
      new_job(entry.record.request, needs_.config.limits, left, needs_.clock.now()),
      [this, id](Phase phase) { progressed(id, phase); },
      [this, id](JobResult result) { finish(id, result); });
}

void JobBook::progressed(JobId id, Phase phase) {
  auto& entry = entries_.at(id);
  entry.measured = phase == Phase::verifying;
  entry.view.phase = std::string(name_of(phase));
  events_.job_progressed(entry.view);
}

void JobBook::wait(JobId id, const std::string& caller, Duration timeout,
                   bus::Reply<bus::JobEnd> reply) {
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return reply(failure(ErrorCode::invalid_args, fmt::format("job {} is not here any more", id)));
  if (found->second.view.state != JobState::running || timeout == Duration::zero())
    return reply(end_of(found->second.view));
  waiters_.add(id, caller, timeout, std::move(reply));
}

void JobBook::cancel(JobId id, bus::Reply<void> reply) {
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return reply(failure(ErrorCode::invalid_args, fmt::format("job {} is not here any more", id)));
  auto& entry = found->second;
  if (entry.view.state != JobState::running) return reply({});  // it has ended: nothing to cancel
  if (entry.walk == 0) start(entry);                            // so that it can end as cancelled
  needs_.runner.cancel(entry.walk);
  reply({});
}

// --- ends ---

void JobBook::finish(JobId id, const JobResult& result) {
  entries_.at(id).measured = true;
  store_end(id, result);
}

/// The job's end, its outbox row and what it says of its volume: one transaction.
void JobBook::store_end(JobId id, const JobResult& result) {
  retries_.erase(id);
  auto written = write_end(entries_.at(id), result);
  if (!written) return try_again(id, result, written.error());
  needs_.commits.after([this, id, end = std::move(*written)](const auto& committed) {
    end_stored(id, committed, end);
  });
}

Result<JobResult> JobBook::write_end(Entry& entry, JobResult result) {
  auto journal = needs_.commits.open();
  if (!journal) return std::unexpected(std::move(journal.error()));
  result.job = entry.record.id;
  events_.job_ending(entry.record, result, **journal);
  auto stored = (*journal)->finish(entry.record.id, result, needs_.clock.wall());
  if (!stored) return std::unexpected(std::move(stored.error()));
  return result;
}

void JobBook::end_stored(JobId id, const Result<void>& committed, const JobResult& result) {
  if (!committed) return try_again(id, result, committed.error());
  auto& entry = entries_.at(id);
  describe_end(entry.view, result);
  leave(id);
  // Who waits has the properties first: they change before the job ends (contracts, §1).
  events_.job_ended(entry.record, entry.view, result);
  waiters_.job_ended(id, end_of(entry.view));
  keep_until_forgotten(id, Duration::zero());
  start_next(entry.queue);
}

/// The work is done and measured but not remembered: the job stays running until it is.
void JobBook::try_again(JobId id, const JobResult& result, const Error& error) {
  needs_.log.error(
      fmt::format("the end of job {} could not be stored: {}; trying again", id, error.message));
  auto timer = needs_.loop.at(needs_.clock.now() + store_retry,
                              [this, id, result] { store_end(id, JobResult(result)); });
  if (timer) retries_.insert_or_assign(id, std::move(*timer));
}

// --- oblivion ---

void JobBook::keep_until_forgotten(JobId id, Duration age) {
  ended_.emplace_back(needs_.clock.now() + needs_.config.ended_job_lifetime - age, id);
  if (ended_.size() > needs_.config.most_jobs) forget_oldest();
  if (!forgetting_) arm_forgetting();
}

void JobBook::forget_oldest() {
  const auto id = ended_.front().second;
  ended_.pop_front();
  entries_.erase(id);
  events_.job_forgotten(id);
}

void JobBook::arm_forgetting() {
  forgetting_.reset();
  if (ended_.empty()) return;
  auto timer = needs_.loop.at(ended_.front().first, [this] { forget_old(); });
  if (timer) forgetting_ = std::move(*timer);
}

void JobBook::forget_old() {
  const auto now = needs_.clock.now();
  while (!ended_.empty() && ended_.front().first <= now)
    forget_oldest();
  if (auto journal = needs_.commits.open())
    if (auto expired = (*journal)->expire(needs_.clock.wall()); !expired)
      needs_.log.warning(fmt::format("old jobs stay in the journal: {}", expired.error().message));
  needs_.commits.after([](const auto&) {});
  arm_forgetting();
}

// --- after a restart ---

void JobBook::show_ended(const FinishedJob& finished) {
  JobRecord record;
  record.id = finished.view.id;
  record.uid = finished.view.started_by_uid;
  record.request.volume_id = finished.view.volume_id;
  entries_.insert_or_assign(record.id, Entry{record, finished.view, {}});
  events_.job_progressed(finished.view);
}

Result<void> JobBook::show_again(JobId id) {
  if (entries_.contains(id)) return {};
  auto journal = needs_.commits.open();
  if (!journal) return std::unexpected(std::move(journal.error()));
  auto all = (*journal)->finished(WallTime{});
  if (!all) return std::unexpected(std::move(all.error()));
  for (const auto& finished : *all) {
    if (finished.view.id != id) continue;
    show_ended(finished);
    keep_until_forgotten(id, Duration::zero());
  }
  return {};
}

Result<void> JobBook::resume() {
  auto journal = needs_.commits.open();
  if (!journal) return std::unexpected(std::move(journal.error()));
  const auto now = needs_.clock.wall();
  auto ended = (*journal)->finished(now - needs_.config.ended_job_lifetime);
  if (!ended) return std::unexpected(std::move(ended.error()));
  for (const auto& finished : *ended) {
    show_ended(finished);
    keep_until_forgotten(finished.view.id, now - finished.ended_at);
  }
  auto open = (*journal)->unfinished();
  if (!open) return std::unexpected(std::move(open.error()));
  needs_.commits.after([](const auto&) {});
  for (auto& record : *open) {
    const auto& entry = enter(std::move(record));
    events_.job_accepted(entry.record, entry.view);
  }
  for (const auto& [queue, ids] : std::map(queues_))
    start_next(queue);
  return {};
}

}  // namespace volgrow::agent
