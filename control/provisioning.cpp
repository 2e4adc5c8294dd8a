// SPDX-License-Identifier: Apache-2.0
// Each step is asked of the back end only when what led to it is durable: whatever is on storage is
// known to the database, also after kill -9.
#include "control/provisioning.h"

#include <fmt/format.h>

#include "core/uuid.h"

namespace volgrow::control {
namespace {

constexpr Duration pause = std::chrono::seconds(1);

/// Removes a volume's row with all that refers to it.
Result<void> forget(Store& store, const std::string& id) {
  auto attachments = store.attachments_of(id);
  if (!attachments) return std::unexpected(std::move(attachments.error()));
  for (const auto& attachment : *attachments)
    if (auto removed = store.remove_attachment(attachment.id); !removed) return removed;
  auto extend = store.extend_of(id);
  if (!extend) return std::unexpected(std::move(extend.error()));
  if (*extend)
    if (auto closed = store.close_extend((*extend)->id); !closed) return closed;
  return store.remove_volume(id);
}

/// Nothing when the volume is gone, or somebody made something else of it meanwhile.
Result<std::optional<Volume>> still(Store& store, const std::string& id, VolumeStatus status) {
  auto volume = store.volume(id);
  if (volume && *volume && (*volume)->status != status) return std::nullopt;
  return volume;
}

}  // namespace

Result<void> Provisioning::resume() {
  auto store = needs_.commits.open();
  if (!store) return std::unexpected(std::move(store.error()));
  auto unfinished = (*store)->unfinished_volumes();
  if (!unfinished) return std::unexpected(std::move(unfinished.error()));
  for (const auto& volume : *unfinished) {
    if (volume.status == VolumeStatus::creating)
      create(volume, "req-" + new_uuid());
    else
      remove(volume);
  }
  return {};
}

Provisioning::Id Provisioning::begin(Volume volume, std::string request_id) {
  const auto deadline = within(needs_.config.backend_time, needs_.clock.now());
  work_.emplace(++last_, Work{std::move(volume), std::move(request_id), deadline});
  return last_;
}

void Provisioning::when_durable(Id id, Step step) {
  needs_.commits.after([this, id, step](const Result<void>& committed) {
    if (committed) return (this->*step)(id);
    work_.erase(id);  // it never happened, or the next start finds it as it stood before
  });
}

// ---- creating ----

void Provisioning::create(const Volume& volume, const std::string& request_id) {
  const bool placed = !volume.backend.empty();
  when_durable(begin(volume, request_id), placed ? &Provisioning::make : &Provisioning::place);
}

void Provisioning::place(Id id) {
  needs_.pools.when_fresh([this, id] {
    const auto placed = choose_for(work_.at(id).volume);
    if (placed && *placed) return when_durable(id, &Provisioning::make);
    if (!placed) needs_.log.error(placed.error().message);
    end_create(id, VolumeStatus::error,
               std::pair(Action::schedule_allocate_volume, Detail::no_back_end));
  });
}

/// Chooses and stores its back end; false when there is none for it, or it is not wanted any more.
Result<bool> Provisioning::choose_for(Volume& volume) {
  auto store = needs_.commits.open();
  if (!store) return std::unexpected(std::move(store.error()));
  const auto type = (*store)->type(volume.type_id);
  if (!type) return std::unexpected(type.error());
  const auto specs = *type ? (*type)->extra_specs : std::map<std::string, std::string>();
  const auto chosen = needs_.pools.choose(specs, volume.size);
  auto stored = still(**store, volume.id, VolumeStatus::creating);
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (!*stored || !chosen) return false;
  volume.backend = (*stored)->backend = *chosen;
  if (auto changed = (*store)->change_volume(**stored); !changed)
    return std::unexpected(std::move(changed.error()));
  return true;
}

void Provisioning::make(Id id) {
  const auto& work = work_.at(id);
  needs_.backends.call(
      backend::Create{{work.volume.backend, work.volume.id}, bytes_of(work.volume.size)},
      work.deadline, [this, id](Result<backend::Measured> outcome) { made(id, outcome); });
}

void Provisioning::made(Id id, const Result<backend::Measured>& made) {
  if (made) return end_create(id, VolumeStatus::available, std::nullopt);
  if (again(id, made.error(), &Provisioning::make)) return;
  const auto& volume = work_.at(id).volume;
  needs_.log.error(fmt::format("create volume {}: {}", volume.id, made.error().message),
                   {{field::volume, volume.id}});
  const bool full = made.error().code == ErrorCode::no_space;
  end_create(id, VolumeStatus::error,
             full ? std::pair(Action::schedule_allocate_volume, Detail::no_back_end)
                  : std::pair(Action::create_volume_from_back_end, Detail::driver_failed_create));
}

void Provisioning::end_create(Id id, VolumeStatus status,
                              std::optional<std::pair<Action, Detail>> told) {
  finish(id, [&](Store& store) { return store_created(store, work_.at(id), status, told); });
}

Result<void> Provisioning::store_created(Store& store, const Work& work, VolumeStatus status,
                                         std::optional<std::pair<Action, Detail>> told) {
  auto volume = still(store, work.volume.id, VolumeStatus::creating);
  if (!volume) return std::unexpected(std::move(volume.error()));
  if (!*volume) return {};
  auto& changed = **volume;
  changed.status = status;
  changed.backend = work.volume.backend;
  changed.updated_at = needs_.clock.wall();
  if (auto stored = store.change_volume(changed); !stored || !told) return stored;
  return store.add_message(
      make_message(changed, work.request_id, told->first, told->second, needs_.clock.wall()));
}

// ---- deleting ----

void Provisioning::remove(const Volume& volume) {
  when_durable(begin(volume, {}), &Provisioning::unexport);
}

/// What os-initialize_connection exported, and nobody terminated, goes with the volume.
void Provisioning::unexport(Id id) {
  const auto& volume = work_.at(id).volume;
  if (volume.backend.empty()) return end_remove(id, std::nullopt);  // it was never placed
  exports_.end_all(volume, [this, id](const Result<void>& ended) {
    if (!ended) return unmade(id, std::unexpected(ended.error()));
    unmake(id);
  });
}

void Provisioning::unmake(Id id) {
  const auto& work = work_.at(id);
  needs_.backends.call(backend::Remove{{work.volume.backend, work.volume.id}}, work.deadline,
                       [this, id](Result<backend::Removed> outcome) { unmade(id, outcome); });
}

void Provisioning::unmade(Id id, const Result<backend::Removed>& removed) {
  if (removed) return end_remove(id, std::nullopt);
  if (again(id, removed.error(), &Provisioning::unexport)) return;
  const auto& volume = work_.at(id).volume;
  needs_.log.error(fmt::format("delete volume {}: {}", volume.id, removed.error().message),
                   {{field::volume, volume.id}});
  // As Cinder: a volume in use is as it was.
  const bool busy = removed.error().code == ErrorCode::busy;
  end_remove(id, busy ? VolumeStatus::available : VolumeStatus::error_deleting);
}

void Provisioning::end_remove(Id id, std::optional<VolumeStatus> status) {
  finish(id, [&](Store& store) -> Result<void> {
    auto volume = still(store, work_.at(id).volume.id, VolumeStatus::deleting);
    if (!volume) return std::unexpected(std::move(volume.error()));
    if (!*volume) return {};
    if (!status) return forget(store, (*volume)->id);
    (*volume)->status = *status;
    (*volume)->updated_at = needs_.clock.wall();
    return store.change_volume(**volume);
  });
}

// ---- both ----

/// A back end that is not there now may come back; its verbs may be repeated.
bool Provisioning::again(Id id, const Error& error, Step step) {
  auto& work = work_.at(id);
  if (error.code != ErrorCode::unreachable || work.deadline.passed(needs_.clock.now() + pause))
    return false;
  auto watch = needs_.loop.at(needs_.clock.now() + pause, [this, id, step] { (this->*step)(id); });
  if (!watch) return false;
  work.retry = std::move(*watch);
  return true;
}

void Provisioning::finish(Id id, const std::function<Result<void>(Store&)>& change) {
  auto store = needs_.commits.open();
  const auto done = store ? change(**store) : std::unexpected(std::move(store.error()));
  if (!done) needs_.log.error(done.error().message);
  work_.erase(id);
}

}  // namespace volgrow::control
