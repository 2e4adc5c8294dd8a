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
        Mistake{"JobByName", {"job", "seventeen"}, "N", "seventeen"},
        Mistake{"RegisterWithoutInfo", {"register", "vol-1"}, "--connection", "required"},
        Mistake{"RegisterBadId",
                {"register", "../x", "--connection", "f"},
                "VOLUME_ID",
                "letters, digits"},
        Mistake{"UnregisterBadId", {"unregister", "a b"}, "VOLUME_ID", "letters, digits"},
        Mistake{"DirectList", {"--direct", "list"}, "--direct", "extend, rescan, plan, explain"},
        Mistake{"DirectNoWait", {"extend", "x", "--direct", "--no-wait"}, "--no-wait", "--direct"},
        Mistake{"DirectAll", {"rescan", "--all", "--direct"}, "--all", "name the volumes"}),
    [](const auto& mistake) { return mistake.param.name; });

TEST_F(TheProgram, EscapesWhatItCitesOfTheLine) {
  const auto ran = run({"\x1b[2Jgrow"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
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
