// SPDX-License-Identifier: Apache-2.0
// Takes an iSCSI URL apart from its ends: neither a target's name nor a LUN has an '@' in it, so
// all before the last one is the user, and whatever else somebody hid there.
#include "connectors/iscsi_url.h"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "connectors/scsi_lun.h"
#include "core/text.h"

namespace volgrow {
namespace {

constexpr std::string_view scheme = "iscsi://";
/// RFC 7143 4.2.7.2.
constexpr std::size_t longest_name = 223;

std::unexpected<Error> bad(std::string_view problem) {
  return failure(ErrorCode::invalid_args,
                 fmt::format("{}; expected iscsi://[user@]host[:port]/target-iqn/lun", problem));
}

Result<std::string> user_in(std::string_view text) {
  if (text.find_first_of("%:/") != std::string_view::npos)
    return failure(ErrorCode::invalid_args,
                   "a password does not belong in the URL, where every user of this host can read "
                   "it: leave it out and pass --secret-file FILE, or wait to be asked for it");
  const bool is_name = !text.empty() && text.size() <= 255 && printable(text) == text &&
                       text.find(' ') == std::string_view::npos;
  if (!is_name) return bad("the user before '@' is no name");
  return std::string(text);
}

/// A portal has no zone, because it is compared; to connect, the zone is needed.
Result<void> read_portal(std::string_view text, IscsiUrl& url) {
  const auto portal = parse_iscsi_portal(text);
  if (!portal || text.find(',') != std::string_view::npos)
    return bad("the host, or its port, is none (an IPv6 address stands in brackets)");
  url.port = portal->port;
  const bool brackets = text.starts_with('[');
  url.host = brackets ? std::string(text.substr(1, text.find(']') - 1)) : portal->host;
  return {};
}

bool is_target_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && printable(text) == text &&
         text.find_first_of(" /%") == std::string_view::npos;
}

std::optional<std::uint16_t> lun_in(std::string_view text) {
  const auto lun = parse_lun(Value(text));
  const bool fits = lun && *lun <= std::numeric_limits<std::uint16_t>::max();
  return fits ? std::optional(static_cast<std::uint16_t>(*lun)) : std::nullopt;
}

}  // namespace

Result<IscsiUrl> parse_iscsi_url(std::string_view text) {
  if (!text.starts_with(scheme)) return bad("this is no iSCSI URL");
  auto rest = text.substr(scheme.size());
  IscsiUrl url;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    auto user = user_in(rest.substr(0, at));
    if (!user) return std::unexpected(std::move(user.error()));
    url.user = *std::move(user);
    rest.remove_prefix(at + 1);
  }
  const auto first = rest.find('/');
  const auto last = rest.rfind('/');
  if (first == std::string_view::npos || first == last)
    return bad("the URL names no target and LUN");
  if (auto done = read_portal(rest.substr(0, first), url); !done)
    return std::unexpected(std::move(done.error()));
  url.target = rest.substr(first + 1, last - first - 1);
  if (!is_target_name(url.target)) return bad("the target's name is none");
  const auto lun = lun_in(rest.substr(last + 1));
  if (!lun) return bad("the LUN is no number up to 65535");
  url.lun = *lun;
  return url;
}

}  // namespace volgrow
