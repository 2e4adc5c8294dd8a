// SPDX-License-Identifier: Apache-2.0
// sysfs, files, device nodes and SCSI commands of this machine. Every descriptor is close-on-exec,
// no open follows a link in its last component or waits for a device to come up.
#include "connectors/linux_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "connectors/block_device.h"
#include "connectors/multipathd_socket.h"
#include "connectors/sg_command.h"
#include "connectors/sysfs.h"
#include "core/files.h"

namespace volgrow {
namespace {

/// 1000 NFS mounts are 200 KiB of mountinfo.
constexpr Bytes text_limit = 16_MiB;

std::unexpected<Error> node_failure(int error_number, std::string_view action,
                                    std::string_view path) {
  auto failed = system_failure(error_number, fmt::format("{} {}", action, path));
  auto error = std::move(failed).error();
  const bool absent = error_number == ENOENT || error_number == ENOTDIR || error_number == ENXIO ||
                      error_number == ENODEV;
  if (absent) error.code = ErrorCode::no_such_device;
  if (error_number == ELOOP) error.message += " (a symbolic link is not followed here)";
  return std::unexpected(std::move(error));
}

FileStatus status_from(const struct stat& found) {
  const bool is_node = S_ISBLK(found.st_mode) || S_ISCHR(found.st_mode);
  return {found.st_dev, found.st_ino, Bytes(static_cast<std::uint64_t>(found.st_size)),
          is_node ? found.st_rdev : 0, found.st_mode};
}

class LinuxNode final : public OpenNode {
 public:
  LinuxNode(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<int> control(unsigned long request, void* argument) override {
    const int answer = ::ioctl(fd_.get(), request, argument);
    if (answer >= 0) return answer;
    return node_failure(errno, fmt::format("ioctl {:#x} of", request), path_);
  }
  Result<FileStatus> status() override {
    struct stat found {};
    if (::fstat(fd_.get(), &found) == 0) return status_from(found);
    return node_failure(errno, "fstat", path_);
  }

 private:
  Fd fd_;
  std::string path_;
};

Result<Fd> open_node(const std::string& path, int access) {
  Fd fd(::open(path.c_str(), access | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (fd) return fd;
  return node_failure(errno, "open", path);
}

class LinuxHost final : public Host {
 public:
  LinuxHost(Sysfs sysfs, const Clock& clock) : sysfs_(std::move(sysfs)), clock_(clock) {}

  Result<std::string> read(std::string_view attribute) const override {
    return sysfs_.read(attribute);
  }
  Result<void> write(std::string_view attribute, std::string_view text) override {
    return sysfs_.write(attribute, text);
  }
  Result<std::vector<std::string>> list(std::string_view directory) const override {
    return sysfs_.list(directory);
  }
  Result<std::string> canonical_sysfs(std::string_view path) const override {
    return sysfs_.canonical(path);
  }
  Result<FileStatus> status(std::string_view path) const override;
  Result<std::string> canonical(std::string_view path) const override;
  Result<std::unique_ptr<OpenNode>> open(std::string_view path, Access access) override;
  Result<std::string> read_file(std::string_view path) const override {
    return read_text_file(std::filesystem::path(path), text_limit);
  }
  Result<ScsiSender> scsi(std::string_view device, Deadline deadline) override;
  Result<std::string> multipathd(std::string_view command, Deadline deadline) override {
    return multipathd_command(MultipathdSocket{}, command, deadline, clock_);
  }
  const Clock& clock() const override { return clock_; }

 private:
  Result<Fd> sg_node(std::string_view device) const;

  Sysfs sysfs_;
  const Clock& clock_;
};

Result<FileStatus> LinuxHost::status(std::string_view path) const {
  struct stat found {};
  if (::lstat(std::string(path).c_str(), &found) == 0) return status_from(found);
  return node_failure(errno, "stat", path);
}

Result<std::string> LinuxHost::canonical(std::string_view path) const {
  struct Free {
    void operator()(char* text) const { std::free(text); }
  };
  const std::unique_ptr<char, Free> real(::realpath(std::string(path).c_str(), nullptr));
  if (real) return std::string(real.get());
  return node_failure(errno, "realpath", path);
}

Result<std::unique_ptr<OpenNode>> LinuxHost::open(std::string_view path, Access access) {
  const std::string name(path);
  auto fd = open_node(name, access == Access::query ? O_RDONLY : O_RDWR);
  if (!fd) return std::unexpected(std::move(fd.error()));
  return std::make_unique<LinuxNode>(std::move(*fd), name);
}

/// The sg node of a disk, an empty Fd where the sg driver is not there (module `sg` not loaded).
Result<Fd> LinuxHost::sg_node(std::string_view device) const {
  const auto folder = fmt::format("block/{}/device/scsi_generic", device);
  auto names = list(folder);
  if (!names || names->empty()) return Fd();
  const auto path = "/dev/" + names->front();
  auto fd = open_node(path, O_RDWR);
  if (!fd && fd.error().error_number == ENOENT) return Fd();
  if (!fd) return fd;
  struct stat found {};
  auto number = read(fmt::format("{}/{}/dev", folder, names->front()));
  if (::fstat(fd->get(), &found) != 0) return node_failure(errno, "fstat", path);
  const auto is = fmt::format("{}:{}", major(found.st_rdev), minor(found.st_rdev));
  if (number && S_ISCHR(found.st_mode) && *number == is) return fd;
  return failure(ErrorCode::no_such_device,
                 fmt::format("{} is not the sg node of {}", path, device), std::string(device));
}

Result<ScsiSender> LinuxHost::scsi(std::string_view device, Deadline deadline) {
  auto node = sg_node(device);
  if (!node) return std::unexpected(std::move(node.error()));
  auto* command = &sg_command;
  if (!*node) {
    auto path = node_of(*this, device);
    if (!path) return std::unexpected(std::move(path.error()));
    node = open_node(*path, O_RDONLY);
    if (!node) return std::unexpected(std::move(node.error()));
    command = &sg_io_command;
  }
  return [this, deadline, command, name = std::string(device),
          fd = std::make_shared<Fd>(std::move(*node))](std::span<const std::uint8_t> cdb,
                                                       std::size_t reply_size) {
    return command(fd->get(), name, cdb, reply_size, deadline, clock_);
  };
}

}  // namespace

Result<std::unique_ptr<Host>> open_linux_host(const Clock& clock, const std::string& sysfs_root) {
  auto sysfs = Sysfs::open(sysfs_root);
  if (!sysfs) return std::unexpected(std::move(sysfs.error()));
  return std::make_unique<LinuxHost>(std::move(*sysfs), clock);
}

}  // namespace volgrow
