// SPDX-License-Identifier: Apache-2.0
// volgrow extend through the daemon, and every exit status a job can lead to.
#include "tests/cli/program_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/daemon.h"

namespace volgrow::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class AnExtend : public TheProgram {};

TEST_F(AnExtend, PrintsTheTreeOfACompleteJob) {
  daemon.ends_with(a_result(JobState::complete));

  const auto ran = run({"extend", "/dev/loop0", "--expect", "20G"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out,
            "job 17: extend vol-1: complete, 10 GiB → 20 GiB (10737418240 → 21474836480 bytes)\n"
            "/dev/loop0  identity pinned\n"
            "└─ loop  loop0  /srv/disk.img  10 GiB → 20 GiB  rescanned\n");
  EXPECT_EQ(ran.err, "");
}

TEST_F(AnExtend, TellsTheDaemonWhatWasAsked) {
  daemon.ends_with(a_result(JobState::complete));

  run({"extend", "/dev/loop0", "--expect", "20GB", "--exact", "--timeout", "2min", "--dead-paths",
       "wait"});

  RequestOptions options;
  options.mode = Mode::exact;
  options.deadline = std::chrono::minutes(2);
  options.dead_paths = DeadPaths::wait;
  EXPECT_EQ(daemon.expected, Bytes(20'000'000'000));
  EXPECT_EQ(daemon.options, options);
  EXPECT_THAT(daemon.calls, ElementsAre("extend /dev/loop0", "wait 17"));
}

TEST_F(AnExtend, PrintsExactlyTheResultAsJson) {
  const auto result = a_result(JobState::complete);
  daemon.ends_with(result);

  const auto ran = run({"extend", "/dev/loop0", "--json"});

  EXPECT_EQ(ran.out, to_json(result) + "\n");
  EXPECT_EQ(lines_in(ran.out), 1U);
  EXPECT_EQ(ran.err, "");
}

TEST_F(AnExtend, KeepsJsonOnOneLineAndWhatOnlyANewerDaemonSays) {
  auto json = to_json(a_result(JobState::complete));
  json.insert(1, "\n\"later\":1,\n");
  daemon.ends[17] = {"complete", json};

  const auto ran = run({"extend", "/dev/loop0", "--json"});

  EXPECT_EQ(lines_in(ran.out), 1U);
  EXPECT_THAT(ran.out, HasSubstr("\"later\":1"));
}

TEST_F(AnExtend, PutsTheErrorOnStandardErrorAlsoWithJson) {
  daemon.ends_with(
      a_failure(JobState::refused, ErrorCode::wwid_mismatch, "loop0 is another volume"));

  const auto ran = run({"extend", "/dev/loop0", "--json"});

  EXPECT_EQ(lines_in(ran.out), 1U);
  EXPECT_EQ(ran.err, "volgrow: loop0 is another volume (WwidMismatch)\n");
}

TEST_F(AnExtend, SaysWhatTheTargetSaysWhenNoSizeWasExpected) {
  daemon.ends_with(a_result(JobState::unchanged, 10_GiB));

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, testing::EndsWith(
                           "no expected size given; the target says 10 GiB (10737418240 bytes)\n"));
}

TEST_F(AnExtend, DoesNotSaySoWhenTheExpectedSizeIsThereAlready) {
  auto result = a_result(JobState::unchanged, 10_GiB);
  result.expected = 10_GiB;
  daemon.ends_with(result);

  const auto ran = run({"extend", "/dev/loop0", "--expect", "10G"});

  EXPECT_THAT(ran.out, Not(HasSubstr("no expected size")));
}

TEST_F(AnExtend, PrintsTheJobsNumberWhenItDoesNotWait) {
  const auto ran = run({"extend", "/dev/loop0", "--no-wait"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "17\n");
  EXPECT_THAT(daemon.calls, ElementsAre("extend /dev/loop0"));
}

TEST_F(AnExtend, PrintsNothingButErrorsWhenQuiet) {
  daemon.ends_with(a_failure(JobState::failed, ErrorCode::size_mismatch, "too small"));

  const auto ran = run({"-q", "extend", "/dev/loop0"});

  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "volgrow: too small (SizeMismatch)\n");
}

TEST_F(AnExtend, TakesCommonOptionsBeforeAndAfterTheCommand) {
  daemon.ends_with(a_result(JobState::complete));

  const auto before = run({"--json", "--bus-address", "unix:path=/x", "extend", "/dev/loop0"});
  const auto after = run({"extend", "/dev/loop0", "--json", "--bus-address", "unix:path=/x"});

  EXPECT_EQ(before.out, after.out);
  EXPECT_EQ(lines_in(after.out), 1U);
  EXPECT_EQ(daemon.address, "unix:path=/x");
}

TEST_F(AnExtend, TakesAVolumeThatIsNamedLikeACommand) {
  daemon.ends_with(a_result(JobState::complete));

  run({"extend", "list"});

  EXPECT_THAT(daemon.calls, Contains("extend list"));
}

// Progress

TEST_F(AnExtend, SubscribesBeforeItStartsTheJobToShowProgress) {
  err_terminal = true;
  daemon.ends_with(a_result(JobState::complete));
  using Kind = bus::Client::Event::Kind;
  daemon.events = {{Kind::job_new, 17, "", "", {}, {}},
                   {Kind::job_progress, 99, "", "someone else's", {}, {}},
                   {Kind::job_progress, 17, "", "growing", {}, {}},
                   {Kind::job_removed, 17, "", "complete", {}, {}},
                   {Kind::job_progress, 17, "", "after the end", {}, {}}};

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_THAT(daemon.calls, ElementsAre("subscribe", "extend /dev/loop0", "follow", "wait 17"));
  EXPECT_EQ(ran.err, "\r\x1b[Kjob 17: running …\r\x1b[Kjob 17: growing …\r\x1b[K");
  EXPECT_EQ(ran.status, 0);
}

TEST_F(AnExtend, ShowsNoProgressWhenQuiet) {
  err_terminal = true;
  daemon.ends_with(a_result(JobState::complete));

  const auto ran = run({"extend", "/dev/loop0", "-q"});

  EXPECT_EQ(ran.err, "");
}

TEST_F(AnExtend, SaysThatTheJobIsResumedWhenTheDaemonGoesAway) {
  err_terminal = true;
  daemon.events = {{bus::Client::Event::Kind::daemon_gone, 0, "", "", {}, {}}};

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, HasSubstr("volgrowd went away; job 17 is in the journal"));
}

TEST_F(AnExtend, SaysOnCtrlCThatTheJobGoesOnAndHowToLook) {
  EXPECT_EQ(Farewell::text(17), "\nvolgrow: job 17 goes on; look with 'volgrow job 17'\n");
}

// Connection info

TEST_F(AnExtend, SendsConnectionInfoWithoutItsSecrets) {
  daemon.ends_with(a_result(JobState::complete));
  const auto info = file(
      "info.json",
      R"({"driver_volume_type":"iscsi","data":{"target_iqn":"iqn.x","auth_password":"hush"}})");

  run({"extend", "--connection", info});

  EXPECT_THAT(daemon.calls.front(), HasSubstr("iqn.x"));
  EXPECT_THAT(daemon.calls.front(), Not(HasSubstr("hush")));
}

TEST_F(AnExtend, ReadsConnectionInfoFromStandardInput) {
  daemon.ends_with(a_result(JobState::complete));
  const auto info =
      file("info.json", R"({"driver_volume_type":"local","data":{"device_path":"/dev/loop0"}})");
  const Fd input(::open(info.c_str(), O_RDONLY | O_CLOEXEC));
  standard_input = input.get();

  const auto ran = run({"extend", "--connection", "-"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(daemon.calls.front(), HasSubstr("/dev/loop0"));
}

TEST_F(AnExtend, ReadsNoMoreThan256KiBOfConnectionInfo) {
  const auto info = file("info.json", std::string((256U << 10U) + 1, ' '));

  const auto ran = run({"extend", "--connection", info});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--connection: "));
  EXPECT_THAT(ran.err, HasSubstr("262144 bytes"));
}

TEST_F(AnExtend, NamesTheConnectionFileThatCannotBeRead) {
  const auto ran = run({"extend", "--connection", "/no/such/file"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--connection: open /no/such/file: No such file or directory"));
}

TEST_F(AnExtend, RefusesMalformedConnectionInfoWithoutAskingTheDaemon) {
  const auto info = file("info.json", R"({"data":{}})");

  const auto ran = run({"extend", "--connection", info});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("driver_volume_type"));
  EXPECT_THAT(ran.err, HasSubstr("(BadConnectionInfo)"));
  EXPECT_TRUE(daemon.calls.empty());
}

// Exit statuses of contracts §1

struct Ending {
  JobState state;
  std::optional<ErrorCode> error;
  int status;
};

class AnEndedJob : public AnExtend, public testing::WithParamInterface<Ending> {};

TEST_P(AnEndedJob, GivesTheExitStatusOfTheContract) {
  auto result = a_result(GetParam().state);
  if (GetParam().error) result.error = Error{*GetParam().error, "why", "", 0};
  daemon.ends_with(result);

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Contract, AnEndedJob,
    testing::Values(Ending{JobState::complete, {}, 0}, Ending{JobState::unchanged, {}, 0},
                    Ending{JobState::failed, ErrorCode::size_mismatch, 1},
                    Ending{JobState::failed, ErrorCode::busy, 1},
                    Ending{JobState::refused, ErrorCode::ambiguous_volume, 2},
                    Ending{JobState::refused, ErrorCode::bad_connection_info, 2},
                    Ending{JobState::degraded, {}, 3},
                    Ending{JobState::degraded, ErrorCode::key_required, 3},
                    Ending{JobState::failed, ErrorCode::no_such_device, 4},
                    Ending{JobState::timed_out, ErrorCode::path_hung, 5},
                    Ending{JobState::refused, ErrorCode::would_shrink, 6},
                    Ending{JobState::refused, ErrorCode::not_supported, 6},
                    Ending{JobState::cancelled, ErrorCode::cancelled, 8}),
    [](const auto& ending) {
      return "Ends" + std::to_string(ending.index) + "With" + std::to_string(ending.param.status);
    });

struct Answer {
  ErrorCode code;
  int status;
};

class ADaemonThatRefuses : public AnExtend, public testing::WithParamInterface<Answer> {};

TEST_P(ADaemonThatRefuses, GivesTheExitStatusOfItsError) {
  daemon.refuses = Error{GetParam().code, "the reason", "", 0};

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, GetParam().status);
  EXPECT_THAT(ran.err, HasSubstr("the reason"));
  EXPECT_EQ(ran.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Contract, ADaemonThatRefuses,
    testing::Values(Answer{ErrorCode::no_such_volume, 4}, Answer{ErrorCode::not_authorized, 7},
                    Answer{ErrorCode::unreachable, 7}, Answer{ErrorCode::limits_exceeded, 1},
                    Answer{ErrorCode::invalid_args, 2}),
    [](const auto& answer) { return std::string(name_of(answer.param.code)); });

TEST_F(AnExtend, SaysWhereTheJobIsWhenTheDaemonGoesAwayWithoutATerminal) {
  daemon.refuses_calls = {{"wait 17", Error{ErrorCode::unreachable, "no reply", "", 0}}};

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.err,
            "volgrow: volgrowd went away; job 17 is in the journal and goes on when volgrowd is "
            "back: look with 'volgrow job 17' (Unreachable)\n");
}

TEST_F(AnExtend, ExitsWith7WhenThereIsNoDaemon) {
  daemon.unreachable =
      Error{ErrorCode::unreachable, "volgrowd is not running: systemctl start volgrowd", "", 0};

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.err, "volgrow: volgrowd is not running: systemctl start volgrowd (Unreachable)\n");
}

TEST_F(AnExtend, ExitsWith5WhenTheJobStillRunsAfterTheTimeout) {
  const auto ran = run({"extend", "/dev/loop0", "--timeout", "1s"});

  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(
      ran.err,
      HasSubstr("job 17 is still running after 6 s; it goes on: look with 'volgrow job 17'"));
}

TEST_F(AnExtend, SaysSoWhenTheDaemonsAnswerIsNoResult) {
  daemon.ends[17] = {"complete", "{\"schema\":"};

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("the daemon's answer is no result"));
}

// Hostile text

TEST_F(AnExtend, EscapesWhatTheTargetPutIntoNamesAndErrors) {
  auto result = a_failure(JobState::failed, ErrorCode::internal, "bad \x1b[2J\nname");
  result.volume_id = "vol\x1b]0;owned\x07";
  result.layers.front().endpoint = "/srv/\x1b[31mdisk\r\n.img";
  result.layers.front().reason = "\x9b";
  daemon.ends_with(result);

  const auto ran = run({"extend", "/dev/loop0"});

  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("\r")));
  EXPECT_EQ(lines_in(ran.out), 3U);
  EXPECT_EQ(lines_in(ran.err), 1U);
}

}  // namespace
}  // namespace volgrow::cli
