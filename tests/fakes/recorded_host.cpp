// SPDX-License-Identifier: Apache-2.0
// Walks the recorded links as the kernel would, and fails as LinuxHost does where nothing is.
#include "tests/fakes/recorded_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <optional>

#include "connectors/block_device.h"

namespace volgrow {
namespace {

constexpr int most_links = 40;  // path_resolution(7)

std::unexpected<Error> absent(std::string_view what) {
  return std::unexpected(
      Error{ErrorCode::no_such_device, fmt::format("{} was not recorded", what), "", ENOENT});
}

std::unexpected<Error> refused(std::string_view what) {
  return failure(ErrorCode::internal, fmt::format("{}: a recorded host cannot change", what));
}

using Components = std::deque<std::string>;
/// The target of the link at a path; nullptr when there is none.
using LinkAt = std::function<const std::string*(const std::string&)>;

Components components(std::string_view path) {
  Components parts;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (end != 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

/// Where a path below one root leads; nullopt when it leaves the root or never ends.
std::optional<std::string> followed(std::string_view path, const LinkAt& link_at) {
  auto left = components(path);
  std::vector<std::string> at;
  for (int links = 0; !left.empty() && links <= most_links;) {
    const auto name = left.front();
    left.pop_front();
    if (name == ".." && at.empty()) return std::nullopt;
    if (name == "..") {
      at.pop_back();
      continue;
    }
    at.push_back(name);
    const auto* target = link_at(fmt::format("{}", fmt::join(at, "/")));
    if (target == nullptr) continue;
    ++links;
    at.pop_back();
    const auto further = components(*target);
    left.insert(left.begin(), further.begin(), further.end());
  }
  if (!left.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(at, "/"));
}

}  // namespace

// ---- sysfs -------------------------------------------------------------------------------------

bool RecordedHost::is_there(const std::string& canonical) const {
  if (capture_.sysfs.contains(canonical)) return true;
  const auto within = capture_.sysfs.lower_bound(canonical + "/");
  return within != capture_.sysfs.end() && within->first.starts_with(canonical + "/");
}

Result<std::string> RecordedHost::canonical_sysfs(std::string_view path) const {
  const auto where = followed(path, [&](const std::string& at) -> const std::string* {
    const auto entry = capture_.sysfs.find(at);
    if (entry == capture_.sysfs.end()) return nullptr;
    const auto* link = std::get_if<Capture::Link>(&entry->second);
    return link == nullptr ? nullptr : &link->target;
  });
  if (!where || !is_there(*where)) return absent(fmt::format("/sys/{}", path));
  return *where;
}

Result<std::string> RecordedHost::read(std::string_view attribute) const {
  const auto where = canonical_sysfs(attribute);
  if (!where) return where;
  const auto action = fmt::format("read /sys/{}", attribute);
  const auto entry = capture_.sysfs.find(*where);
  if (entry == capture_.sysfs.end()) return system_failure(EISDIR, action);
  if (const auto* found = std::get_if<Capture::Attribute>(&entry->second)) return found->text;
  const auto* unreadable = std::get_if<Capture::Unreadable>(&entry->second);
  return system_failure(unreadable == nullptr ? EISDIR : unreadable->error_number, action);
}

Result<std::vector<std::string>> RecordedHost::list(std::string_view directory) const {
  const auto where = canonical_sysfs(directory);
  if (!where) return std::unexpected(where.error());
  const auto prefix = *where + "/";
  std::vector<std::string> names;
  for (auto entry = capture_.sysfs.lower_bound(prefix); entry != capture_.sysfs.end(); ++entry) {
    if (!entry->first.starts_with(prefix)) break;
    const auto rest = entry->first.substr(prefix.size());
    auto name = rest.substr(0, rest.find('/'));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  std::ranges::sort(names);  // "a-b/…" comes before "a/…"
  const auto [first, last] = std::ranges::unique(names);
  names.erase(first, last);
  return names;
}

Result<void> RecordedHost::write(std::string_view attribute, std::string_view text) {
  changes_.push_back(fmt::format("write {} {}", attribute, text));
  return refused(changes_.back());
}

// ---- files and nodes ---------------------------------------------------------------------------

Result<std::string> RecordedHost::canonical(std::string_view path) const {
  const auto where = followed(path, [&](const std::string& at) -> const std::string* {
    const auto link = capture_.links.find("/" + at);
    return link == capture_.links.end() ? nullptr : &link->second;
  });
  if (where && capture_.files.contains("/" + *where)) return "/" + *where;
  return absent(path);
}

Result<FileStatus> RecordedHost::status(std::string_view path) const {
  const std::string name(path);
  if (const auto file = capture_.files.find(name); file != capture_.files.end())
    return file->second;
  if (!capture_.links.contains(name)) return absent(path);
  FileStatus link;
  link.mode = S_IFLNK | 0777;
  return link;
}

Result<Bytes> RecordedHost::size_of(std::uint64_t device_number) const {
  auto device = device_numbered(*this, device_number);
  if (!device) return std::unexpected(std::move(device.error()));
  return kernel_size_of(*this, *device);
}

/// The kernel's size by ioctl is the one in sysfs; what else an ioctl says was not recorded.
class RecordedHost::Node final : public OpenNode {
 public:
  Node(RecordedHost& host, std::string path, FileStatus status)
      : host_(host), path_(std::move(path)), status_(status) {}

  Result<FileStatus> status() override { return status_; }
  Result<int> control(unsigned long request, void* argument) override {
    if (request == LOOP_GET_STATUS64) return absent("the window of " + path_);
    if (request == NVME_IOCTL_ADMIN_CMD)
      return failure(ErrorCode::no_usable_path, path_ + " was recorded, and its target was not");
    if (request != BLKGETSIZE64) {
      host_.changes_.push_back(fmt::format("ioctl {:#x} of {}", request, path_));
      return refused(host_.changes_.back());
    }
    const auto size = host_.size_of(status_.device_number);
    if (!size) return std::unexpected(size.error());
    *static_cast<std::uint64_t*>(argument) = size->count();
    return 0;
  }

 private:
  RecordedHost& host_;
  std::string path_;
  FileStatus status_;
};

Result<std::unique_ptr<OpenNode>> RecordedHost::open(std::string_view path, Access access) {
  auto found = status(path);
  if (!found) return std::unexpected(std::move(found.error()));
  if (S_ISLNK(found->mode)) return system_failure(ELOOP, fmt::format("open {}", path));
  if (access == Access::query) return std::make_unique<Node>(*this, std::string(path), *found);
  changes_.push_back(fmt::format("open {} to write", path));
  return refused(changes_.back());
}

Result<std::string> RecordedHost::read_file(std::string_view path) const {
  if (path == "/proc/self/mountinfo") return capture_.mountinfo;
  return absent(path);
}

// ---- who could be asked ------------------------------------------------------------------------

Result<ScsiSender> RecordedHost::scsi(std::string_view device, Deadline) {
  return failure(ErrorCode::no_usable_path,
                 fmt::format("{} was recorded, and its target was not", device),
                 std::string(device));
}

Result<std::string> RecordedHost::multipathd(std::string_view command, Deadline) {
  const auto reply = capture_.multipathd.find(std::string(command));
  if (reply != capture_.multipathd.end()) return reply->second;
  if (!command.starts_with("show ")) {
    changes_.push_back(fmt::format("multipathd {}", command));
    return refused(changes_.back());
  }
  return failure(ErrorCode::multipath_unavailable,
                 fmt::format("what multipathd says to '{}' was not recorded", command));
}

}  // namespace volgrow
