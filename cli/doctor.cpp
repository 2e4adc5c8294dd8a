// SPDX-License-Identifier: Apache-2.0
// The table of checks, and those of volgrow itself. Each is one question and gives one answer with
// its fix.
#include "cli/doctor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <functional>
#include <sstream>
#include <system_error>

#include "cli/advice.h"
#include "cli/premises.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

namespace fs = std::filesystem;

/// Whether a line of an /etc/passwd-like file begins with "name:".
bool has_entry(const Premises& premises, std::string_view file, std::string_view name) {
  std::istringstream lines(text_of(premises, file));
  const auto wanted = fmt::format("{}:", name);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(wanted)) return true;
  return false;
}

Finding look_at_silence(const Error& error) {
  if (error.code == ErrorCode::not_authorized)
    return warn("this user may not call volgrowd", permission_fix);
  const std::string start = "systemctl start volgrowd";
  const bool said = error.message.find(start) != std::string::npos;
  return fail("volgrowd does not answer: " + error.message,
              said ? "if it ends again, journalctl -u volgrowd says why"
                   : start + ", then journalctl -u volgrowd");
}

Finding look_at_daemon(const Premises& premises) {
  if (premises.daemon == nullptr)
    return fail("the bus cannot be reached: " + premises.bus_error.value_or(Error{}).message,
                "start D-Bus, or pass --bus-address; as root, --direct works without it");
  const auto version = premises.daemon->daemon_version();
  if (!version) return look_at_silence(version.error());
  if (const auto volumes = premises.daemon->volumes();
      !volumes && volumes.error().code == ErrorCode::not_authorized)
    return look_at_silence(volumes.error());
  if (*version != VOLGROW_VERSION)
    return warn(fmt::format("volgrowd is {}, volgrow is {}", *version, VOLGROW_VERSION),
                "restart volgrowd after an upgrade: systemctl restart volgrowd");
  return ok(fmt::format("volgrowd {} answers", *version));
}

bool answers(const Premises& premises) {
  return premises.daemon != nullptr && premises.daemon->daemon_version().has_value();
}

Finding look_at_bus_policy(const Premises& premises) {
  for (const auto* directory : {"usr/share/dbus-1/system.d", "etc/dbus-1/system.d"})
    if (there(premises, fmt::format("{}/org.volgrow.Agent1.conf", directory)))
      return ok(fmt::format("the bus policy is in /{}", directory));
  const std::string fix =
      "install org.volgrow.Agent1.conf in /usr/share/dbus-1/system.d and reload dbus";
  if (answers(premises))  // on a bus of its own, or one that lets everybody do everything
    return warn("no bus policy is installed, though volgrowd has its name: anybody may call it",
                fix);
  return fail("no bus policy: the system bus does not let volgrowd own its name", fix);
}

Finding look_at_group(const Premises& premises) {
  if (has_entry(premises, "etc/group", "volgrow")) return ok("group volgrow exists");
  return warn("there is no group volgrow: only root may use volgrowd",
              "systemd-sysusers, or groupadd --system volgrow");
}

Finding look_at_relay_user(const Premises& premises) {
  if (has_entry(premises, "etc/passwd", "volgrow-relay")) return ok("user volgrow-relay exists");
  return warn("there is no user volgrow-relay: nobody may carry reports away",
              "systemd-sysusers, or useradd --system volgrow-relay");
}

Finding look_at_polkit(const Premises& premises) {
  const bool installed = there(premises, "usr/lib/polkit-1/polkitd") ||
                         there(premises, "usr/libexec/polkitd") ||
                         there(premises, "usr/share/polkit-1/actions");
  if (installed)
    return ok("polkit is installed; volgrowd does not ask it: root and group volgrow may call");
  return ok("no polkit: root and group volgrow may call");
}

Finding look_at_configuration(const Premises& premises) {
  if (!there(premises, "etc/volgrow/agent.toml"))
    return ok("no /etc/volgrow/agent.toml: the defaults hold");
  return ok("/etc/volgrow/agent.toml is there; 'volgrowd --check-config' checks it");
}

Finding look_at_state(const Premises& premises) {
  if (there(premises, "var/lib/volgrow")) return ok("/var/lib/volgrow holds the daemon's journal");
  return warn("/var/lib/volgrow is missing: volgrowd has never run here as a service",
              "systemctl enable --now volgrowd makes it");
}

/// The process that holds a flock on the file, by /proc/locks. Trying the lock ourselves could make
/// a job that starts at this moment end as Busy.
std::optional<std::string> holder_of(const Premises& premises, const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  const auto wanted =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::istringstream locks(text_of(premises, "proc/locks"));
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, pid, where;
    if (words >> number >> kind >> mode >> access >> pid >> where && kind == "FLOCK" &&
        where == wanted)
      return pid;
  }
  return std::nullopt;
}

Finding look_at_locks(const Premises& premises) {
  std::vector<std::string> held;
  for (const auto& name : names_in(premises, "run/volgrow"))
    if (const auto pid = holder_of(premises, premises.root / "run/volgrow" / name);
        pid && name.ends_with(".lock"))
      held.push_back(fmt::format("{} by process {}", name, *pid));
  if (held.empty()) return ok("no volume is locked");
  return warn(fmt::format("locked in /run/volgrow: {}", fmt::join(held, ", ")),
              "normal while a job runs; if none does, that process hangs in the kernel: see its "
              "/proc/PID/stack");
}

struct Check {
  std::string_view name;
  Finding (*look)(const Premises&);
};

constexpr std::array checks{
    Check{"daemon", look_at_daemon},
    Check{"bus-policy", look_at_bus_policy},
    Check{"group", look_at_group},
    Check{"relay-user", look_at_relay_user},
    Check{"polkit", look_at_polkit},
    Check{"configuration", look_at_configuration},
    Check{"state-directory", look_at_state},
    Check{"udev", look_at_udev},
    Check{"loop", look_at_loop},
    Check{"scsi-generic", look_at_sg},
    Check{"scsi-ua-rules", look_at_unit_attention_rules},
    Check{"iscsi-timeouts", look_at_iscsi_timeouts},
    Check{"fc-timeouts", look_at_fc_timeouts},
    Check{"multipathd", look_at_multipathd},
    Check{"multipathd-version", look_at_multipathd_version},
    Check{"auto-resize", look_at_auto_resize},
    Check{"locks", look_at_locks},
};

}  // namespace

std::vector<Finding> examine(const Premises& premises) {
  std::vector<Finding> findings;
  for (const auto& check : checks) {
    findings.push_back(check.look(premises));
    findings.back().check = check.name;
  }
  return findings;
}

std::string_view name_of(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warn:
      return "warn";
    case Health::fail:
      return "fail";
  }
  return "?";
}

}  // namespace volgrow::cli
