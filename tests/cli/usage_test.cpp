// SPDX-License-Identifier: Apache-2.0
// What the command line understands, and how it says what it does not: exit status 2, on standard
// error, naming the field and the fix, nobody asked.
#include "tests/cli/program_fixture.h"

#include "cli/command.h"

namespace volgrow::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Mistake {
  std::string name;
  std::vector<std::string> arguments;
  std::string field;
  std::string fix;
};

class AMistypedLine : public TheProgram, public testing::WithParamInterface<Mistake> {};

TEST_P(AMistypedLine, NamesTheFieldAndTheFix) {
  const auto ran = run(GetParam().arguments);

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr(GetParam().field), HasSubstr(GetParam().fix), HasSubstr("--help'.")));
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(daemon.calls.empty());
}

INSTANTIATE_TEST_SUITE_P(
    OfTheProgram, AMistypedLine,
    testing::Values(
        Mistake{"NoCommand", {}, "name a command", "extend, rescan"},
        Mistake{"UnknownCommand", {"grow", "x"}, "'grow'", "extend, rescan"},
        Mistake{
            "UnknownOption", {"extend", "x", "--sized", "1"}, "--sized", "volgrow extend --help"},
        Mistake{"NoTarget", {"extend"}, "TARGET is missing", "--connection FILE"},
        Mistake{"TwoSubjects", {"extend", "x", "--connection", "y"}, "TARGET", "--connection"},
        Mistake{"InfoAsArgument", {"extend", "{\"data\":{}}"}, "TARGET", "--connection -"},
        Mistake{"EscapingPath", {"extend", "/dev/../etc/shadow"}, "TARGET", ".."},
        Mistake{"BadSize", {"extend", "x", "--expect", "12Q"}, "--expect", "20G"},
        Mistake{"NegativeSize", {"extend", "x", "--expect=-1"}, "--expect", "20G"},
        Mistake{"ZeroSize", {"extend", "x", "--expect", "0"}, "--expect", "leave --expect out"},
        Mistake{"ExactWithoutSize", {"extend", "x", "--exact"}, "--exact", "--expect"},
        Mistake{"BadTimeout", {"extend", "x", "--timeout", "soon"}, "--timeout", "30s"},
        Mistake{"NoTime", {"extend", "x", "--timeout", "0"}, "--timeout", "30s"},
        Mistake{"BadPolicy", {"extend", "x", "--dead-paths", "bury"}, "--dead-paths", "evict"},
        Mistake{"RescanNothing", {"rescan"}, "TARGET is missing", "--all"},
        Mistake{"RescanAllAndOne", {"rescan", "--all", "x"}, "--all", "TARGET"},
        Mistake{"JobWithoutNumber", {"job"}, "N", "required"},
        Mistake{"JobByName", {"job", "x"}, "\"x\" is no job number", "see 'volgrow jobs'"},
        Mistake{"JobZero", {"job", "0"}, "\"0\" is no job number", "see 'volgrow jobs'"},
        Mistake{"JobMinusOne", {"job", "-1"}, "\"-1\" is no job number", "see 'volgrow jobs'"},
        Mistake{"JobTooFar", {"job", "99999999999"}, "99999999999", "see 'volgrow jobs'"},
        Mistake{"EmptyExpect", {"extend", "x", "--expect", ""}, "--expect", "empty"},
        Mistake{"EmptyExpectWithSign", {"extend", "x", "--expect="}, "--expect", ""},
        Mistake{"EmptyTarget", {"extend", ""}, "TARGET", "empty"},
        Mistake{"EmptyConnection", {"extend", "--connection", ""}, "--connection", "empty"},
        Mistake{"EmptyPolicy", {"extend", "x", "--dead-paths", ""}, "--dead-paths", "empty"},
        Mistake{"EmptyTimeout", {"extend", "x", "--timeout", ""}, "--timeout", "empty"},
        Mistake{"EmptyVolume", {"status", ""}, "VOLUME", "empty"},
        Mistake{"EmptyAmongTargets", {"rescan", "x", ""}, "TARGET", "empty"},
        Mistake{"EmptyAddress", {"list", "--bus-address", ""}, "--bus-address", "empty"},
        Mistake{"RegisterWithoutInfo", {"register", "vol-1"}, "--connection", "required"},
        Mistake{"RegisterBadId",
                {"register", "../x", "--connection", "f"},
                "VOLUME_ID",
                "letters, digits"},
        Mistake{"UnregisterBadId", {"unregister", "a b"}, "VOLUME_ID", "letters, digits"},
        Mistake{"DirectList",
                {"--direct", "list"},
                "--direct",
                "extend, rescan, plan, explain, probe, doctor"},
        Mistake{"DirectNoWait", {"extend", "x", "--direct", "--no-wait"}, "--no-wait", "--direct"},
        Mistake{"DirectAll", {"rescan", "--all", "--direct"}, "--all", "name the volumes"}),
    [](const auto& mistake) { return mistake.param.name; });

TEST_F(TheProgram, EscapesWhatItCitesOfTheLine) {
  const auto ran = run({"\x1b[2Jgrow"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST_F(TheProgram, FailsWhenItsResultsCannotBeWritten) {
  out_broken = true;

  const auto listed = run({"list", "--json"});

  EXPECT_EQ(listed.status, 1);
  EXPECT_THAT(listed.err, HasSubstr("cannot write standard output: "));
  EXPECT_EQ(run({"--version"}).status, 1);
}

TEST_F(TheProgram, TellsAStrangerHowToBeAllowed) {
  daemon.refuses =
      Error{ErrorCode::not_authorized,
            "the bus policy does not allow this call (root and members of group volgrow may make "
            "it): Rejected send message, 2 matched rules; type=\"method_call\"",
            "", 0};

  const auto ran = run({"list"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.err,
            "volgrow: the bus does not let this user call volgrowd: run volgrow as root, or join "
            "its group (usermod -aG volgrow NAME) and log in again (NotAuthorized)\n");
}

TEST_F(TheProgram, SaysWhatToDoWithoutABus) {
  daemon.unreachable =
      Error{ErrorCode::unreachable, "cannot reach the system bus: Connection refused", "", 0};

  const auto system = run({"list"});
  const auto other = run({"--bus-address", "garbage", "list"});

  EXPECT_EQ(system.status, 7);
  EXPECT_THAT(system.err, HasSubstr("systemctl start dbus"));
  EXPECT_EQ(other.status, 7);
  EXPECT_THAT(other.err, HasSubstr("unix:path="));
}

TEST_F(TheProgram, NamesItsOwnOptionWhenTheDaemonRefusesADeadline) {
  daemon.refuses = Error{ErrorCode::invalid_args, "deadline-ms: must be from 1 to 3600000", "", 0};

  const auto ran = run({"extend", "x", "--timeout", "100h"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--timeout: must be from 1 to 3600000, in milliseconds"));
  EXPECT_THAT(ran.err, Not(HasSubstr("deadline-ms:")));
}

TEST_F(TheProgram, PrintsItsVersion) {
  const auto ran = run({"--version"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "volgrow " VOLGROW_VERSION "\n");
}

TEST_F(TheProgram, ListsEveryCommandAndTheExitStatusesInItsHelp) {
  const auto ran = run({"--help"});

  EXPECT_EQ(ran.status, 0);
  for (const auto* command : {"extend", "rescan", "plan", "explain", "list", "status", "jobs",
                              "job", "watch", "register", "unregister", "doctor"})
    EXPECT_THAT(ran.out, HasSubstr(command));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Exit status"), HasSubstr("Examples:")));
}

class TheHelp : public TheProgram, public testing::WithParamInterface<std::string> {};

TEST_P(TheHelp, OfEveryCommandHasExamples) {
  const auto ran = run({GetParam(), "--help"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Examples:"), HasSubstr("volgrow " + GetParam())));
  EXPECT_EQ(ran.err, "");
}

INSTANTIATE_TEST_SUITE_P(OfTheProgram, TheHelp,
                         testing::Values("extend", "rescan", "plan", "explain", "list", "status",
                                         "jobs", "job", "watch", "register", "unregister",
                                         "doctor"),
                         [](const auto& command) { return command.param; });

}  // namespace
}  // namespace volgrow::cli
