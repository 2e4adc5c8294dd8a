// SPDX-License-Identifier: Apache-2.0
// Each check against a small tree of files: what is missing is named, with its fix.
#include "cli/doctor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/json.h"
#include "tests/cli/program_fixture.h"

namespace volgrow::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class ADoctor : public TheProgram {
 protected:
  ADoctor() {
    daemon.version = VOLGROW_VERSION;
    file("usr/share/dbus-1/system.d/org.volgrow.Agent1.conf", "");
    file("etc/group", "root:x:0:\nvolgrow:x:990:\n");
    file("etc/passwd", "root:x:0:0::/root:/bin/sh\nvolgrow-relay:x:991:991::/:/usr/sbin/nologin\n");
    file("var/lib/volgrow/journal.db", "");
    file("run/udev/control", "");
    file("dev/loop-control", "");
  }

  Finding finding(std::string_view check) {
    FakeClient client(daemon);
    for (const auto& each : examine({root, &client, std::nullopt, multipathd}))
      if (each.check == check) return each;
    return {};
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root / path); }

  std::function<Result<std::string>(std::string_view)> multipathd;
};

TEST_F(ADoctor, FindsNothingOnAHostInOrder) {
  const auto ran = run({"doctor"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(run({"doctor", "-q"}).out, "");
  EXPECT_THAT(ran.out, HasSubstr("ok  volgrowd " VOLGROW_VERSION " answers\n"));
}

TEST_F(ADoctor, ExitsWith3WhenSomethingFailsAndSaysHowToMendIt) {
  daemon.unreachable = Error{ErrorCode::unreachable, "no socket\n", "", 0};

  const auto ran = run({"doctor"});

  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.out, HasSubstr("fail  the bus cannot be reached: no socket\\x0a — start D-Bus"));
}

TEST_F(ADoctor, PrintsOneLineOfJson) {
  const auto ran = run({"doctor", "--json"});

  EXPECT_EQ(lines_in(ran.out), 1U);
  const auto findings = parse_json(ran.out);
  ASSERT_TRUE(findings && findings->array());
  EXPECT_EQ(*findings->array()->front().find("check")->text(), "daemon");
  EXPECT_EQ(*findings->array()->front().find("health")->text(), "ok");
}

TEST_F(ADoctor, ExitsWith0WhenItOnlyWarns) {
  remove("etc/group");

  const auto ran = run({"doctor"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr("warn  there is no group volgrow"));
}

TEST_F(ADoctor, FailsWhenTheDaemonDoesNotAnswer) {
  daemon.refuses = Error{ErrorCode::unreachable, "not running", "", 0};

  EXPECT_EQ(finding("daemon").health, Health::fail);
  EXPECT_THAT(finding("daemon").fix, HasSubstr("systemctl start volgrowd"));
}

TEST_F(ADoctor, SaysOnlyOnceHowToStartTheDaemon) {
  daemon.refuses = Error{ErrorCode::unreachable, "not running: systemctl start volgrowd", "", 0};

  EXPECT_THAT(finding("daemon").fix, testing::Not(HasSubstr("systemctl start")));
}

TEST_F(ADoctor, WarnsWhenThisUserMayNotCallTheDaemon) {
  daemon.refuses_calls = {{"volumes", Error{ErrorCode::not_authorized, "no", "", 0}}};

  EXPECT_EQ(finding("daemon").health, Health::warn);
  EXPECT_THAT(finding("daemon").what, HasSubstr("may not call volgrowd"));
  EXPECT_THAT(finding("daemon").fix, HasSubstr("volgrow NAME"));
}

TEST_F(ADoctor, LooksWithDirectAsWell) {
  EXPECT_EQ(run({"--direct", "doctor"}).out, run({"doctor"}).out);
}

TEST_F(ADoctor, WarnsWhenTheDaemonIsOfAnotherVersion) {
  daemon.version = "9.9.9";

  EXPECT_EQ(finding("daemon").health, Health::warn);
  EXPECT_THAT(finding("daemon").what, HasSubstr("9.9.9"));
}

TEST_F(ADoctor, LooksForTheBusPolicyWhereAdministratorsMayPutIt) {
  remove("usr/share/dbus-1");
  EXPECT_EQ(finding("bus-policy").health, Health::warn);  // the daemon answers all the same
  daemon.refuses = Error{ErrorCode::unreachable, "not running", "", 0};
  EXPECT_EQ(finding("bus-policy").health, Health::fail);

  file("etc/dbus-1/system.d/org.volgrow.Agent1.conf", "");
  EXPECT_EQ(finding("bus-policy").health, Health::ok);
}

TEST_F(ADoctor, WarnsAboutWhatIsMissing) {
  for (const auto& [path, check] : {std::pair{"etc/group", "group"},
                                    {"etc/passwd", "relay-user"},
                                    {"var/lib/volgrow", "state-directory"},
                                    {"run/udev", "udev"},
                                    {"dev/loop-control", "loop"}}) {
    EXPECT_EQ(finding(check).health, Health::ok) << check;
    remove(path);
    EXPECT_EQ(finding(check).health, Health::warn) << check;
    EXPECT_NE(finding(check).fix, "") << check;
  }
}

TEST_F(ADoctor, DoesNotTakeAnotherGroupForOurs) {
  file("etc/group", "volgrow-relay:x:1:\nxvolgrow:x:2:\n");

  EXPECT_EQ(finding("group").health, Health::warn);
}

TEST_F(ADoctor, NamesTheModuleWhenScsiDisksHaveNoSgNodes) {
  EXPECT_EQ(finding("scsi-generic").health, Health::ok);

  file("sys/class/scsi_disk/1:0:0:1/x", "");
  EXPECT_EQ(finding("scsi-generic").health, Health::warn);
  EXPECT_THAT(finding("scsi-generic").fix, HasSubstr("modprobe sg"));

  file("sys/class/scsi_generic/sg0/x", "");
  EXPECT_EQ(finding("scsi-generic").health, Health::ok);
}

TEST_F(ADoctor, FailsWhenThereAreMapsButNoMultipathd) {
  file("sys/block/dm-0/dm/uuid", "LVM-abc\n");
  EXPECT_EQ(finding("multipathd").health, Health::ok);

  file("sys/block/dm-3/dm/uuid", "mpath-3600\n");
  EXPECT_EQ(finding("multipathd").health, Health::fail);
  EXPECT_THAT(finding("multipathd").what, HasSubstr("(dm-3)"));

  file("proc/net/unix", "0: 2 0 10000 1 1 5 @/org/kernel/linux/storage/multipathd\n");
  EXPECT_EQ(finding("multipathd").health, Health::ok);
}

TEST_F(ADoctor, WarnsAboutRulesThatRescanWithoutAsking) {
  constexpr auto rule =
      R"(ACTION=="change", SUBSYSTEM=="scsi", ENV{SDEV_UA}=="CAPACITY_DATA_HAS_CHANGED", TEST=="rescan", ATTR{rescan}="x")";
  file("usr/lib/udev/rules.d/60-block.rules", "SUBSYSTEM==\"block\", OPTIONS+=\"watch\"\n");
  file("usr/lib/udev/rules.d/91-quoted.rules", fmt::format("# {}\n", rule));
  EXPECT_EQ(finding("scsi-ua-rules").health, Health::ok);

  file("usr/lib/udev/rules.d/90-scsi-ua.rules", fmt::format("# what it does\n  {}\n", rule));
  EXPECT_EQ(finding("scsi-ua-rules").health, Health::warn);
  EXPECT_THAT(finding("scsi-ua-rules").fix, HasSubstr("/etc/udev/rules.d/90-scsi-ua.rules"));

  file("etc/udev/rules.d/90-scsi-ua.rules", "");  // as a link to /dev/null
  EXPECT_EQ(finding("scsi-ua-rules").health, Health::ok);
}

TEST_F(ADoctor, WarnsAboutSessionsThatWaitLongBelowAMap) {
  file("sys/class/iscsi_session/session1/recovery_tmo", "120\n");
  file("sys/class/iscsi_session/session2/recovery_tmo", "5\n");
  EXPECT_EQ(finding("iscsi-timeouts").health, Health::ok) << "the default suits a single path";

  file("sys/block/dm-3/dm/uuid", "mpath-3600\n");
  EXPECT_EQ(finding("iscsi-timeouts").health, Health::warn);
  EXPECT_THAT(finding("iscsi-timeouts").what, HasSubstr("session1 (120 s)"));
  EXPECT_THAT(finding("iscsi-timeouts").what, Not(HasSubstr("session2")));
  EXPECT_THAT(finding("iscsi-timeouts").fix, HasSubstr("replacement_timeout = 5"));
}

TEST_F(ADoctor, WarnsAboutPortsThatHoldLostIo) {
  const auto port = [&](const std::string& name, const char* roles, const char* seconds) {
    file("sys/class/fc_remote_ports/" + name + "/roles", roles);
    file("sys/class/fc_remote_ports/" + name + "/fast_io_fail_tmo", seconds);
  };
  port("rport-1:0-1", "FCP Initiator\n", "off\n");
  port("rport-1:0-2", "FCP Target\n", "5\n");
  EXPECT_EQ(finding("fc-timeouts").health, Health::ok);

  port("rport-2:0-2", "FCP Target\n", "off\n");
  EXPECT_EQ(finding("fc-timeouts").health, Health::warn);
  EXPECT_THAT(finding("fc-timeouts").what, HasSubstr("rport-2:0-2 (off)"));
  EXPECT_THAT(finding("fc-timeouts").fix, HasSubstr("fast_io_fail_tmo 5"));
}

TEST_F(ADoctor, WarnsAboutAMultipathdThatNobodyTried) {
  EXPECT_EQ(finding("multipathd-version").health, Health::ok);
  const auto that_says = [&](std::string reply) {
    multipathd = [reply](std::string_view) { return Result<std::string>(reply); };
    return finding("multipathd-version").health;
  };
  EXPECT_EQ(that_says("multipath-tools v0.9.4 (12/19, 2022)\nCLI commands reference:\n"),
            Health::ok);
  EXPECT_EQ(that_says("multipath-tools v0.11.1 (05/2025)\n"), Health::ok);
  EXPECT_EQ(that_says("fail\n"), Health::ok);
  EXPECT_EQ(that_says("multipath-tools v0.7.9 (10/10, 2018)\n"), Health::warn);
  EXPECT_THAT(finding("multipathd-version").what, HasSubstr("0.7.9"));
}

TEST_F(ADoctor, WarnsAboutAMultipathdThatShrinksMaps) {
  file("etc/multipath.conf", "defaults {\n  auto_resize grow_shrink\n}\n");
  EXPECT_EQ(finding("auto-resize").health, Health::warn);

  file("etc/multipath/conf.d/site.conf", "defaults {\n\tauto_resize \"grow_only\"\n}\n");
  EXPECT_EQ(finding("auto-resize").health, Health::ok);
  EXPECT_THAT(finding("auto-resize").what, HasSubstr("grow_only"));
}

TEST_F(ADoctor, SaysWhoMayCallWithAndWithoutPolkit) {
  EXPECT_THAT(finding("polkit").what, HasSubstr("no polkit"));

  file("usr/lib/polkit-1/polkitd", "");
  EXPECT_THAT(finding("polkit").what, HasSubstr("polkit is installed"));
}

TEST_F(ADoctor, NamesTheProcessThatHoldsAVolumesLock) {
  const auto lock = file("run/volgrow/dev-7:0.lock", "");
  EXPECT_EQ(finding("locks").health, Health::ok);

  struct stat status {};
  ASSERT_EQ(::stat(lock.c_str(), &status), 0);
  file("proc/locks", fmt::format("1: FLOCK  ADVISORY  WRITE 4711 {:02x}:{:02x}:{} 0 EOF\n",
                                 major(status.st_dev), minor(status.st_dev), status.st_ino));

  EXPECT_EQ(finding("locks").health, Health::warn);
  EXPECT_THAT(finding("locks").what, HasSubstr("dev-7:0.lock by process 4711"));
}

TEST_F(ADoctor, ChangesNothing) {
  const auto count = [this] {
    return std::distance(std::filesystem::recursive_directory_iterator(root), {});
  };
  const auto before = count();

  run({"doctor"});

  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace volgrow::cli
