// SPDX-License-Identifier: Apache-2.0
// Driver "file": a sparse file a volume, shown to hosts that are this host as a loop device each.
// It grows while it is attached: the file gets longer here, and making the loop device see that is
// the agent's work on the host.
#include <fmt/format.h>

#include <algorithm>

#include "backend/driver.h"
#include "backend/loop_devices.h"
#include "backend/volume_files.h"

namespace volgrow::backend {
namespace {

class FileDriver final : public Driver {
 public:
  FileDriver(const BackEnd& settings, SharedClock clock)
      : settings_(settings),
        clock_(std::move(clock)),
        files_(settings.path, settings.max_over_subscription_ratio) {}

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
  Result<LoopDevice> device_for(const VolumeFiles::Held& volume, const std::string& host,
                                Deadline deadline) const;

  BackEnd settings_;
  SharedClock clock_;
  VolumeFiles files_;
};

const LoopDevice* find(const std::vector<LoopDevice>& devices, const std::string& host,
                       bool leaving) {
  const auto mark = mark_of(host);
  const auto found = std::ranges::find_if(devices, [&](const LoopDevice& device) {
    return device.mark == mark && device.leaving == leaving;
  });
  return found == devices.end() ? nullptr : &*found;
}

Value connection_to(const LoopDevice& device, const std::string& id) {
  return Value::Object{{"driver_volume_type", "local"},
                       {"data", Value::Object{{"device_path", device.node},
                                              {"volume_id", id},
                                              {"discard", false},
                                              {"qos_specs", nullptr},
                                              {"access_mode", "rw"},
                                              {"encrypted", false},
                                              {"cacheable", false}}}};
}

Result<Capabilities> FileDriver::capabilities() const {
  const auto space = files_.space();
  if (!space) return std::unexpected(space.error());
  return Capabilities{"file",       "local",     settings_.in_use_extend,
                      space->total, space->free, settings_.max_over_subscription_ratio};
}

/// Whether a volume in use may grow is control's to ask (in_use_extend): a file can always.
Result<Measured> FileDriver::extend(const std::string& id, Bytes size, Deadline) const {
  const auto volume = files_.hold(id);
  if (!volume) return std::unexpected(volume.error());
  return measured(files_.grow(*volume, size));
}

Result<Removed> FileDriver::remove(const std::string& id, Deadline) const {
  const auto volume = files_.hold(id);
  if (!volume && volume.error().code == ErrorCode::no_such_volume) return Removed{};
  if (!volume) return std::unexpected(volume.error());
  const auto devices = loops_over(volume->name, volume->status);
  if (!devices) return std::unexpected(devices.error());
  if (!devices->empty())
    return failure(ErrorCode::busy, fmt::format("volume {} is attached as {}; detach it first", id,
                                                devices->front().node));
  if (auto done = files_.remove(*volume); !done) return std::unexpected(std::move(done.error()));
  return Removed{};
}

Result<Connection> FileDriver::export_to(const std::string& id, const Attachment& to,
                                         Deadline deadline) const {
  const auto volume = files_.hold(id);
  if (!volume) return std::unexpected(volume.error());
  const auto device = device_for(*volume, to.host, deadline);
  if (!device) return std::unexpected(device.error());
  return Connection{connection_to(*device, id)};
}

Result<LoopDevice> FileDriver::device_for(const VolumeFiles::Held& volume, const std::string& host,
                                          Deadline deadline) const {
  const auto devices = loops_over(volume.name, volume.status);
  if (!devices) return std::unexpected(devices.error());
  // One that leaves would be gone under its new user.
  if (const auto* known = find(*devices, host, false)) return *known;
  const auto file = files_.open_again(volume);
  if (!file) return std::unexpected(file.error());
  return attach_loop(file->get(), mark_of(host), deadline, *clock_);
}

Result<Unexported> FileDriver::unexport(const std::string& id, const Attachment& from,
                                        Deadline) const {
  const auto volume = files_.hold(id);
  if (!volume && volume.error().code == ErrorCode::no_such_volume) return Unexported{};
  if (!volume) return std::unexpected(volume.error());
  const auto devices = loops_over(volume->name, volume->status);
  if (!devices) return std::unexpected(devices.error());
  if (const auto* device = find(*devices, from.host, false)) {
    const auto gone = detach_loop(*device, volume->status);
    if (!gone) return std::unexpected(gone.error());
    return *gone ? Unexported{} : Unexported{device->node};
  }
  const auto* left = find(*devices, from.host, true);
  return left == nullptr ? Unexported{} : Unexported{left->node};
}

}  // namespace

std::shared_ptr<const Driver> file_driver(const BackEnd& settings, SharedClock clock) {
  return std::make_shared<FileDriver>(settings, std::move(clock));
}

}  // namespace volgrow::backend
