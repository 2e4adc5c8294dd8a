// SPDX-License-Identifier: Apache-2.0
// Lists that connections are moved between without being copied.
#include "http/connections.h"

#include <algorithm>

namespace volgrow::http {

Connection& Connections::add(Connection connection) {
  auto& all = in(Stage::receiving);
  const auto self = all.insert(all.end(), std::move(connection));
  self->self = self;
  enter(*self, Stage::receiving);
  return *self;
}

void Connections::remove(Connection& connection) {
  in(connection.stage).erase(connection.self);
}

void Connections::enter(Connection& connection, Stage stage) {
  auto& there = in(stage);
  there.splice(there.end(), in(connection.stage), connection.self);
  connection.stage = stage;
  if (const auto limit = limit_of(stage)) connection.due = clock_.now() + *limit;
}

std::optional<Duration> Connections::limit_of(Stage stage) const {
  switch (stage) {
    case Stage::receiving:
      return limits_.receiving;
    case Stage::sending:
      return limits_.sending;
    case Stage::idle:
      return limits_.idle;
    case Stage::left:
      return Duration::zero();
    case Stage::answering:
    case Stage::cut:
      break;
  }
  return std::nullopt;
}

std::optional<TimePoint> Connections::next_due() const {
  std::optional<TimePoint> next;
  for (const auto& all : by_stage_)
    if (!all.empty() && limit_of(all.front().stage))
      next = std::min(next.value_or(all.front().due), all.front().due);
  return next;
}

Connection* Connections::overdue() {
  const auto now = clock_.now();
  for (auto& all : by_stage_)
    if (!all.empty() && limit_of(all.front().stage) && all.front().due <= now) return &all.front();
  return nullptr;
}

std::size_t Connections::size() const {
  std::size_t count = 0;
  for (const auto& all : by_stage_)
    count += all.size();
  return count;
}

}  // namespace volgrow::http
