// SPDX-License-Identifier: Apache-2.0
// A circle of three steps: fetch, deliver, acknowledge, and again until nothing is left.
#include "relay/courier.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/backoff.h"

namespace volgrow::relay {

std::vector<bus::OutboxEntry> fitting(std::vector<bus::OutboxEntry> reports, Bytes most) {
  Bytes size;
  std::size_t count = 0;
  for (const auto& [sequence, json] : reports) {
    size = size + Bytes(json.size() + 1);
    if (count > 0 && size > most) break;
    ++count;
  }
  reports.resize(count);
  return reports;
}

std::vector<std::uint64_t> settled(const std::vector<bus::OutboxEntry>& reports,
                                   const DeliveredReports& delivered) {
  std::vector<std::uint64_t> sequences;
  for (const auto& [sequence, json] : reports) {
    const bool accepted =
        std::ranges::find(delivered.accepted, sequence) != delivered.accepted.end();
    const bool refused = std::ranges::find(delivered.refused, sequence, &RefusedReport::sequence) !=
                         delivered.refused.end();
    if (accepted || refused) sequences.push_back(sequence);
  }
  return sequences;
}

void Courier::wake() {
  if (resting_) fetch();
}

void Courier::fetch() {
  resting_ = false;
  next_.reset();
  needs_.agent.list_outbox(needs_.config.batch, answer_deadline(),
                           [this](Result<Reports> reports) { fetched(std::move(reports)); });
}

void Courier::fetched(Result<Reports> reports) {
  // Without an agent there is nothing to try again: whoever sees it come wakes us.
  if (!reports && reports.error().code == ErrorCode::unreachable) {
    log_once(reports.error());
    return rest();
  }
  if (!reports) return pause(reports.error());
  if (reports->empty()) return rest();
  deliver(fitting(std::move(*reports), needs_.config.batch_size));
}

void Courier::deliver(Reports reports) {
  sending_ = needs_.control.deliver(
      reports, answer_deadline(),
      [this, reports](const Result<DeliveredReports>& outcome) { delivered(reports, outcome); });
}

void Courier::delivered(const Reports& reports, const Result<DeliveredReports>& outcome) {
  if (!outcome && outcome.error().code == ErrorCode::invalid_args)
    return find_malformed(reports, outcome.error());
  if (!outcome) return pause(outcome.error());
  for (const auto& refused : outcome->refused)
    log_refused(reports, refused);
  const auto sequences = settled(reports, *outcome);
  if (sequences.empty())
    return pause({ErrorCode::internal, "control's answer mentions none of the reports", {}, 0});
  acknowledge(sequences);
}

/// A report that control cannot read must not hold up all others: it is found by sending the first
/// alone. Alone, it is refused for good.
void Courier::find_malformed(const Reports& reports, const Error& error) {
  if (reports.size() > 1) return deliver({reports.front()});
  delivered(reports, DeliveredReports{{}, {{reports.front().first, error.message}}});
}

void Courier::acknowledge(const std::vector<std::uint64_t>& sequences) {
  needs_.agent.acknowledge(sequences, answer_deadline(),
                           [this](const Result<void>& done) { acknowledged(done); });
}

void Courier::acknowledged(const Result<void>& done) {
  // Control knows these reports by their numbers: to deliver them again does no harm.
  if (!done) return pause(done.error());
  if (!told_.empty()) needs_.log.info("reports are delivered again");
  told_.clear();
  failures_ = 0;
  fetch();
}

/// Reports that nobody announced are found all the same, a little later.
void Courier::rest() {
  resting_ = true;
  fetch_at(needs_.clock.now() + needs_.config.look);
}

void Courier::pause(const Error& error) {
  log_once(error);
  ++failures_;
  fetch_at(needs_.clock.now() + backoff(failures_, needs_.config.first_retry,
                                        needs_.config.slowest_retry, needs_.random()));
}

void Courier::fetch_at(TimePoint when) {
  if (auto watch = needs_.loop.at(when, [this] { fetch(); })) next_ = std::move(*watch);
}

/// The same failure is not told at every attempt.
void Courier::log_once(const Error& error) {
  if (error.message == told_) return;
  told_ = error.message;
  needs_.log.warning(fmt::format("reports wait: {}", error.message),
                     {{field::error, std::string(name_of(error.code))}});
}

void Courier::log_refused(const Reports& reports, const RefusedReport& refused) {
  if (std::ranges::find(reports, refused.sequence, &bus::OutboxEntry::first) == reports.end())
    return;
  needs_.log.warning(
      fmt::format("control refused report {} for good: {}", refused.sequence, refused.reason));
}

Deadline Courier::answer_deadline() const {
  return within(needs_.config.report_time, needs_.clock.now());
}

}  // namespace volgrow::relay
