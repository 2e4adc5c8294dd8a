// SPDX-License-Identifier: Apache-2.0
// A loop device: a window into a file. The file is its target: what the window could be is the
// truth, what the kernel shows is the window when it was last looked at (loop.c,
// loop_get_backing_size).
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "connectors/all.h"
#include "connectors/block_device.h"

namespace volgrow {
namespace {

constexpr std::uint64_t sector = 512;

std::string attribute_of(std::string_view device, std::string_view attribute) {
  return fmt::format("block/{}/loop/{}", device, attribute);
}

/// The path as the kernel prints it, with " (deleted)" when its directory entry is gone.
Result<std::string> backing_path(const Host& host, std::string_view device) {
  auto path = host.read(attribute_of(device, "backing_file"));
  if (path) return path;
  return failure(ErrorCode::no_such_device,
                 fmt::format("{} has no backing file: nothing is attached to it", device),
                 std::string(device));
}

Error no_backing(std::string_view device, std::string_view path) {
  const bool deleted = path.ends_with(" (deleted)");
  return Error{ErrorCode::no_usable_path,
               fmt::format("the file behind {} cannot be asked: {} {}", device, path,
                           deleted ? "has no name any more" : "is not there"),
               std::string(device), 0};
}

/// Another file has the path now; the loop device still is the old one.
Error replaced(const Layer& layer, const loop_info64& window, const FileStatus& found) {
  return Error{ErrorCode::no_usable_path,
               fmt::format("{} is not the file behind {}: it is inode {} of device {:x}, and {} "
                           "holds inode {} of device {:x}; attach the volume again",
                           layer.endpoint, layer.device, found.inode, found.device, layer.device,
                           window.lo_inode, window.lo_device),
               layer.device, 0};
}

/// A layer below by the name it has as a layer: a path, or the kernel name of a block device.
Result<std::string> layer_below(const Host& host, const std::string& path,
                                const FileStatus& status) {
  if (!S_ISBLK(status.mode)) return path;
  return device_numbered(host, status.device_number);
}

Result<loop_info64> window_of(Host& host, const Layer& layer) {
  auto node = open_block(host, layer.device, layer.identity, Access::query);
  if (!node) return std::unexpected(std::move(node.error()));
  loop_info64 window{};
  auto done = (*node)->control(LOOP_GET_STATUS64, &window);
  if (!done) return std::unexpected(std::move(done.error()).during("status of " + layer.device));
  return window;
}

struct Backing {
  FileStatus status;
  Bytes size;
};

/// Opened, not only looked at: on a network file system that is what fetches the size anew.
Result<Backing> backing_of(Host& host, const Layer& layer) {
  auto file = host.open(layer.endpoint, Access::query);
  if (!file && file.error().code == ErrorCode::no_such_device)
    return std::unexpected(no_backing(layer.device, layer.endpoint));
  if (!file) return std::unexpected(std::move(file.error()).during("file behind " + layer.device));
  auto status = (*file)->status();
  if (!status) return std::unexpected(std::move(status.error()));
  auto size = S_ISBLK(status->mode) ? size_by_ioctl(**file) : Result<Bytes>(status->size);
  if (!size) return std::unexpected(std::move(size.error()));
  return Backing{*status, *size};
}

Bytes inside(const loop_info64& window, Bytes backing) {
  const auto rest = (backing - Bytes(window.lo_offset)).count();
  const auto bytes =
      window.lo_sizelimit == 0 ? rest : std::min(rest, std::uint64_t{window.lo_sizelimit});
  return Bytes(bytes / sector * sector);
}

Wwid identity_in(const loop_info64& window) {
  return {WwidType::file, fmt::format("{:016x}{:016x}{:016x}", window.lo_device, window.lo_inode,
                                      window.lo_offset)};
}

class LoopConnector final : public Connector {
 public:
  std::string_view name() const override { return "loop"; }

  bool claims(const Host& host, std::string_view device) const override {
    constexpr std::string_view prefix = "loop";
    const auto number = device.substr(std::min(prefix.size(), device.size()));
    const bool numbered =
        !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
    return numbered && device.starts_with(prefix) && identity_of(host, device).has_value();
  }

  Result<Layer> describe(Host& host, std::string_view device) const override;
  Result<Truth> probe(Host& host, const Layer& layer, Deadline deadline) const override;
  Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline deadline) const override;
  Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const override {
    return measure_block(host, layer, consumer);
  }
};

/// What is below, and whether it can be asked. A loop device on a block device has no target of its
/// own: that device is below it, grows first, and what the offset leaves of it is the loop's.
Result<void> describe_backing(Host& host, Layer& layer) {
  auto status = host.status(layer.endpoint);
  if (!status) {
    layer.closed = no_backing(layer.device, layer.endpoint);
    return {};
  }
  auto below = layer_below(host, layer.endpoint, *status);
  if (!below) return std::unexpected(std::move(below.error()));
  layer.below = {*below};
  layer.has_target = !S_ISBLK(status->mode);
  if (layer.has_target) return {};
  auto offset = host.read(attribute_of(layer.device, "offset"));
  auto bytes = offset ? parse_number(*offset, "loop offset") : 0;
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  layer.overhead = Bytes(*bytes);
  return {};
}

Result<Layer> LoopConnector::describe(Host& host, std::string_view device) const {
  auto identity = identity_of(host, device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  auto path = backing_path(host, device);
  if (!path) return std::unexpected(std::move(path.error()));
  Layer layer;
  layer.connector = name();
  layer.kind = LayerKind::loop;
  layer.device = device;
  layer.identity = *identity;
  layer.endpoint = std::move(*path);
  layer.has_target = true;
  if (auto size = kernel_size_of(host, device)) layer.size = *size;
  if (auto done = describe_backing(host, layer); !done)
    return std::unexpected(std::move(done.error()));
  return layer;
}

Result<Truth> LoopConnector::probe(Host& host, const Layer& layer, Deadline) const {
  auto window = window_of(host, layer);
  if (!window) return std::unexpected(std::move(window.error()));
  auto backing = backing_of(host, layer);
  if (!backing) return std::unexpected(std::move(backing.error()));
  const auto& found = backing->status;
  if (found.device != window->lo_device || found.inode != window->lo_inode)
    return std::unexpected(replaced(layer, *window, found));
  return Truth{inside(*window, backing->size), identity_in(*window)};
}

/// With CAP_SYS_ADMIN a read-only descriptor is enough, and better: closing a writable one makes
/// udev look at the device again, and a mounted device may refuse to be opened for writing at all.
Result<void> set_capacity(Host& host, const Layer& layer, Access access) {
  auto node = open_block(host, layer.device, layer.identity, access);
  if (!node) return std::unexpected(std::move(node.error()));
  auto done = (*node)->control(LOOP_SET_CAPACITY, nullptr);
  if (done) return {};
  return std::unexpected(std::move(done.error()).during("LOOP_SET_CAPACITY of " + layer.device));
}

Result<void> LoopConnector::grow(Host& host, const Layer& layer, Bytes, Deadline deadline) const {
  if (deadline.passed(host.clock().now()))
    return failure(ErrorCode::timed_out, fmt::format("no time was left to resize {}", layer.device),
                   layer.device);
  auto done = set_capacity(host, layer, Access::query);
  const bool denied = !done && done.error().error_number == EPERM;
  return denied ? set_capacity(host, layer, Access::command) : done;
}

}  // namespace

std::unique_ptr<Connector> loop_connector() {
  return std::make_unique<LoopConnector>();
}

}  // namespace volgrow
