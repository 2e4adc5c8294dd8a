// SPDX-License-Identifier: Apache-2.0
// The kernel's own netlink group ("kernel", not "udev"): works where no udev daemon runs, and no
// rule can delay or swallow an event. libudev's filter lets only block, scsi and nvme events into
// the queue; of NVMe only the controllers' own (NVME_EVENT=connected) are not block events.
#include "connectors/uevents.h"

#include <fmt/format.h>
#include <libudev.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace volgrow {
namespace {

template <auto unref>
struct Unref {
  template <class T>
  void operator()(T* object) const {
    unref(object);
  }
};
using Udev = std::unique_ptr<udev, Unref<udev_unref>>;
using Monitor = std::unique_ptr<udev_monitor, Unref<udev_monitor_unref>>;
using Device = std::unique_ptr<udev_device, Unref<udev_device_unref>>;

std::string text(const char* maybe) {
  return maybe == nullptr ? std::string() : std::string(maybe);
}

Uevent event_from(udev_device& device) {
  Uevent event;
  event.action = text(udev_device_get_action(&device));
  event.device = text(udev_device_get_sysname(&device));
  std::ranges::replace(event.device, '/', '!');  // libudev's spelling back to the kernel's
  event.subsystem = text(udev_device_get_subsystem(&device));
  event.device_number = udev_device_get_devnum(&device);
  event.resized = text(udev_device_get_property_value(&device, "RESIZE")) == "1";
  return event;
}

/// SO_RCVBUF stops, silently, at net.core.rmem_max; SO_RCVBUFFORCE needs CAP_NET_ADMIN.
Result<void> set_receive_buffer(int fd, Bytes size) {
  const int bytes =
      static_cast<int>(std::min<std::uint64_t>(size.count(), std::numeric_limits<int>::max() / 2));
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return {};
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0) return {};
  return system_failure(errno, "size the uevent receive buffer");
}

class UdevMonitor final : public UeventMonitor {
 public:
  UdevMonitor(Udev udev, Monitor monitor) : udev_(std::move(udev)), monitor_(std::move(monitor)) {}

  int fd() const override { return udev_monitor_get_fd(monitor_.get()); }
  Batch receive(std::size_t limit) override;

 private:
  Udev udev_;
  Monitor monitor_;
};

/// NULL means "nothing there" only with EAGAIN. ENOBUFS is the kernel's word, once, that events
/// were dropped; the queue is still readable behind it. Any other errno is one unreadable message.
UeventMonitor::Batch UdevMonitor::receive(std::size_t limit) {
  Batch batch;
  for (std::size_t i = 0; i < limit; ++i) {
    errno = 0;
    const Device device(udev_monitor_receive_device(monitor_.get()));
    if (device) {
      batch.events.push_back(event_from(*device));
      continue;
    }
    if (errno == EAGAIN || errno == 0) break;
    if (errno == ENOBUFS) batch.lost = true;
  }
  return batch;
}

bool listen(udev_monitor& monitor) {
  for (const auto* subsystem : {"block", "scsi", "nvme"})
    if (udev_monitor_filter_add_match_subsystem_devtype(&monitor, subsystem, nullptr) < 0)
      return false;
  return udev_monitor_enable_receiving(&monitor) >= 0;
}

}  // namespace

Result<std::unique_ptr<UeventMonitor>> UeventMonitor::open(Bytes receive_buffer) {
  Udev context(udev_new());
  if (!context) return system_failure(errno, "open libudev");
  Monitor monitor(udev_monitor_new_from_netlink(context.get(), "kernel"));
  if (!monitor) return system_failure(errno, "open the uevent socket");
  // Before the first event can arrive.
  const int fd = udev_monitor_get_fd(monitor.get());
  if (auto done = set_receive_buffer(fd, receive_buffer); !done)
    return std::unexpected(std::move(done.error()));
  if (!listen(*monitor)) return system_failure(errno, "listen for uevents");
  return std::make_unique<UdevMonitor>(std::move(context), std::move(monitor));
}

}  // namespace volgrow
