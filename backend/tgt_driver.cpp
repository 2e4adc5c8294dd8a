// SPDX-License-Identifier: Apache-2.0
// Driver "tgt": a sparse file a volume, shown to hosts by tgtd over iSCSI: one target a volume, LUN
// 1 in it, and its access list says which hosts have it. tgtd reads the size of a file when it
// opens it and never again, so a volume in use cannot grow.
#include <fmt/format.h>

#include <algorithm>

#include "backend/driver.h"
#include "backend/tgt_daemon.h"
#include "backend/volume_files.h"

namespace volgrow::backend {
namespace {

constexpr std::string_view name_prefix = "iqn.2026-01.org.volgrow:";

/// tgtd takes letters, digits, ':', '.' and '-' in a name. An id may hold '_' besides, and no ':'.
std::string target_name_of(const std::string& id) {
  std::string name(name_prefix);
  for (const char c : file_name_of(id))
    c == '_' ? name.append(":5f") : name.append(1, c);
  return name;
}

class TgtDriver final : public Driver {
 public:
  TgtDriver(const BackEnd& settings, SharedClock clock)
      : settings_(settings),
        files_(settings.path, settings.max_over_subscription_ratio),
        tgtd_(settings.control_socket, std::move(clock)) {}

  Result<Capabilities> capabilities() const override;
  Result<Measured> create(const std::string& id, Bytes size) const override {
    return measured(files_.create(id, size));
  }
  Result<Measured> size(const std::string& id) const override { return measured(files_.size(id)); }
  Result<Measured> extend(const std::string& id, Bytes size, Deadline deadline) const override;
  Result<Removed> remove(const std::string& id, Deadline deadline) const override;
  Result<Connection> export_to(const std::string& id, const Attachment& to,
                               Deadline deadline) const override;
  Result<Unexported> unexport(const std::string& id, const Attachment& from,
                              Deadline deadline) const override;

 private:
  Result<void> expect_unused(const std::string& id, std::string_view verb, Deadline deadline) const;
  Result<TgtTarget> target_for(const std::string& id, Deadline deadline) const;
  Result<TgtTarget> target_named(const std::string& name, Deadline deadline) const;
  Result<void> withdraw(const TgtTarget& target, const std::string& initiator,
                        Deadline deadline) const;
  Value connection_to(const std::string& id) const;

  BackEnd settings_;
  VolumeFiles files_;
  TgtDaemon tgtd_;
};

const TgtTarget* find(const std::vector<TgtTarget>& targets, const std::string& name) {
  const auto found = std::ranges::find(targets, name, &TgtTarget::name);
  return found == targets.end() ? nullptr : &*found;
}

int lowest_free_number(const std::vector<TgtTarget>& targets) {
  int number = 1;
  while (std::ranges::find(targets, number, &TgtTarget::number) != targets.end())
    ++number;
  return number;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Result<std::string> initiator_of(const Attachment& attachment) {
  if (attachment.initiator) return *attachment.initiator;
  return failure(ErrorCode::invalid_args,
                 fmt::format("host {} gave no name of its iSCSI initiator; is open-iscsi installed "
                             "there?",
                             attachment.host));
}

/// As Cinder's manager completes what its LVM driver with tgt answers.
Value TgtDriver::connection_to(const std::string& id) const {
  return Value::Object{{"driver_volume_type", "iscsi"},
                       {"data", Value::Object{{"target_discovered", false},
                                              {"target_portal", settings_.portal},
                                              {"target_iqn", target_name_of(id)},
                                              {"target_lun", std::uint64_t{volume_lun}},
                                              {"volume_id", id},
                                              {"discard", false},
                                              {"qos_specs", nullptr},
                                              {"access_mode", "rw"},
                                              {"encrypted", false},
                                              {"cacheable", false}}}};
}

Result<Capabilities> TgtDriver::capabilities() const {
  const auto space = files_.space();
  if (!space) return std::unexpected(space.error());
  return Capabilities{"tgt",        "iSCSI",     false,
                      space->total, space->free, settings_.max_over_subscription_ratio};
}

/// What no host may use is the rest of an interrupted export or unexport, and is cleared away.
Result<void> TgtDriver::expect_unused(const std::string& id, std::string_view verb,
                                      Deadline deadline) const {
  const auto targets = tgtd_.targets(deadline);
  if (!targets) return std::unexpected(targets.error());
  const auto* target = find(*targets, target_name_of(id));
  if (target == nullptr) return {};
  if (target->allowed.empty() && target->sessions.empty())
    return tgtd_.remove_target(target->number, deadline);
  return failure(
      ErrorCode::busy,
      fmt::format("volume {} is exported as {}, and tgtd cannot {} it before it is "
                  "unexported from {}",
                  id, target->name, verb,
                  target->allowed.empty() ? target->sessions.front() : target->allowed.front()));
}

Result<Measured> TgtDriver::extend(const std::string& id, Bytes size, Deadline deadline) const {
  const auto volume = files_.hold(id);
  if (!volume) return std::unexpected(volume.error());
  if (Bytes(static_cast<std::uint64_t>(volume->status.st_size)) < size)
    if (auto unused = expect_unused(id, "extend", deadline); !unused)
      return std::unexpected(std::move(unused.error()));
  return measured(files_.grow(*volume, size));
}

Result<Removed> TgtDriver::remove(const std::string& id, Deadline deadline) const {
  const auto volume = files_.hold(id);
  if (!volume && volume.error().code == ErrorCode::no_such_volume) return Removed{};
  if (!volume) return std::unexpected(volume.error());
  if (auto unused = expect_unused(id, "remove", deadline); !unused)
    return std::unexpected(std::move(unused.error()));
  if (auto done = files_.remove(*volume); !done) return std::unexpected(std::move(done.error()));
  return Removed{};
}

/// The host is let in last: a target that lets nobody in is not exported yet.
Result<Connection> TgtDriver::export_to(const std::string& id, const Attachment& to,
                                        Deadline deadline) const {
  const auto initiator = initiator_of(to);
  if (!initiator) return std::unexpected(initiator.error());
  const auto volume = files_.hold(id);
  if (!volume) return std::unexpected(volume.error());
  const auto target = target_for(id, deadline);
  if (!target) return std::unexpected(target.error());
  if (auto done = tgtd_.allow(target->number, *initiator, deadline); !done)
    return std::unexpected(std::move(done.error()));
  return Connection{connection_to(id)};
}

Result<TgtTarget> TgtDriver::target_for(const std::string& id, Deadline deadline) const {
  auto target = target_named(target_name_of(id), deadline);
  const auto path = files_.path_of(id).native();
  if (!target || target->path == path) return target;
  if (target->path)
    return failure(ErrorCode::busy, fmt::format("{} of tgtd offers {}, and not {}", target->name,
                                                *target->path, path));
  if (auto done = tgtd_.add_volume(target->number, path, deadline); !done)
    return std::unexpected(std::move(done.error()));
  return target;
}

/// Numbers are for everybody who administers this tgtd: who comes too late looks again. It ends
/// with the deadline, after which no question is asked.
Result<TgtTarget> TgtDriver::target_named(const std::string& name, Deadline deadline) const {
  while (true) {
    const auto targets = tgtd_.targets(deadline);
    if (!targets) return std::unexpected(targets.error());
    if (const auto* known = find(*targets, name)) return *known;
    TgtTarget target;
    target.number = lowest_free_number(*targets);
    target.name = name;
    const auto added = tgtd_.add_target(target.number, name, deadline);
    if (added) return target;
    if (added.error().code != ErrorCode::busy) return std::unexpected(added.error());
  }
}

Result<Unexported> TgtDriver::unexport(const std::string& id, const Attachment& from,
                                       Deadline deadline) const {
  const auto initiator = initiator_of(from);
  if (!initiator) return std::unexpected(initiator.error());
  const auto targets = tgtd_.targets(deadline);
  if (!targets) return std::unexpected(targets.error());
  const auto* target = find(*targets, target_name_of(id));
  if (target == nullptr) return Unexported{};
  if (has(target->sessions, *initiator))
    return failure(ErrorCode::busy,
                   fmt::format("{} of host {} is still logged in to {}; log out there first",
                               *initiator, from.host, target->name));
  if (auto done = withdraw(*target, *initiator, deadline); !done)
    return std::unexpected(std::move(done.error()));
  return Unexported{};
}

Result<void> TgtDriver::withdraw(const TgtTarget& target, const std::string& initiator,
                                 Deadline deadline) const {
  if (auto done = tgtd_.forbid(target.number, initiator, deadline); !done) return done;
  const auto another = [&](const std::string& name) { return name != initiator; };
  if (std::ranges::any_of(target.allowed, another)) return {};
  return tgtd_.remove_target(target.number, deadline);
}

}  // namespace

std::shared_ptr<const Driver> tgt_driver(const BackEnd& settings, SharedClock clock) {
  return std::make_shared<TgtDriver>(settings, std::move(clock));
}

}  // namespace volgrow::backend
