// SPDX-License-Identifier: Apache-2.0
// A regular file as a layer: below a loop device, or as the volume itself when QEMU opens it (nfs,
// local). It speaks the connections that name their volume by a path.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "connectors/all.h"
#include "connectors/block_device.h"
#include "connectors/mounts.h"

namespace volgrow {
namespace {

using Devices = std::vector<std::string>;

std::unexpected<Error> bad_key(std::string_view key, std::string message) {
  return failure(ErrorCode::bad_connection_info, fmt::format("{}: {}", key, message));
}

bool is_absent(const Error& error) {
  return error.code == ErrorCode::no_such_device;
}

bool is_beneath(std::string_view path, std::string_view root) {
  while (root.ends_with('/'))
    root.remove_suffix(1);
  return path.starts_with(root) && path.substr(root.size()).starts_with('/');
}

class FileConnector final : public Connector {
 public:
  explicit FileConnector(std::vector<std::string> roots) : roots_(std::move(roots)) {}

  std::string_view name() const override { return "file"; }
  bool speaks(std::string_view driver_volume_type) const override {
    return driver_volume_type == "local" || driver_volume_type == "nfs";
  }
  Result<Devices> discover(Host& host, const ConnectionInfo& info) const override {
    return info.driver_volume_type == "nfs" ? discover_share(host, info)
                                            : discover_path(host, info);
  }
  bool claims(const Host& host, std::string_view device) const override {
    if (!device.starts_with('/')) return false;
    const auto status = host.status(device);
    return status && S_ISREG(status->mode);
  }
  Result<Layer> describe(Host& host, std::string_view device) const override;
  Result<Truth> probe(Host& host, const Layer& layer, Deadline deadline) const override;
  /// A file has the size it has: who opens it sees it. Nothing is to be done, nothing is touched.
  Result<void> grow(Host&, const Layer&, Bytes, Deadline) const override { return {}; }
  Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const override;

 private:
  bool is_volume(std::string_view canonical) const {
    return std::ranges::any_of(roots_,
                               [&](const auto& root) { return is_beneath(canonical, root); });
  }
  Result<Devices> discover_path(Host& host, const ConnectionInfo& info) const;
  Result<Devices> discover_share(Host& host, const ConnectionInfo& info) const;
  Result<Devices> image(Host& host, std::string_view key, const std::string& path) const;

  std::vector<std::string> roots_;
};

/// A device node: what it is called does not matter from here on, its number does.
Result<Devices> block_node(Host& host, std::string_view key, const std::string& canonical) {
  auto status = host.status(canonical);
  if (!status) return std::unexpected(std::move(status.error()));
  if (!S_ISBLK(status->mode)) return bad_key(key, canonical + " is no block device");
  auto device = device_numbered(host, status->device_number);
  if (device) return Devices{*device};
  if (is_absent(device.error())) return Devices{};
  return std::unexpected(std::move(device.error()));
}

Result<Devices> FileConnector::discover_path(Host& host, const ConnectionInfo& info) const {
  constexpr std::string_view key = "device_path";
  auto path = info.require_text(key);
  if (!path) return std::unexpected(std::move(path.error()));
  if (!path->starts_with('/')) return bad_key(key, "'" + *path + "' is no absolute path");
  if (!is_beneath(*path, "/dev")) return image(host, key, *path);
  auto canonical = host.canonical(*path);
  if (!canonical && is_absent(canonical.error())) return Devices{};
  if (!canonical) return std::unexpected(std::move(canonical.error()));
  if (!is_beneath(*canonical, "/dev"))
    return bad_key(key, fmt::format("{} leads out of /dev, to {}", *path, *canonical));
  return block_node(host, key, *canonical);
}

/// A link as the last component is refused: who may write the directory could point it anywhere.
Result<Devices> FileConnector::image(Host& host, std::string_view key,
                                     const std::string& path) const {
  auto status = host.status(path);
  if (!status && is_absent(status.error())) return Devices{};
  if (!status) return std::unexpected(std::move(status.error()));
  if (!S_ISREG(status->mode)) return bad_key(key, path + " is no regular file");
  auto canonical = host.canonical(path);
  if (!canonical) return std::unexpected(std::move(canonical.error()));
  if (is_volume(*canonical)) return Devices{*canonical};
  return bad_key(key, fmt::format("{} is beneath none of the configured [files] roots; add its "
                                  "directory there if its files are volumes",
                                  *canonical));
}

/// Cinder's NFS driver: `export` is what was mounted, `name` the file in it.
Result<Devices> FileConnector::discover_share(Host& host, const ConnectionInfo& info) const {
  auto source = info.require_text("export");
  if (!source) return std::unexpected(std::move(source.error()));
  auto file = info.require_text("name");
  if (!file) return std::unexpected(std::move(file.error()));
  const bool plain = !file->empty() && *file != "." && *file != "..";
  if (!plain || file->find_first_of(std::string_view("/\0", 2)) != std::string::npos)
    return bad_key("name", "'" + *file + "' is no file name");
  auto table = host.read_file("/proc/self/mountinfo");
  if (!table) return std::unexpected(std::move(table.error()));
  for (const auto& mount : parse_mountinfo(*table)) {
    if (!mount.type.starts_with("nfs") || mount.source != *source) continue;
    auto found = image(host, "export", mount.point + "/" + *file);
    if (!found || !found->empty()) return found;
  }
  return Devices{};
}

Result<FileStatus> status_of(Host& host, std::string_view path) {
  auto file = host.open(path, Access::query);
  if (!file) return std::unexpected(std::move(file.error()));
  auto status = (*file)->status();
  if (status && !S_ISREG(status->mode))
    return failure(ErrorCode::no_such_device, fmt::format("{} is no regular file", path),
                   std::string(path));
  return status;
}

/// Outside the roots it is shown as what a loop device stands on, and never asked as a volume.
Result<Layer> FileConnector::describe(Host& host, std::string_view device) const {
  auto status = host.status(device);
  if (!status) return std::unexpected(std::move(status.error()));
  if (!S_ISREG(status->mode))
    return failure(ErrorCode::no_such_device, fmt::format("{} is no regular file", device),
                   std::string(device));
  auto canonical = host.canonical(device);
  if (!canonical) return std::unexpected(std::move(canonical.error()));
  Layer layer;
  layer.connector = name();
  layer.kind = LayerKind::file;
  layer.device = device;
  layer.size = status->size;
  layer.has_target = is_volume(*canonical);
  return layer;
}

/// Whoever holds the file's storage is asked by opening it: close-to-open makes NFS fetch the size.
Result<Truth> FileConnector::probe(Host& host, const Layer& layer, Deadline) const {
  auto status = status_of(host, layer.device);
  if (!status) return std::unexpected(std::move(status.error()));
  return Truth{status->size, Wwid{WwidType::file, fmt::format("{:016x}{:016x}{:016x}",
                                                              status->device, status->inode, 0)}};
}

Result<Measurement> FileConnector::measure(Host& host, const Layer& layer, bool) const {
  auto status = status_of(host, layer.device);
  if (!status) return std::unexpected(std::move(status.error()));
  return Measurement{status->size, layer.identity, ""};
}

}  // namespace

std::unique_ptr<Connector> file_connector(std::vector<std::string> roots) {
  return std::make_unique<FileConnector>(std::move(roots));
}

}  // namespace volgrow
