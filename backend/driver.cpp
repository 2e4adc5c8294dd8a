// SPDX-License-Identifier: Apache-2.0
// Calls to verbs, settings to drivers.
#include "backend/driver.h"

#include <utility>

namespace volgrow::backend {
namespace {

struct Performer {
  const Driver& driver;
  Deadline deadline;

  auto operator()(const GetCapabilities&) const { return driver.capabilities(); }
  auto operator()(const Create& call) const { return driver.create(call.volume.id, call.size); }
  auto operator()(const GetSize& call) const { return driver.size(call.volume.id); }
  auto operator()(const Extend& call) const {
    return driver.extend(call.volume.id, call.size, deadline);
  }
  auto operator()(const Export& call) const {
    return driver.export_to(call.volume.id, call.to, deadline);
  }
  auto operator()(const Unexport& call) const {
    return driver.unexport(call.volume.id, call.from, deadline);
  }
  auto operator()(const Remove& call) const { return driver.remove(call.volume.id, deadline); }
};

template <class T>
Result<Outcome> any(Result<T> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  return Outcome(*std::move(answer));
}

}  // namespace

Result<Outcome> perform(const Driver& driver, const Call& call, Deadline deadline) {
  const Performer performer{driver, deadline};
  return std::visit([&](const auto& asked) { return any(performer(asked)); }, call);
}

std::shared_ptr<const Driver> make_driver(const BackEnd& settings, SharedClock clock) {
  switch (settings.driver) {
    case DriverKind::file:
      return file_driver(settings, std::move(clock));
    case DriverKind::tgt:
      return tgt_driver(settings, std::move(clock));
  }
  return nullptr;
}

}  // namespace volgrow::backend
