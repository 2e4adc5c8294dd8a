// SPDX-License-Identifier: Apache-2.0
// The checks of what paths and maps stand on.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "cli/premises.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> multipath_maps(const Premises& premises) {
  auto names = names_in(premises, "sys/block");
  std::erase_if(names, [&](const std::string& name) {
    return !name.starts_with("dm-") ||
           !text_of(premises, fs::path("sys/block") / name / "dm/uuid").starts_with("mpath-");
  });
  return names;
}

bool multipathd_listens(const Premises& premises) {
  return there(premises, "run/multipathd.socket") ||
         text_of(premises, "proc/net/unix").contains("@/org/kernel/linux/storage/multipathd");
}

std::optional<unsigned> number_in(std::string_view text) {
  unsigned number = 0;
  const auto trimmed_text = trimmed(text);
  const auto* end = trimmed_text.data() + trimmed_text.size();
  const auto [rest, failed] = std::from_chars(trimmed_text.data(), end, number);
  if (failed != std::errc() || rest != end) return std::nullopt;
  return number;
}

/// Longer than this, I/O waits for a path that is cut although others would carry it.
constexpr unsigned patient = 30;
constexpr std::string_view multipath_fix =
    "fast_io_fail_tmo 5 in /etc/multipath.conf, then systemctl reload multipathd";

/// udev reads the first of these that has a file of a name; an empty one or a link to /dev/null
/// there stands for no rules.
constexpr std::array rule_directories{"etc/udev/rules.d", "run/udev/rules.d",
                                      "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d",
                                      "lib/udev/rules.d"};

/// A rule that rescans a disk when its target has something to say.
bool rescans_on_unit_attention(const std::string& rules) {
  std::string_view rest = rules;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.starts_with('#') && line.contains("SDEV_UA") && line.contains("ATTR{rescan}"))
      return true;
  }
  return false;
}

/// The value of a keyword of multipath.conf, the last one counts; "" when it is not set.
std::string multipath_setting(const Premises& premises, std::string_view keyword) {
  std::vector<fs::path> files{"etc/multipath.conf"};
  for (const auto& name : names_in(premises, "etc/multipath/conf.d"))
    if (name.ends_with(".conf")) files.push_back(fs::path("etc/multipath/conf.d") / name);
  std::string value;
  for (const auto& file : files) {
    std::istringstream lines(text_of(premises, file));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string word, given;
      if (words >> word >> given && word == keyword) value = given;
    }
  }
  std::erase(value, '"');
  return value;
}

/// The beginning of what multipathd answers to `help`: "multipath-tools v0.9.4 (12/19, 2022)".
std::optional<std::array<unsigned, 3>> version_in(std::string_view help) {
  constexpr std::string_view before = "multipath-tools v";
  const auto at = help.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  std::array<unsigned, 3> version{};
  std::string_view rest = help.substr(at + before.size());
  for (auto& part : version) {
    const auto* end = rest.data() + rest.size();
    const auto [next, failed] = std::from_chars(rest.data(), end, part);
    if (failed != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(next - rest.data()));
    if (rest.starts_with('.')) rest.remove_prefix(1);
  }
  return version;
}

}  // namespace

Finding look_at_loop(const Premises& premises) {
  if (there(premises, "dev/loop-control")) return ok("loop devices are available");
  return warn("/dev/loop-control is missing: there are no loop devices", "modprobe loop");
}

Finding look_at_sg(const Premises& premises) {
  if (names_in(premises, "sys/class/scsi_disk").empty())
    return ok("no SCSI disks, no sg nodes needed");
  if (!names_in(premises, "sys/class/scsi_generic").empty())
    return ok("SCSI disks have sg nodes: targets are asked without blocking");
  return warn("SCSI disks have no sg nodes: questions to a dead target block for its time-out",
              "modprobe sg, and put 'sg' into /etc/modules-load.d/volgrow.conf");
}

Finding look_at_multipathd(const Premises& premises) {
  const auto maps = multipath_maps(premises);
  if (maps.empty()) return ok("no multipath maps, no multipathd needed");
  if (multipathd_listens(premises))
    return ok(fmt::format("multipathd listens; {} maps", maps.size()));
  return fail(
      fmt::format("multipath maps exist ({}) but multipathd does not listen: they cannot grow",
                  fmt::join(maps, ", ")),
      "systemctl start multipathd");
}

Finding look_at_udev(const Premises& premises) {
  if (there(premises, "run/udev/control")) return ok("udev runs");
  return warn("udev does not run: names beneath /dev/disk may be missing or stale",
              "systemctl start systemd-udevd");
}

Finding look_at_unit_attention_rules(const Premises& premises) {
  std::map<std::string, std::string> in_force;  // name → directory
  for (const auto* directory : rule_directories)
    for (const auto& name : names_in(premises, directory))
      if (name.ends_with(".rules")) in_force.emplace(name, directory);
  for (const auto& [name, directory] : in_force)
    if (rescans_on_unit_attention(text_of(premises, fs::path(directory) / name)))
      return warn(
          fmt::format("/{}/{} rescans disks when their target reports a change: whatever "
                      "answers is taken over, also another volume or a smaller one",
                      directory, name),
          fmt::format("ln -s /dev/null /etc/udev/rules.d/{}, then udevadm control --reload; "
                      "volgrowd hears the same events and asks first",
                      name));
  return ok("no udev rule rescans disks by itself");
}

/// iSCSI's default of 120 s is for disks without multipath: nobody else would carry their I/O.
Finding look_at_iscsi_timeouts(const Premises& premises) {
  if (multipath_maps(premises).empty()) return ok("no multipath maps over iSCSI sessions");
  std::vector<std::string> slow;
  for (const auto& session : names_in(premises, "sys/class/iscsi_session")) {
    const auto file = fs::path("sys/class/iscsi_session") / session / "recovery_tmo";
    const auto seconds = number_in(text_of(premises, file));
    if (seconds && *seconds > patient) slow.push_back(fmt::format("{} ({} s)", session, *seconds));
  }
  if (slow.empty()) return ok("iSCSI sessions give up a cut path soon");
  return warn(fmt::format("iSCSI sessions below multipath wait long for a cut path: {}",
                          fmt::join(slow, ", ")),
              "node.session.timeo.replacement_timeout = 5 in /etc/iscsi/iscsid.conf for new "
              "sessions; echo 5 > /sys/class/iscsi_session/SESSION/recovery_tmo for these");
}

Finding look_at_fc_timeouts(const Premises& premises) {
  std::vector<std::string> slow;
  for (const auto& port : names_in(premises, "sys/class/fc_remote_ports")) {
    const auto folder = fs::path("sys/class/fc_remote_ports") / port;
    if (!text_of(premises, folder / "roles").contains("FCP Target")) continue;
    const auto text = text_of(premises, folder / "fast_io_fail_tmo");
    const auto seconds = number_in(text);
    if (!seconds || *seconds > patient) slow.push_back(fmt::format("{} ({})", port, trimmed(text)));
  }
  if (slow.empty()) return ok("FC ports fail I/O soon when they are gone, or there are none");
  return warn(fmt::format("FC ports hold I/O of a lost path long or until dev_loss_tmo "
                          "(fast_io_fail_tmo): {}",
                          fmt::join(slow, ", ")),
              std::string(multipath_fix));
}

/// What multipathd does with a resize differs by version; what volgrow was tried with does not.
Finding look_at_multipathd_version(const Premises& premises) {
  constexpr std::array oldest{0U, 9U, 4U};
  if (!premises.multipathd) return ok("multipathd was not asked for its version");
  const auto help = premises.multipathd("help");
  const auto version = help ? version_in(*help) : std::nullopt;
  if (!version) return ok("multipathd does not tell its version here");
  const auto text = fmt::format("{}", fmt::join(*version, "."));
  if (*version < oldest)
    return warn(fmt::format("multipathd is {}, older than any volgrow is tested with", text),
                "upgrade multipath-tools to 0.9.4 or later; sizes are checked whatever it answers");
  return ok(fmt::format("multipathd is {}", text));
}

/// multipath-tools 0.9.9 and later resize maps by themselves when told so.
Finding look_at_auto_resize(const Premises& premises) {
  const auto value = multipath_setting(premises, "auto_resize");
  if (value == "grow_shrink")
    return warn("multipathd shrinks maps in use by itself (auto_resize grow_shrink)",
                "auto_resize grow_only or never in /etc/multipath.conf, then systemctl reload "
                "multipathd");
  if (value == "grow_only")
    return ok("multipathd grows maps by itself (auto_resize grow_only); volgrow expects that");
  return ok("multipathd leaves the size of maps to volgrow");
}

}  // namespace volgrow::cli
