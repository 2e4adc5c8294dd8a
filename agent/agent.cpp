// SPDX-License-Identifier: Apache-2.0
// What happens to volumes and jobs, and what the bus is shown of it. The calls are in
// agent_calls.cpp, what comes of the kernel's events in agent_events.cpp.
#include "agent/agent.h"

#include <fmt/format.h>

#include <algorithm>

namespace volgrow::agent {
namespace {

/// By its socket of version 0.12 and later, or the abstract one of all before.
std::string multipathd_state(const Host& host) {
  constexpr std::string_view abstract = "@/org/kernel/linux/storage/multipathd";
  const bool listens = host.status("/run/multipathd.socket").has_value() ||
                       host.read_file("/proc/net/unix").value_or("").contains(abstract);
  return listens ? "present" : "absent";
}

/// Most jobs are through all their phases sooner than anybody could look; a signal each would only
/// keep the bus from them.
constexpr Duration phase_patience = std::chrono::milliseconds(100);

bool has_map(const JobResult& result) {
  return std::ranges::count(result.layers, LayerKind::multipath, &LayerResult::kind) > 0;
}

}  // namespace

Agent::Agent(Needs needs)
    : needs_(needs),
      commits_(needs.loop, needs.clock, needs.journal),
      runner_(needs.loop, needs.clock, needs.pool, needs.locks),
      volumes_(std::vector<VolumeRecord>{}),
      jobs_({needs.loop, needs.clock, commits_, runner_, needs_.config, needs.log}, *this),
      stragglers_({needs.loop, needs.clock, commits_, runner_, needs_.config, needs.log},
                  [this](JobRecord job, bus::Reply<JobId> reply) {
                    jobs_.accept(std::move(job), std::move(reply));
                  }),
      lookout_(
          {needs.loop, needs.clock, runner_, needs_.config.limits, needs_.config.default_deadline,
           needs_.config.audit_interval},
          {[this](const std::string& name) { return look_at(name); }, [this] { return audited(); }},
          [this](const std::string& name, const JobResult& result) { seen(name, result); }),
      spontaneous_({needs.clock, needs_.config, needs.log},
                   [this](Request request) { grow_spontaneously(std::move(request)); }) {}

Result<void> Agent::start(bus::Server& face) {
  face_ = &face;
  manager_.version = VOLGROW_VERSION;
  manager_.multipathd = multipathd_state(needs_.host);
  needs_.pool.on_stuck_change([this] { show_manager(); });
  auto records = needs_.journal.volumes();
  if (!records) return std::unexpected(std::move(records.error()));
  volumes_ = VolumeBook(std::move(*records));
  for (const auto& id : volumes_.ids())
    face_->show(volumes_.find(id)->view);
  if (auto resumed = jobs_.resume(); !resumed) return resumed;
  if (auto resumed = stragglers_.resume(needs_.journal); !resumed) return resumed;
  for (const auto& id : volumes_.ids())
    lookout_.look(id);
  lookout_.begin_audit();
  show_manager();
  return {};
}

void Agent::show_manager() {
  manager_.stuck_workers = static_cast<std::uint32_t>(needs_.pool.stuck());
  manager_.stragglers = stragglers_.paths();
  if (auto depth = needs_.journal.outbox_depth()) manager_.outbox_depth = *depth;
  face_->show(manager_);
}

void Agent::show(VolumeRecord changed) {
  const auto* shown = volumes_.find(changed.id);
  if (shown != nullptr && *shown == changed) return;
  face_->show(changed.view);
  volumes_.put(std::move(changed));
}

// --- jobs ---

void Agent::job_accepted(const JobRecord& record, const JobView& view) {
  face_->show(view);
  face_->announce_job_new(view.id);
  const auto* volume = volumes_.find(record.request.volume_id);
  if (volume == nullptr) return;
  auto shown = *volume;
  shown.view.state = VolumeState::growing;
  shown.view.last_job = view.id;
  show(std::move(shown));
}

void Agent::job_progressed(const JobView& view) {
  if (view.state != JobState::running) return face_->show(view);
  auto& latest = phases_[view.id];
  latest.view = view;
  if (latest.showing) return;
  auto timer = needs_.loop.at(needs_.clock.now() + phase_patience, [this, id = view.id] {
    face_->show(phases_.extract(id).mapped().view);
  });
  if (timer) latest.showing = std::move(*timer);
}

/// A volume found by its device or connection alone is still the registered one if its identity is.
void Agent::job_ending(const JobRecord& record, JobResult& result, Journal& journal) {
  stragglers_.job_ending(queue_of(record.request), record, result, journal);
  const auto* volume = volumes_.find(record.request.volume_id);
  if (volume == nullptr && result.wwid) volume = volumes_.find_by_wwid(*result.wwid);
  if (volume == nullptr) return;
  if (result.volume_id.empty()) result.volume_id = volume->id;
  if (result.wwid && result.wwid == volume->pinned) result.identity = IdentityProof::pinned;
  auto seen = seen_in(result, *volume);
  seen.view.last_job = record.id;
  if (auto pinned = journal.pin(seen); !pinned)
    needs_.log.warning(
        fmt::format("what was seen of {} is not stored: {}", seen.id, pinned.error().message));
}

void Agent::job_ended(const JobRecord& record, const JobView& view, const JobResult& result) {
  phases_.erase(view.id);
  if (const auto* volume = volumes_.find(result.volume_id)) {
    auto seen = seen_in(result, *volume);
    seen.view.last_job = record.id;
    show(std::move(seen));
    lookout_.outdate(result.volume_id);
  }
  face_->show(view);
  if (result.previous && result.size && *result.previous != *result.size)
    face_->announce_volume_resized(result.volume_id, *result.previous, *result.size,
                                   record.request.origin);
  face_->announce_job_removed(view.id, view.state);
  stragglers_.job_ended(queue_of(record.request));
  if (result.layers.empty() && volumes_.find(result.volume_id) != nullptr)
    lookout_.look(result.volume_id);  // it ended before it saw anything
  if (has_map(result)) manager_.multipathd = multipathd_state(needs_.host);
  show_manager();
  const auto sentence = fmt::format(
      "job {} of {} ended {}{}{}", view.id,
      view.volume_id.empty() ? to_text(record.request.subject) : "volume " + view.volume_id,
      name_of(view.state), view.error_message.empty() ? "" : ": ", view.error_message);
  needs_.log.write(view.error_name.empty() ? LogLevel::info : LogLevel::warning, sentence,
                   {{field::job, std::to_string(view.id)},
                    {field::volume, view.volume_id},
                    {field::state, std::string(name_of(view.state))},
                    {field::error, view.error_name}});
}

void Agent::job_forgotten(JobId id) {
  face_->hide_job(id);
}

}  // namespace volgrow::agent
