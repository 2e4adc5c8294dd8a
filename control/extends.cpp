// SPDX-License-Identifier: Apache-2.0
// The flow around the state machine. Nothing is decided here that extend_rules could decide.
#include "control/extends.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>

#include "control/quota_limits.h"

namespace volgrow::control {
namespace {

constexpr Duration first_pause = std::chrono::milliseconds(200);
constexpr Duration longest_pause = std::chrono::seconds(10);
/// Another call at work on the volume, which a restart left behind, ends soon; an export that is in
/// the way does not.
constexpr std::uint32_t most_attempts_while_busy = 5;

Duration pause_after(std::uint32_t attempts) {
  return std::min(longest_pause, first_pause * (1 << std::min(attempts, 6U)));
}

std::string_view what_of(ExtendEvent event) {
  switch (event) {
    case ExtendEvent::grew:
      return "grew";
    case ExtendEvent::grew_deferred:
      return "grew on its back end; waits for os-extend_volume_completion";
    case ExtendEvent::completed:
      return "was completed";
    case ExtendEvent::failed:
      return "failed";
    case ExtendEvent::not_initialised:
      return "failed: its back end is not initialised";
    case ExtendEvent::no_capacity:
      return "was taken back: no back end with room that may do it";
  }
  return "ended";
}

/// What the back end's failure means for the extend, when it is final.
ExtendEvent event_for(const Error& error) {
  if (error.code == ErrorCode::no_space) return ExtendEvent::no_capacity;
  const bool absent =
      error.code == ErrorCode::not_initialised || error.code == ErrorCode::unreachable;
  return absent ? ExtendEvent::not_initialised : ExtendEvent::failed;
}

}  // namespace

const backend::BackEnd* Extends::back_end_of(const std::string& name) const {
  const auto& all = needs_.config.backends.backends;
  const auto found = std::ranges::find(all, name, &backend::BackEnd::name);
  return found == all.end() ? nullptr : &*found;
}

// ---- acceptance ----

Result<ExtendRequest> Extends::request_for(const Volume& volume, Gib new_size,
                                           bool in_use_allowed) {
  auto opened = needs_.commits.open();
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& store = **opened;
  const auto* back_end = back_end_of(volume.backend);
  auto open = store.extend_of(volume.id);
  if (!open) return std::unexpected(std::move(open.error()));
  auto type = store.type(volume.type_id);
  if (!type) return std::unexpected(std::move(type.error()));
  auto usage = store.usage(volume.project_id);
  if (!usage) return std::unexpected(std::move(usage.error()));
  auto limits = limits_of(store, needs_.config, volume.project_id);
  if (!limits) return std::unexpected(std::move(limits.error()));
  return ExtendRequest{
      .volume = volume,
      .new_size = new_size,
      .in_use_allowed = in_use_allowed,
      .capable = needs_.config.capability_check == CapabilityCheck::scheduler ||
                 (back_end && back_end->in_use_extend),
      .under_way = open->has_value(),
      .back_end_driver = std::string(back_end ? backend::name_of(back_end->driver) : "unknown"),
      .type = std::move(*type),
      .usage = std::move(*usage),
      .limits = std::move(*limits)};
}

Outcome<void> Extends::accept(const Caller& caller, const Volume& volume, Gib new_size,
                              bool in_use_allowed) {
  const auto request = request_for(volume, new_size, in_use_allowed);
  if (!request) return server_fault(request.error(), needs_.log);
  if (auto passed = check(*request); !passed) return passed;
  auto extend = reserve(caller, volume, new_size);
  if (!extend) return server_fault(extend.error(), needs_.log);
  needs_.commits.after([this, extend = std::move(*extend), volume](const Result<void>& durable) {
    if (durable) begin(extend, volume);
  });
  return {};
}

Result<Extend> Extends::reserve(const Caller& caller, Volume volume, Gib new_size) {
  Extend extend{.volume_id = volume.id,
                .project_id = volume.project_id,
                .type_id = volume.type_id,
                .user_id = caller.user_id,
                .request_id = caller.request_id,
                .previous_status = volume.status,
                .old_size = volume.size,
                .new_size = new_size,
                .started_at = needs_.clock.wall()};
  auto store = needs_.commits.open();
  if (!store) return std::unexpected(std::move(store.error()));
  volume.previous_status = volume.status;
  volume.status = VolumeStatus::extending;
  volume.updated_at = needs_.clock.wall();
  auto id = (*store)->open_extend(extend);
  if (!id) return std::unexpected(std::move(id.error()));
  extend.id = *id;
  if (auto done = (*store)->change_volume(volume); !done)
    return std::unexpected(std::move(done.error()));
  return extend;
}

// ---- the back end ----

Result<void> Extends::resume() {
  auto store = needs_.commits.open();
  if (!store) return std::unexpected(std::move(store.error()));
  const auto extends = (*store)->open_extends();
  if (!extends) return std::unexpected(extends.error());
  for (const auto& extend : *extends) {
    auto volume = (*store)->volume(extend.volume_id);
    if (!volume) return std::unexpected(std::move(volume.error()));
    if (extend.deferred || !*volume) continue;
    needs_.log.info(fmt::format("volume {}: goes on growing from {} to {} GiB", extend.volume_id,
                                extend.old_size, extend.new_size),
                    {{field::volume, extend.volume_id}, {field::request, extend.request_id}});
    under_way_[extend.id] = {.extend = extend,
                             .backend = (*volume)->backend,
                             .deadline = within(needs_.config.backend_time, needs_.clock.now()),
                             .attempts = 0,
                             .retry = {},
                             .end = {}};
    ask_size(extend.id);
  }
  return {};
}

bool Extends::scheduler_refuses(const UnderWay& under_way) const {
  if (under_way.extend.previous_status != VolumeStatus::in_use) return false;
  const auto* back_end = back_end_of(under_way.backend);
  return !back_end || !back_end->in_use_extend;
}

void Extends::begin(const Extend& extend, const Volume& volume) {
  auto& under_way = under_way_[extend.id];
  under_way = {.extend = extend,
               .backend = volume.backend,
               .deadline = within(needs_.config.backend_time, needs_.clock.now()),
               .attempts = 0,
               .retry = {},
               .end = {}};
  if (scheduler_refuses(under_way)) return finish(extend.id, ExtendEvent::no_capacity);
  auto started = volume;
  started.status = VolumeStatus::extending;
  auto store = needs_.commits.open();
  const auto attachments =
      store ? (*store)->attachments_of(volume.id) : Result<std::vector<Attachment>>();
  if (attachments)
    needs_.notifications.send(resize_started(started, *attachments, needs_.config.host));
  grow(extend.id);
}

void Extends::grow(std::int64_t id) {
  auto& under_way = under_way_.at(id);
  ++under_way.attempts;
  needs_.backends.call(backend::Extend{{under_way.backend, under_way.extend.volume_id},
                                       bytes_of(under_way.extend.new_size)},
                       under_way.deadline,
                       [this, id](const Result<backend::Measured>& m) { grown(id, m); });
}

ExtendEvent Extends::success_of(const UnderWay& under_way) const {
  const auto* back_end = back_end_of(under_way.backend);
  const bool deferred = back_end && back_end->completion == backend::Completion::deferred;
  return deferred ? ExtendEvent::grew_deferred : ExtendEvent::grew;
}

void Extends::grown(std::int64_t id, const Result<backend::Measured>& measured) {
  const auto& under_way = under_way_.at(id);
  const auto wanted = bytes_of(under_way.extend.new_size);
  if (measured)
    return finish(id, measured->size >= wanted ? success_of(under_way) : ExtendEvent::failed);
  needs_.log.warning(
      fmt::format("volume {}: {}", under_way.extend.volume_id, measured.error().message),
      {{field::volume, under_way.extend.volume_id}, {field::request, under_way.extend.request_id}});
  const bool over = under_way.deadline.passed(needs_.clock.now());
  if (measured.error().code == ErrorCode::unreachable && !over)
    return later(id, &Extends::ask_size);
  if (measured.error().code == ErrorCode::busy && under_way.attempts < most_attempts_while_busy)
    return later(id, &Extends::ask_size);
  // It may have grown and the answer was lost, or be bigger than was asked for: its size decides.
  if (measured.error().code == ErrorCode::timed_out ||
      measured.error().code == ErrorCode::would_shrink)
    return ask_whether_grown(id);
  finish(id, event_for(measured.error()));
}

/// Before it is asked to grow again: it may have grown already.
void Extends::ask_size(std::int64_t id) {
  const auto& under_way = under_way_.at(id);
  needs_.backends.call(
      backend::GetSize{{under_way.backend, under_way.extend.volume_id}}, under_way.deadline,
      [this, id](const Result<backend::Measured>& measured) { size_known(id, measured); });
}

void Extends::size_known(std::int64_t id, const Result<backend::Measured>& measured) {
  auto& under_way = under_way_.at(id);
  if (measured && measured->size >= bytes_of(under_way.extend.new_size))
    return finish(id, success_of(under_way));
  if (measured) return grow(id);
  const bool over = under_way.deadline.passed(needs_.clock.now());
  const auto code = measured.error().code;
  if (!over && (code == ErrorCode::unreachable || code == ErrorCode::busy))
    return later(id, &Extends::ask_size);
  finish(id, event_for(measured.error()));
}

/// The last question; it has a little time of its own, since the deadline may be what passed.
void Extends::ask_whether_grown(std::int64_t id) {
  const auto& under_way = under_way_.at(id);
  needs_.backends.call(backend::GetSize{{under_way.backend, under_way.extend.volume_id}},
                       within(longest_pause, needs_.clock.now()),
                       [this, id](const Result<backend::Measured>& m) {
                         const auto& asked = under_way_.at(id);
                         const bool there = m && m->size >= bytes_of(asked.extend.new_size);
                         finish(id, there ? success_of(asked) : ExtendEvent::failed);
                       });
}

void Extends::later(std::int64_t id, Next next) {
  auto& under_way = under_way_.at(id);
  const auto when = needs_.clock.now() + pause_after(under_way.attempts++);
  auto watch = needs_.loop.at(when, [this, id, next] { (this->*next)(id); });
  if (watch) under_way.retry = std::move(*watch);
}

// ---- the end ----

void Extends::finish(std::int64_t id, ExtendEvent event) {
  under_way_.at(id).end = event;
  auto store = needs_.commits.open();
  const auto applied = store ? apply(**store, under_way_.at(id).extend, event)
                             : Result<void>(std::unexpected(store.error()));
  if (!applied) return not_stored(id, applied.error());
  needs_.commits.after([this, id](const Result<void>& durable) {
    if (!durable) return not_stored(id, durable.error());
    forget(id);
  });
}

/// How it ended is known, and stays so however long the database cannot be written: to ask the back
/// end again would be to ask after its deadline.
void Extends::not_stored(std::int64_t id, const Error& error) {
  needs_.log.error(error.message, {{field::volume, under_way_.at(id).extend.volume_id}});
  later(id, &Extends::finish_again);
}

void Extends::finish_again(std::int64_t id) {
  finish(id, *under_way_.at(id).end);
}

/// Thousands at once leave a heap with holes, which malloc keeps until it is told (malloc_trim(3)).
void Extends::forget(std::int64_t id) {
  constexpr std::size_t many = 1000;
  most_under_way_ = std::max(most_under_way_, under_way_.size());
  under_way_.erase(id);
  if (!under_way_.empty() || most_under_way_ < many) return;
  ::malloc_trim(0);
  most_under_way_ = 0;
}

Result<void> Extends::apply(Store& store, const Extend& extend, ExtendEvent event) {
  const auto still_open = store.extend_of(extend.volume_id);
  if (!still_open) return std::unexpected(still_open.error());
  if (!*still_open || (*still_open)->id != extend.id) return {};  // removed with its volume
  needs_.log.info(fmt::format("volume {}: {} to {} GiB: {}", extend.volume_id, extend.old_size,
                              extend.new_size, what_of(event)),
                  {{field::volume, extend.volume_id}, {field::request, extend.request_id}});
  return store_end(store, extend, transition(event));
}

Result<void> Extends::store_end(Store& store, const Extend& extend, const Transition& transition) {
  auto volume = store.volume(extend.volume_id);
  if (!volume) return std::unexpected(std::move(volume.error()));
  // Read now: who was detached meanwhile is told nothing.
  auto attachments = store.attachments_of(extend.volume_id);
  if (!attachments) return std::unexpected(std::move(attachments.error()));
  auto& changed = **volume;
  changed.status = status_after(transition, extend, *attachments);
  if (transition.grown) changed.size = extend.new_size;
  if (transition.ends) changed.previous_status.reset();
  changed.updated_at = needs_.clock.wall();
  if (auto done = store.change_volume(changed); !done) return done;
  auto kept = extend;
  kept.deferred = true;
  auto done = transition.ends ? store.close_extend(extend.id) : store.change_extend(kept);
  if (!done) return done;
  if (transition.message)
    done = store.add_message(make_message(changed, extend.request_id, Action::extend_volume,
                                          *transition.message, needs_.clock.wall()));
  if (done && transition.tells_hosts) done = needs_.deliveries.queue(store, extend, *attachments);
  if (!done) return done;
  auto notice = resize_ended(transition.notification, changed, *attachments, needs_.config.host);
  needs_.commits.after([this, notice = std::move(notice)](const Result<void>& durable) {
    if (durable && notice) needs_.notifications.send(*notice);
  });
  return {};
}

Outcome<void> Extends::complete(const Volume& volume, bool error) {
  auto store = needs_.commits.open();
  if (!store) return server_fault(store.error(), needs_.log);
  const auto extend = (*store)->extend_of(volume.id);
  if (!extend) return server_fault(extend.error(), needs_.log);
  if (!*extend || !(*extend)->deferred)
    return invalid_volume(
        fmt::format("Volume {} is not waiting for the completion of an extend.", volume.id));
  const auto event = error ? ExtendEvent::failed : ExtendEvent::completed;
  if (auto applied = apply(**store, **extend, event); !applied)
    return server_fault(applied.error(), needs_.log);
  return {};
}

}  // namespace volgrow::control
