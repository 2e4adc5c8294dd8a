// SPDX-License-Identifier: Apache-2.0
// Finds the devices a subject names, then walks slaves/ down and holders/ up from them.
#include "stack/resolve.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "core/identity.h"
#include "stack/riders.h"

namespace volgrow {
namespace {

using Devices = std::vector<std::string>;

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::unexpected<Error> no_device(std::string message, std::string device = {}) {
  return failure(ErrorCode::no_such_device, std::move(message), std::move(device));
}

/// Finds where the walk starts: the devices or the file that a subject names.
class Finder {
 public:
  Finder(const Connectors& connectors, Host& host, Deadline deadline)
      : connectors_(connectors), host_(host), deadline_(deadline) {}

  Result<Devices> operator()(const ConnectionInfo& info) const {
    const auto* connector = connectors_.speaking(info.driver_volume_type);
    if (connector == nullptr)
      return failure(ErrorCode::not_supported,
                     fmt::format("driver_volume_type '{}' is not known to this version",
                                 info.driver_volume_type));
    auto found = connector->discover(host_, info);
    if (found && found->empty())
      return no_device(
          fmt::format("no device of this {} connection is on this host; is the volume "
                      "attached here?",
                      info.driver_volume_type));
    return found;
  }

  Result<Devices> operator()(const Target& target) const {
    switch (target.kind) {
      case TargetKind::path:
        return at_path(target.text);
      case TargetKind::volume_id:
        return failure(ErrorCode::no_such_volume,
                       fmt::format("volume '{}' is not registered on this host; register it, or "
                                   "name its device",
                                   target.text));
      case TargetKind::dm_name:
        return one_of(by_dm_name(target.text), target.text);
      case TargetKind::wwid:
        return by_written_wwid(target.text);
      case TargetKind::device:
        return one_of(by_kernel_name(target.text), target.text);
      case TargetKind::any:
        return by_any_name(target.text);
    }
    return failure(ErrorCode::internal, "a target of no kind");
  }

 private:
  Result<Devices> at_path(const std::string& path) const {
    auto canonical = host_.canonical(path);
    if (!canonical)
      return no_device(fmt::format("{} is not on this host ({}); see 'volgrow list'", path,
                                   canonical.error().message));
    auto status = host_.status(*canonical);
    if (!status) return std::unexpected(std::move(status.error()));
    if (S_ISREG(status->mode)) return Devices{*canonical};
    if (!S_ISBLK(status->mode) || !canonical->starts_with("/dev/"))
      return no_device(
          fmt::format("{} is neither a block device under /dev nor a regular file", path));
    return by_number(status->device_number, path);
  }

  Result<Devices> by_number(std::uint64_t number, const std::string& path) const {
    const auto link = fmt::format("dev/block/{}:{}", major(number), minor(number));
    auto where = host_.canonical_sysfs(link);
    if (!where) return no_device(fmt::format("{} has no device behind it", path));
    return Devices{std::string(last_component(*where))};
  }

  Devices by_kernel_name(const std::string& name) const {
    const bool plain = name.find('/') == std::string::npos;
    if (plain && host_.list(fmt::format("block/{}", name))) return {name};
    return {};
  }

  Devices by_dm_name(const std::string& name) const {
    Devices found;
    for (auto& device : block_devices())
      if (auto dm = host_.read(fmt::format("block/{}/dm/name", device)); dm && *dm == name)
        found.push_back(device);
    return found;
  }

  Result<Devices> by_written_wwid(const std::string& text) const {
    auto wwid = parse_wwid(text);
    if (!wwid) return std::unexpected(std::move(wwid.error()));
    auto found = by_wwid(*wwid);
    if (found.empty()) return no_device(fmt::format("no device on this host is {}", text));
    return found;
  }

  Devices by_wwid(const Wwid& wwid) const {
    Devices found;
    for (auto& device : block_devices())
      if (identity_of(device) == wwid || has_identifier(device, wwid)) found.push_back(device);
    return found;
  }

  /// NVMe: `wwid` has the best identifier alone, and calls an NGUID eui (core.c, wwid_show).
  bool has_identifier(const std::string& device, const Wwid& wwid) const {
    constexpr std::array attributes{std::pair{WwidType::uuid, "uuid"},
                                    std::pair{WwidType::nguid, "nguid"},
                                    std::pair{WwidType::eui, "eui"}};
    const auto as = std::ranges::find(attributes, wwid.type, [](auto& pair) { return pair.first; });
    if (as == attributes.end()) return false;
    auto text = host_.read(fmt::format("block/{}/{}", device, as->second)).value_or("");
    std::erase_if(text, [](char c) { return c == '-' || c == ' '; });
    return !text.empty() && text == wwid.hex;
  }

  /// sysfs' own attribute where there is one, otherwise the target's answer (a loop device has no
  /// attribute). Only to find candidates: the job's probe decides.
  std::optional<Wwid> identity_of(const std::string& device) const {
    for (const auto* form : {"block/{}/device/wwid", "block/{}/wwid"})
      if (auto text = host_.read(fmt::format(fmt::runtime(form), device))) {
        auto wwid = parse_wwid(*text);
        return wwid ? std::optional(*wwid) : std::nullopt;
      }
    const auto* connector = connectors_.claiming(host_, device);
    if (connector == nullptr) return std::nullopt;
    auto layer = connector->describe(host_, device);
    if (!layer || !layer->has_target || layer->closed) return std::nullopt;
    auto truth = connector->probe(host_, *layer, deadline_);
    return truth ? truth->identity : std::nullopt;
  }

  Result<Devices> by_any_name(const std::string& text) const {
    auto found = by_kernel_name(text);
    for (auto& device : by_dm_name(text))
      found.push_back(device);
    if (!found.empty()) return one_of(std::move(found), text);
    if (auto wwid = parse_wwid(text)) return by_written_wwid(text);
    return failure(ErrorCode::no_such_volume,
                   fmt::format("nothing on this host is called '{}': no registered volume, device, "
                               "dm name or WWID",
                               text));
  }

  static Result<Devices> one_of(Devices found, const std::string& text) {
    if (found.empty()) return no_device(fmt::format("no device on this host is called '{}'", text));
    if (found.size() == 1) return found;
    return failure(
        ErrorCode::ambiguous_volume,
        fmt::format("'{}' names {}; say which with dev: or dm:", text, fmt::join(found, " and ")));
  }

  Devices block_devices() const { return host_.list("block").value_or(Devices{}); }

  const Connectors& connectors_;
  Host& host_;
  Deadline deadline_;
};

/// Collects the layers around the devices found, each once, what lies below before what lies above.
class Walker {
 public:
  Walker(const Connectors& connectors, Host& host) : connectors_(connectors), host_(host) {}

  Result<void> visit(const std::string& device) {
    if (auto below = descend(device); !below) return below;
    return climb(device);
  }

  Result<Stack> finish() && {
    add_lost_paths();
    std::set<std::string> inner;
    for (const auto& layer : stack_.layers)
      inner.insert(layer.below.begin(), layer.below.end());
    Devices tops;
    for (const auto& layer : stack_.layers)
      if (!inner.contains(layer.device) && layer.lost_from.empty()) tops.push_back(layer.device);
    if (tops.size() == 1) return with_a_target();
    return failure(ErrorCode::ambiguous_volume,
                   fmt::format("{} are devices of this volume and nothing joins them; name the one "
                               "that is in use",
                               fmt::join(tops, " and ")));
  }

 private:
  /// Paths that the kernel says are a map's volume and that are no members of it: evicted, or
  /// refused by multipathd when they came back. Their targets will say whether they are ours.
  void add_lost_paths() {
    const auto map = std::ranges::find(stack_.layers, LayerKind::multipath, &Layer::kind);
    if (map == stack_.layers.end()) return;
    auto lost = lost_from(*map);
    std::erase_if(stack_.layers, [&](const Layer& layer) {
      return std::ranges::find(lost, layer.device, &Layer::device) != lost.end();
    });
    const auto below = std::ranges::find(stack_.layers, LayerKind::multipath, &Layer::kind);
    stack_.layers.insert(below, std::move_iterator(lost.begin()), std::move_iterator(lost.end()));
  }

  std::vector<Layer> lost_from(const Layer& map) const {
    std::set<std::string> identities;
    for (const auto& member : map.below)
      if (auto wwid = kernel_wwid_of(member)) identities.insert(*wwid);
    std::vector<Layer> lost;
    for (const auto& device : host_.list("block").value_or(Devices{})) {
      if (is_virtual(device) || is_hidden(device)) continue;
      const auto wwid = kernel_wwid_of(device);
      if (!wwid || !identities.contains(*wwid) || is_held(device)) continue;
      const auto* connector = connectors_.claiming(host_, device);
      if (connector == nullptr) continue;
      auto layer = connector->describe(host_, device);
      if (!layer) continue;  // it went away while we looked
      layer->lost_from = map.device;
      lost.push_back(std::move(*layer));
    }
    return lost;
  }

  /// Those the kernel numbers itself have no wwid to read, and a host can have thousands.
  static bool is_virtual(std::string_view device) {
    constexpr std::array kinds{"dm-", "loop", "ram", "zram", "md"};
    return std::ranges::any_of(kinds, [&](auto* kind) { return device.starts_with(kind); });
  }

  /// A path of NVMe's own multipath: what is made of it is never a dm map.
  bool is_hidden(const std::string& device) const {
    return host_.read(fmt::format("block/{}/hidden", device)).value_or("0") == "1";
  }

  std::optional<std::string> kernel_wwid_of(const std::string& device) const {
    for (const auto* form : {"block/{}/device/wwid", "block/{}/wwid"})
      if (auto text = host_.read(fmt::format(fmt::runtime(form), device)); text && !text->empty())
        return *std::move(text);
    return std::nullopt;
  }

  bool is_held(const std::string& device) const {
    const auto holders = host_.list(fmt::format("block/{}/holders", device));
    return holders && !holders->empty();
  }

  /// A file no connector answers for is somebody's data, not a volume.
  Result<Stack> with_a_target() {
    const auto& top = stack_.top();
    if (stack_.layers.size() > 1 || top.kind != LayerKind::file || top.has_target) {
      stack_.riders = riders_on(host_, stack_.layers);
      return std::move(stack_);
    }
    return failure(ErrorCode::not_supported,
                   fmt::format("{} is not beneath a directory of [files] roots in agent.toml; only "
                               "image files there are volumes",
                               top.device));
  }

  bool known(const std::string& device) const {
    return std::ranges::find(stack_.layers, device, &Layer::device) != stack_.layers.end();
  }

  Result<void> descend(const std::string& device) {  // NOLINT(misc-no-recursion): sysfs is a DAG
    if (known(device)) return {};
    const auto* connector = connectors_.claiming(host_, device);
    if (connector == nullptr)
      return failure(ErrorCode::not_supported,
                     fmt::format("{} is of no kind this version can grow", device), device);
    auto layer = connector->describe(host_, device);
    if (!layer) return std::unexpected(std::move(layer.error()));
    for (const auto& lower : layer->below)
      if (auto done = descend(lower); !done) return done;
    if (layer->has_target) lower_layers_have_none(*layer);
    stack_.layers.push_back(std::move(*layer));
    return {};
  }

  /// Who answers for the volume is the highest layer that has a target: a loop device's file is
  /// shown, but it is the loop device's own limit and offset that decide.
  void lower_layers_have_none(const Layer& layer) {
    for (auto& lower : stack_.layers)
      if (std::ranges::find(layer.below, lower.device) != layer.below.end())
        lower.has_target = false;
  }

  Result<void> climb(const std::string& device) {  // NOLINT(misc-no-recursion): sysfs is a DAG
    // A file, or a kernel without the folder: nothing is above.
    auto above = host_.list(fmt::format("block/{}/holders", device)).value_or(Devices{});
    if (const auto* connector = connectors_.claiming(host_, device))
      std::ranges::copy(connector->above(host_, device), std::back_inserter(above));
    for (const auto& holder : above)
      if (auto done = climb_to(device, holder); !done) return done;
    return {};
  }

  Result<void> climb_to(const std::string& device, const std::string& holder) {  // NOLINT
    if (connectors_.claiming(host_, holder) != nullptr) return visit(holder);
    const auto uuid = host_.read(fmt::format("block/{}/dm/uuid", holder)).value_or("");
    if (!uuid.starts_with("mpath-")) return {};  // the consumer's own: a rider
    return failure(ErrorCode::not_supported,
                   fmt::format("{} ({}) is on top of {} and this version cannot grow it", holder,
                               uuid.substr(0, uuid.find('-')), device),
                   holder);
  }

  const Connectors& connectors_;
  Host& host_;
  Stack stack_;
};

}  // namespace

Result<Stack> resolve(const Subject& subject, const Connectors& connectors, Host& host,
                      Deadline deadline) {
  auto devices = std::visit(Finder(connectors, host, deadline), subject);
  if (!devices) return std::unexpected(std::move(devices.error()));
  Walker walker(connectors, host);
  for (const auto& device : *devices)
    if (auto done = walker.visit(device); !done) return std::unexpected(std::move(done.error()));
  return std::move(walker).finish();
}

}  // namespace volgrow
