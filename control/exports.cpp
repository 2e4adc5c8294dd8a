// SPDX-License-Identifier: Apache-2.0
// One call after the other, each with a record that is older and outlives it.
#include "control/exports.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace volgrow::control {
namespace {

backend::VolumeName name_of(const Volume& volume) {
  return {volume.backend, volume.id};
}

backend::Attachment host_of(const Export& one) {
  return {one.host, one.initiator};
}

}  // namespace

/// A connection that was lost is made again by the next call, which may be the same.
template <class C>
void Exports::ask(C call, Then<typename C::Answer> then) {
  const auto deadline = within(needs_.config.request_time, needs_.clock.now());
  needs_.backends.call(call, deadline,
                       [this, call, deadline, then = std::move(then)](auto answer) mutable {
                         if (answer || answer.error().code != ErrorCode::unreachable)
                           return then(std::move(answer));
                         needs_.backends.call(std::move(call), deadline, std::move(then));
                       });
}

void Exports::begin(const Volume& volume, const Export& wanted, Then<Value> then) {
  const auto store = needs_.commits.open();
  if (!store) return then(std::unexpected(store.error()));
  if (auto added = (*store)->add_export(wanted); !added)
    return then(std::unexpected(std::move(added.error())));
  backend::Export call{name_of(volume), host_of(wanted)};
  auto connected = [then = std::move(then)](Result<backend::Connection> connection) mutable {
    if (!connection) return then(std::unexpected(std::move(connection.error())));
    then(std::move(connection->info));
  };
  needs_.commits.after([this, call = std::move(call),
                        connected = std::move(connected)](const Result<void>& durable) mutable {
    if (!durable) return connected(std::unexpected(durable.error()));
    ask(std::move(call), std::move(connected));
  });
}

void Exports::end_all(const Volume& volume, Then<void> then) {
  const auto store = needs_.commits.open();
  if (!store) return then(std::unexpected(store.error()));
  auto all = (*store)->exports_of(volume.id);
  if (!all) return then(std::unexpected(std::move(all.error())));
  end(volume, std::move(*all), std::move(then));
}

void Exports::end(const Volume& volume, std::vector<Export> ended, Then<void> then) {
  if (ended.empty()) return then({});
  auto one = std::move(ended.back());
  ended.pop_back();
  const auto shared = is_shared(one);
  if (!shared) return then(std::unexpected(shared.error()));
  if (*shared) return forget(volume, one, std::move(ended), std::move(then));
  const backend::Unexport call{name_of(volume), host_of(one)};
  ask(call, [this, volume, one = std::move(one), others = std::move(ended),
             then = std::move(then)](const Result<backend::Unexported>& answer) mutable {
    unexported(volume, one, answer, std::move(others), std::move(then));
  });
}

Result<bool> Exports::is_shared(const Export& one) {
  const auto store = needs_.commits.open();
  if (!store) return std::unexpected(store.error());
  const auto all = (*store)->exports_of(one.volume_id);
  if (!all) return std::unexpected(all.error());
  return std::ranges::any_of(*all, [&](const Export& other) {
    return other.host == one.host && other.attachment_id != one.attachment_id;
  });
}

void Exports::unexported(const Volume& volume, const Export& one,
                         const Result<backend::Unexported>& answer, std::vector<Export> others,
                         Then<void> then) {
  if (!answer) return then(std::unexpected(answer.error()));
  if (answer->still_open)
    needs_.log.warning(fmt::format("volume {}: {} is detached from {}, but somebody has it open",
                                   volume.id, *answer->still_open, one.host),
                       {{field::volume, volume.id}, {field::device, *answer->still_open}});
  forget(volume, one, std::move(others), std::move(then));
}

void Exports::forget(const Volume& volume, const Export& one, std::vector<Export> others,
                     Then<void> then) {
  const auto store = needs_.commits.open();
  if (!store) return then(std::unexpected(store.error()));
  if (auto removed = (*store)->remove_export(one); !removed)
    return then(std::unexpected(std::move(removed.error())));
  end(volume, std::move(others), std::move(then));
}

}  // namespace volgrow::control
