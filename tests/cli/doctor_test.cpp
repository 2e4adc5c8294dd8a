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
    for (const auto& each : examine({root, &client, std::nullopt}))
      if (each.check == check) return each;
    return {};
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root / path); }
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
