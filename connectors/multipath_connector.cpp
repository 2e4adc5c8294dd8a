// SPDX-License-Identifier: Apache-2.0
// A dm-multipath map. The kernel shows it; multipathd alone changes it, told over its socket: one
// map, one path at a time, never `reconfigure`, which resizes every map of the host, also
// downwards.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connectors/all.h"
#include "connectors/block_device.h"

namespace volgrow {
namespace {

constexpr std::string_view uuid_prefix = "mpath-";
constexpr std::string_view show_paths = R"(show paths raw format "%d;%w;%t;%o;%T")";

std::string attribute_of(std::string_view device, std::string_view attribute) {
  return fmt::format("block/{}/{}", device, attribute);
}

bool is_set(const Host& host, std::string_view device, std::string_view attribute) {
  return host.read(attribute_of(device, attribute)).value_or("0") == "1";
}

/// "mpath-" and the WWID as multipathd has it. A partition of a map begins with "part".
std::string uuid_of(const Host& host, std::string_view device) {
  auto uuid = host.read(attribute_of(device, "dm/uuid")).value_or("");
  return uuid.starts_with(uuid_prefix) ? uuid : "";
}

Error refused(std::string message, std::string_view device) {
  return Error{ErrorCode::multipath_refused, std::move(message), std::string(device), 0};
}

// ---- what closes a map -------------------------------------------------------------------------

std::optional<Error> suspended(const Host& host, const Layer& map) {
  if (!is_set(host, map.device, "dm/suspended")) return std::nullopt;
  return refused(fmt::format("{} ({}) is suspended by somebody else; when it has been resumed, ask "
                             "again",
                             map.name, map.device),
                 map.device);
}

/// Words of a command are parted by blanks and joined by quotes.
bool fits_a_command(std::string_view name) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:+-";
  return !name.empty() && name.find_first_not_of(allowed) == std::string_view::npos;
}

/// multipathd takes what begins like a kernel name for one (sscanf "dm-%d"): a map called "dm-5"
/// would resize another.
bool looks_like_another(const Layer& map) {
  constexpr std::string_view prefix = "dm-";
  const auto rest = std::string_view(map.name).substr(std::min(prefix.size(), map.name.size()));
  const bool like_kernel_name = map.name.starts_with(prefix) && !rest.empty() &&
                                std::string_view("0123456789+-").contains(rest.front());
  return like_kernel_name && map.name != map.device;
}

std::optional<Error> unspeakable(const Layer& map) {
  if (fits_a_command(map.name) && !looks_like_another(map)) return std::nullopt;
  return refused(fmt::format("multipathd cannot be told to change {}: its name '{}' does not stand "
                             "for it in a command; give it another alias",
                             map.device, map.name),
                 map.device);
}

/// multipathd loads every table writable first, and read-only only when a path refuses to be opened
/// so (libmultipath/devmapper.c, dm_addmap_reload): a map that somebody made read-only over
/// writable paths would not be so any more after a resize.
std::optional<Error> would_become_writable(const Host& host, const Layer& map) {
  const auto read_only = [&](const std::string& device) { return is_set(host, device, "ro"); };
  if (!read_only(map.device) || std::ranges::any_of(map.below, read_only)) return std::nullopt;
  return refused(fmt::format("{} ({}) is read-only over writable paths; a resize would make it "
                             "writable",
                             map.name, map.device),
                 map.device);
}

std::optional<Error> without_members(const Layer& map) {
  if (!map.below.empty()) return std::nullopt;
  return Error{ErrorCode::no_usable_path,
               fmt::format("{} ({}) has no path at all", map.name, map.device), map.device, 0};
}

/// The one a returning path mends comes last.
std::optional<Error> closed(const Host& host, const Layer& map) {
  if (auto error = suspended(host, map)) return error;
  if (auto error = unspeakable(map)) return error;
  if (auto error = would_become_writable(host, map); error && !map.below.empty()) return error;
  return without_members(map);
}

// ---- what multipathd answers -------------------------------------------------------------------

/// Not the whole help text that follows a command it does not know.
constexpr std::size_t longest_reason = 200;

/// "fail\nsdb is too small\n" → "sdb is too small".
std::string reason_in(std::string_view reply) {
  constexpr std::string_view fail = "fail\n";
  if (reply.starts_with(fail)) reply.remove_prefix(fail.size());
  std::string reason(reply.substr(0, longest_reason));
  while (reason.ends_with('\n'))
    reason.pop_back();
  std::ranges::replace_if(
      reason, [](unsigned char c) { return c < ' '; }, ' ');
  return reason;
}

Error refusal(std::string_view command, std::string_view reply, const Layer& map) {
  const auto reason = reason_in(reply);
  if (!reason.empty())
    return refused(fmt::format("multipathd refused '{}': {}", command, reason), map.device);
  return refused(
      fmt::format("multipathd refused '{}' without a reason; its log may have one", command),
      map.device);
}

Result<std::string> ask(Host& host, const Layer& map, std::string_view question,
                        Deadline deadline) {
  auto reply = host.multipathd(question, deadline);
  if (!reply) {
    reply.error().device = map.device;
    return reply;
  }
  if (!reply->starts_with("fail")) return reply;
  return std::unexpected(refusal(question, *reply, map));
}

/// "pid 4711 idle". Until it has read its configuration and the host's maps it knows no map and
/// refuses all of them; this question needs none of its locks.
Result<void> has_started(Host& host, const Layer& map, Deadline deadline) {
  auto reply = ask(host, map, "show daemon", deadline);
  if (!reply) return std::unexpected(std::move(reply.error()));
  constexpr std::array not_yet{"init", "startup", "configure", "shutdown"};
  const auto status = reason_in(*reply);
  for (const auto* word : not_yet)
    if (status.ends_with(word))
      return failure(ErrorCode::multipath_unavailable,
                     fmt::format("multipathd is not ready yet ({})", status), map.device);
  return {};
}

/// One line of show_paths that names a member of this map I/O can go through now.
bool is_active_member(std::string_view line, const Layer& map, std::string_view wwid) {
  const auto member = line.substr(0, line.find(';'));
  return map.is_made_of(std::string(member)) &&
         line == fmt::format("{};{};active;running;ready", member, wwid);
}

/// A resize flushes the map with queueing off: where no path is left, the I/O that waits for one
/// fails (dm-mpath.c, multipath_presuspend).
Result<void> has_active_path(Host& host, const Layer& map, Deadline deadline) {
  auto reply = ask(host, map, show_paths, deadline);
  if (!reply) return std::unexpected(std::move(reply.error()));
  const auto wwid = uuid_of(host, map.device).substr(uuid_prefix.size());
  std::string_view rest = *reply;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    if (is_active_member(rest.substr(0, end), map, wwid)) return {};
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return failure(
      ErrorCode::no_usable_path,
      fmt::format("multipathd has no active path for {} ({}): a resize would make queued "
                  "I/O fail, so it was not asked for one",
                  map.name, map.device),
      map.device);
}

// ---- the connector -----------------------------------------------------------------------------

class MultipathConnector final : public Connector {
 public:
  std::string_view name() const override { return "multipath"; }

  bool claims(const Host& host, std::string_view device) const override {
    return device.starts_with("dm-") && !uuid_of(host, device).empty();
  }

  Result<Layer> describe(Host& host, std::string_view device) const override;
  Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline deadline) const override;
  Result<void> evict(Host& host, const Layer& map, const std::string& member,
                     Deadline deadline) const override;
  Result<void> adopt(Host& host, const Layer& map, const std::string& member,
                     Deadline deadline) const override;
  Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const override;

 private:
  Result<Layer> same(Host& host, const Layer& map) const;
};

std::string state_of(const Host& host, std::string_view device) {
  return is_set(host, device, "dm/suspended") ? "suspended" : "active";
}

Result<Layer> MultipathConnector::describe(Host& host, std::string_view device) const {
  auto identity = identity_of(host, device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  if (!claims(host, device))
    return failure(ErrorCode::no_such_device, fmt::format("{} is no multipath map", device),
                   std::string(device));
  Layer layer;
  layer.connector = name();
  layer.kind = LayerKind::multipath;
  layer.device = device;
  layer.identity = *identity;
  layer.name = host.read(attribute_of(device, "dm/name")).value_or("");
  layer.state = state_of(host, device);
  if (auto size = kernel_size_of(host, device)) layer.size = *size;
  layer.below = host.list(attribute_of(device, "slaves")).value_or(std::vector<std::string>());
  layer.closed = closed(host, layer);
  return layer;
}

/// The map as it is now, under the name it has now; names of maps are given anew like all others.
Result<Layer> MultipathConnector::same(Host& host, const Layer& map) const {
  auto now = describe(host, map.device);
  if (!now || now->identity == map.identity) return now;
  return failure(ErrorCode::no_such_device,
                 fmt::format("{} is another map now; multipathd was told nothing", map.device),
                 map.device);
}

Result<Measurement> MultipathConnector::measure(Host& host, const Layer& layer,
                                                bool consumer) const {
  auto measured = measure_block(host, layer, consumer);
  if (measured) measured->state = state_of(host, layer.device);
  return measured;
}

/// multipathd takes the size of whichever path it looks at first, and shrinks without asking. The
/// kernel lets members of size 0 pass (dm-table.c, device_area_is_invalid), so they may be there.
Result<void> members_have(const Host& host, const Layer& map, Bytes to) {
  for (const auto& member : map.below) {
    auto size = kernel_size_of(host, member);
    if (!size) return std::unexpected(std::move(size.error()));
    if (*size == to || *size == Bytes()) continue;
    return failure(ErrorCode::paths_disagree,
                   fmt::format("{} shows {} bytes, not the {} that {} is to have", member,
                               size->count(), to.count(), map.name),
                   member);
  }
  if (!map.size || *map.size <= to) return {};
  return failure(
      ErrorCode::would_shrink,
      fmt::format("{} has {} bytes already, more than {}", map.name, map.size->count(), to.count()),
      map.device);
}

/// `ok` says that it was done or that there was nothing to do, as multipathd sees it.
Result<void> order_resize(Host& host, const Layer& map, Deadline deadline) {
  const auto command = "resize map " + map.name;
  auto reply = ask(host, map, command, deadline);
  if (!reply) return std::unexpected(std::move(reply.error()));
  if (*reply == "ok\n") return {};
  return std::unexpected(refusal(command, *reply, map));
}

Result<void> MultipathConnector::grow(Host& host, const Layer& layer, Bytes to,
                                      Deadline deadline) const {
  auto now = same(host, layer);
  if (!now) return std::unexpected(std::move(now.error()));
  if (now->closed) return std::unexpected(std::move(*now->closed));
  if (now->size == to) return {};  // multipathd's auto_resize was faster
  if (auto ready = members_have(host, *now, to); !ready) return ready;
  if (auto ready = has_started(host, *now, deadline); !ready) return ready;
  if (auto ready = has_active_path(host, *now, deadline); !ready) return ready;
  auto done = order_resize(host, *now, deadline);
  if (done) return done;
  // A reply that was lost, or a refusal because somebody else was faster: the size decides.
  auto after = kernel_size_of(host, layer.device);
  return after && *after == to ? Result<void>() : done;
}

/// Tells multipathd to make `member` one of the map, or none; the kernel's own list says what came
/// of it, whatever the reply was. The table is exchanged before multipathd answers.
Result<void> change_membership(Host& host, const Layer& map, const std::string& member, bool wanted,
                               Deadline deadline) {
  if (!fits_a_command(member))
    return std::unexpected(
        refused(fmt::format("'{}' cannot be sent to multipathd", member), map.device));
  if (auto ready = has_started(host, map, deadline); !ready) return ready;
  const auto command = fmt::format("{} path {}", wanted ? "add" : "del", member);
  auto reply = ask(host, map, command, deadline);
  const auto members = host.list(attribute_of(map.device, "slaves"));
  if (members && (std::ranges::count(*members, member) == 1) == wanted) return {};
  if (!reply) return std::unexpected(std::move(reply.error()));
  if (*reply != "ok\n" && *reply != "delayed\n")
    return std::unexpected(refusal(command, *reply, map));
  return failure(
      ErrorCode::multipath_unavailable,
      fmt::format("multipathd answered '{}' to '{}', and {} is {} a member of {}",
                  reason_in(*reply), command, member, wanted ? "not yet" : "still", map.name),
      map.device);
}

Result<void> MultipathConnector::evict(Host& host, const Layer& map, const std::string& member,
                                       Deadline deadline) const {
  auto now = same(host, map);
  if (!now) return std::unexpected(std::move(now.error()));
  if (!now->is_made_of(member)) return {};
  if (now->closed) return std::unexpected(std::move(*now->closed));
  if (now->below.size() == 1)
    return failure(ErrorCode::no_usable_path,
                   fmt::format("{} is the last path of {}: it stays", member, now->name),
                   map.device);
  return change_membership(host, *now, member, false, deadline);
}

/// A map without members is not closed to one that returns.
Result<void> MultipathConnector::adopt(Host& host, const Layer& map, const std::string& member,
                                       Deadline deadline) const {
  auto now = same(host, map);
  if (!now) return std::unexpected(std::move(now.error()));
  if (now->is_made_of(member)) return {};
  if (now->closed && !now->below.empty()) return std::unexpected(std::move(*now->closed));
  return change_membership(host, *now, member, true, deadline);
}

}  // namespace

std::unique_ptr<Connector> multipath_connector() {
  return std::make_unique<MultipathConnector>();
}

}  // namespace volgrow
