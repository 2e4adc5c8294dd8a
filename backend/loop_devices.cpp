// SPDX-License-Identifier: Apache-2.0
// /dev/loop-control and the ioctls of linux/loop.h.
#include "backend/loop_devices.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>

#include "core/fd.h"
#include "core/files.h"

namespace volgrow::backend {
namespace {

constexpr std::string_view mark_prefix = "volgrow:";

/// FNV-1a: two hosts whose long names begin alike must not get one device.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

/// Read-only: closing a node that was open for writing makes udev look at the device again.
Fd open_node(const std::string& node, int access) {
  return Fd(::open(node.c_str(), access | O_CLOEXEC));
}

/// nullopt: nothing is attached to it.
Result<std::optional<loop_info64>> status_of(int node, const std::string& name) {
  loop_info64 info{};
  if (::ioctl(node, LOOP_GET_STATUS64, &info) == 0) return info;
  if (errno == ENXIO) return std::nullopt;
  return system_failure(errno, "ask for the file behind " + name);
}

bool is_over(const loop_info64& info, const struct stat& file) {
  return info.lo_device == file.st_dev && info.lo_inode == file.st_ino;
}

LoopDevice device_of(const std::string& node, const loop_info64& info) {
  const auto* mark = reinterpret_cast<const char*>(info.lo_file_name);
  return {node, std::string(mark, ::strnlen(mark, LO_NAME_SIZE)),
          (info.lo_flags & LO_FLAGS_AUTOCLEAR) != 0};
}

/// A first look that opens no node: one that hangs is then nobody's business but its volume's.
bool may_be_over(const std::filesystem::path& block_device, const std::string& file_name) {
  constexpr Bytes longest_path{8192};
  const auto file = read_text_file(block_device / "loop/backing_file", longest_path);
  return file && file->contains(file_name);
}

/// nullopt: it is not over this file.
Result<std::optional<LoopDevice>> if_over(const std::string& node, const struct stat& file) {
  const auto opened = open_node(node, O_RDONLY);
  if (!opened && (errno == ENXIO || errno == ENOENT || errno == ENODEV)) return std::nullopt;
  if (!opened) return system_failure(errno, "open " + node);
  const auto info = status_of(opened.get(), node);
  if (!info) return std::unexpected(info.error());
  if (!*info || !is_over(**info, file)) return std::nullopt;
  return device_of(node, **info);
}

loop_config config_for(int file, const std::string& mark) {
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(file);
  // Given, because a kernel that chooses by the file system shows guests another disk each time.
  config.block_size = 512;
  config.info.lo_flags = LO_FLAGS_DIRECT_IO;  // the kernel drops it where it cannot
  mark.copy(reinterpret_cast<char*>(config.info.lo_file_name), LO_NAME_SIZE - 1);
  return config;
}

/// nullopt: somebody else took the device between the two calls.
Result<std::optional<LoopDevice>> attach_free_one(int control, int file, const std::string& mark) {
  const int number = ::ioctl(control, LOOP_CTL_GET_FREE);
  if (number < 0) return system_failure(errno, "find a free loop device");
  const auto node = fmt::format("/dev/loop{}", number);
  const auto opened = open_node(node, O_RDWR);
  if (!opened) return system_failure(errno, "open " + node);
  const auto config = config_for(file, mark);
  if (::ioctl(opened.get(), LOOP_CONFIGURE, &config) == 0) return LoopDevice{node, mark, false};
  if (errno == EBUSY) return std::nullopt;
  return system_failure(errno, "attach " + node);
}

}  // namespace

std::string mark_of(const std::string& host) {
  constexpr std::size_t longest = LO_NAME_SIZE - 1;
  auto mark = fmt::format("{}{}", mark_prefix, host);
  if (mark.size() <= longest) return mark;
  const auto hash = fmt::format("#{:016x}", hash_of(host));
  return mark.substr(0, longest - hash.size()) + hash;
}

Result<std::vector<LoopDevice>> loops_over(const std::string& file_name,
                                           const struct stat& status) {
  std::vector<LoopDevice> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/sys/block", failed), end; entry != end;
       entry.increment(failed)) {
    const auto name = entry->path().filename().native();
    if (failed || !name.starts_with("loop") || !may_be_over(entry->path(), file_name)) continue;
    auto device = if_over("/dev/" + name, status);
    if (!device) return std::unexpected(std::move(device.error()));
    if (*device) found.push_back(**device);
  }
  if (failed) return system_failure(failed.value(), "list /sys/block");
  return found;
}

Result<LoopDevice> attach_loop(int file, const std::string& mark, Deadline deadline,
                               const Clock& clock) {
  const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) return system_failure(errno, "open /dev/loop-control");
  while (!deadline.passed(clock.now())) {
    const auto attached = attach_free_one(control.get(), file, mark);
    if (!attached) return std::unexpected(attached.error());
    if (*attached) return **attached;
  }
  return failure(ErrorCode::timed_out, "every free loop device was taken by somebody faster");
}

Result<bool> detach_loop(const LoopDevice& device, const struct stat& status) {
  {
    const auto opened = open_node(device.node, O_RDONLY);
    if (!opened) return system_failure(errno, "open " + device.node);
    // ENXIO: somebody detached it already.
    if (::ioctl(opened.get(), LOOP_CLR_FD) != 0 && errno != ENXIO)
      return system_failure(errno, "detach " + device.node);
  }
  // The kernel lets go of the file when the last one closes the node, which may have been us.
  const auto remaining = if_over(device.node, status);
  if (!remaining) return std::unexpected(remaining.error());
  return !*remaining;
}

}  // namespace volgrow::backend
