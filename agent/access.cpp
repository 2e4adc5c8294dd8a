// SPDX-License-Identifier: Apache-2.0
// The rules of contracts §1 as a table. They hold without polkit, and only for what the bus daemon
// itself says about a caller.
#include "agent/access.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <vector>

namespace volgrow::agent {
namespace {

/// Who may call a method. Rights add up: a relay that was put into the group has both.
struct Right {
  Verb verb;
  bool operators;  ///< uid 0 and members of the group
  bool relay;
  std::string_view method;
};

constexpr std::array rights{
    Right{Verb::volume_changed, true, true, "VolumeChanged"},
    Right{Verb::extend, true, false, "Extend"},
    Right{Verb::plan, true, false, "Plan"},
    Right{Verb::explain, true, false, "Explain"},
    Right{Verb::rescan, true, false, "Rescan"},
    Right{Verb::register_volume, true, false, "Register"},
    Right{Verb::unregister_volume, true, false, "Unregister"},
    Right{Verb::wait, true, true, "Job.Wait"},
    Right{Verb::cancel, true, false, "Job.Cancel"},
    // A report that an operator acknowledges is lost to the control plane, so not even root may.
    Right{Verb::outbox, false, true, "the Outbox"},
};

const Right& right_to(Verb verb) {
  return rights.at(static_cast<std::size_t>(verb));
}

/// (uid_t)-1 means "nobody" to the kernel; it must never match a caller.
constexpr auto no_id = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint32_t> decimal(const std::string& text) {
  std::uint32_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end || number == no_id) return std::nullopt;
  return number;
}

/// getgrnam_r and getpwnam_r say ERANGE until the buffer holds the entry; a group may have
/// thousands of members.
template <class Entry, class Look>
std::optional<Entry> looked_up(const std::string& name, std::vector<char>& buffer, Look look) {
  constexpr std::size_t most = std::size_t{16} << 20;
  for (buffer.resize(4096); buffer.size() <= most; buffer.resize(buffer.size() * 4)) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error != ERANGE) return found ? std::optional(entry) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> gid_of(const std::string& group) {
  if (auto number = decimal(group)) return number;
  std::vector<char> buffer;
  const auto entry = looked_up<struct group>(group, buffer, ::getgrnam_r);
  return entry ? std::optional<std::uint32_t>(entry->gr_gid) : std::nullopt;
}

std::optional<std::uint32_t> uid_of(const std::string& user) {
  if (auto number = decimal(user)) return number;
  std::vector<char> buffer;
  const auto entry = looked_up<struct passwd>(user, buffer, ::getpwnam_r);
  return entry ? std::optional<std::uint32_t>(entry->pw_uid) : std::nullopt;
}

std::string who_may(const Right& right) {
  if (!right.operators) return "only the relay's user";
  return right.relay ? "root, members of the configured group and the relay's user"
                     : "root and members of the configured group";
}

}  // namespace

AccessRules AccessRules::lookup(const std::string& group, const std::string& relay_user) {
  return AccessRules(gid_of(group), uid_of(relay_user));
}

Result<void> AccessRules::allow(const bus::Caller& caller, Verb verb,
                                const RequestOptions& options) const {
  const auto& right = right_to(verb);
  const bool member = group_ && std::ranges::find(caller.groups, *group_) != caller.groups.end();
  if (right.operators && (caller.uid == 0 || member)) return {};

  const bool is_relay = relay_uid_ && caller.uid == *relay_uid_;
  if (!right.relay || !is_relay)
    return failure(
        ErrorCode::not_authorized,
        fmt::format("user {} may not call {}: {} may", caller.uid, right.method, who_may(right)));
  // It passes on what the network said: that must neither choose an identity nor open a key.
  if (options.wwid || options.has_passphrase)
    return failure(ErrorCode::not_authorized,
                   fmt::format("the relay (user {}) may not give {} to {}: leave it out",
                               caller.uid, options.wwid ? "wwid" : "passphrase", right.method));
  return {};
}

}  // namespace volgrow::agent
