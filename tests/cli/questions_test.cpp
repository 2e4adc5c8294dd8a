// SPDX-License-Identifier: Apache-2.0
// The commands that only ask or that change what is registered: plan, explain, rescan, list,
// status, jobs, job, watch, register, unregister.
#include "tests/cli/program_fixture.h"

#include "core/json.h"

namespace volgrow::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AQuestion : public TheProgram {
 protected:
  void answers_with(Operation operation, JobResult result) {
    result.operation = operation;
    daemon.answer = to_json(result);
  }
  static JobResult a_plan() {
    auto result = a_result(JobState::unchanged, 10_GiB);
    result.job = 0;
    result.layers.front().target_bytes = 20_GiB;
    result.layers.front().action = LayerAction::planned;
    result.layers.front().reason = "the file has grown";
    return result;
  }
};

TEST_F(AQuestion, PlansAGrowthAsHealthyWork) {
  answers_with(Operation::plan, a_plan());

  const auto ran = run({"plan", "/dev/loop0", "--expect", "20G"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(
      ran.out,
      "plan vol-1: would grow; nothing was written, 10 GiB (10737418240 bytes)\n"
      "/dev/loop0  identity pinned\n"
      "└─ loop  loop0  /srv/disk.img  10 GiB, target says 20 GiB  planned  the file has grown\n");
  EXPECT_EQ(daemon.expected, 20_GiB);
}

TEST_F(AQuestion, PlansWith3WhenExtendWouldBeRefused) {
  answers_with(Operation::plan,
               a_failure(JobState::refused, ErrorCode::wwid_mismatch, "another volume"));

  const auto ran = run({"plan", "/dev/loop0"});

  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.err, "volgrow: another volume (WwidMismatch)\n");
}

TEST_F(AQuestion, PlansWith4WhenThereIsNoSuchDevice) {
  answers_with(Operation::plan, a_failure(JobState::failed, ErrorCode::no_such_device, "no loop9"));

  EXPECT_EQ(run({"plan", "/dev/loop9"}).status, 4);
}

TEST_F(AQuestion, ExplainsAHealthyVolumeWith0) {
  auto result = a_result(JobState::unchanged, 10_GiB);
  result.job = 0;
  answers_with(Operation::explain, result);

  const auto ran = run({"explain", "id:vol-1"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr("explain vol-1: healthy"));
  EXPECT_THAT(daemon.calls, ElementsAre("explain id:vol-1"));
}

TEST_F(AQuestion, ExplainsWhatIsWrongAndHowToMendItWith3) {
  auto result = a_result(JobState::unchanged, 10_GiB);
  result.job = 0;
  result.diagnosis =
      Diagnosis{"loop0", "shows 10 GiB, its file has 20 GiB", "volgrow extend /dev/loop0"};
  answers_with(Operation::explain, result);

  const auto ran = run({"explain", "/dev/loop0"});

  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.out, testing::EndsWith("wrong  loop0: shows 10 GiB, its file has 20 GiB\n"
                                         "fix    volgrow extend /dev/loop0\n"));
}

TEST_F(AQuestion, PrintsThePlanAsOneLineOfJson) {
  answers_with(Operation::plan, a_plan());

  const auto ran = run({"plan", "/dev/loop0", "--json"});

  EXPECT_EQ(ran.out, daemon.answer + "\n");
  EXPECT_EQ(lines_in(ran.out), 1U);
}

// rescan

class ARescan : public TheProgram {};

TEST_F(ARescan, ShowsEveryJobAndEndsAsTheFirstBadOne) {
  daemon.jobs_of = {{"/dev/loop0", 17}, {"/dev/loop1", 18}, {"id:vol-3", 19}};
  daemon.ends_with(a_result(JobState::complete, 20_GiB, 17));
  daemon.ends_with(a_result(JobState::degraded, 20_GiB, 18));
  auto failed = a_failure(JobState::failed, ErrorCode::internal, "broken");
  failed.job = 19;
  daemon.ends_with(failed);

  const auto ran = run({"rescan", "/dev/loop0", "/dev/loop1", "id:vol-3", "--json"});

  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(lines_in(ran.out), 3U);
  EXPECT_EQ(ran.err, "volgrow: id:vol-3: broken (Internal)\n");
  EXPECT_THAT(daemon.calls, ElementsAre("rescan /dev/loop0", "rescan /dev/loop1", "rescan id:vol-3",
                                        "wait 17", "wait 18", "wait 19"));
}

TEST_F(ARescan, TriesEveryTargetAndNamesTheBadOnes) {
  daemon.jobs_of = {{"id:vol-1", 17}};
  daemon.ends_with(a_result(JobState::complete, 20_GiB, 17));
  daemon.refuses_calls = {
      {"rescan id:nope", Error{ErrorCode::no_such_volume, "not registered", "", 0}}};

  const auto ran = run({"rescan", "id:nope", "id:vol-1"});

  EXPECT_EQ(ran.status, 4);
  EXPECT_EQ(ran.err, "volgrow: id:nope: not registered (NoSuchVolume)\n");
  EXPECT_THAT(ran.out, HasSubstr("job 17: "));
}

TEST_F(ARescan, SaysOnceThatThereIsNoDaemon) {
  daemon.refuses = Error{ErrorCode::unreachable, "not running", "", 0};

  const auto ran = run({"rescan", "id:vol-1", "id:vol-2"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.err, "volgrow: not running (Unreachable)\n");
}

TEST_F(ARescan, OfAllNamesNobody) {
  daemon.new_jobs = {};

  const auto ran = run({"rescan", "--all"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "no volume is registered: nothing to rescan\n");
  EXPECT_EQ(run({"rescan", "--all", "--json"}).out, "");
  EXPECT_THAT(daemon.calls, testing::Each("rescan"));
}

TEST_F(ARescan, ShowsTheOthersWhenOneStillRuns) {
  daemon.jobs_of = {{"/dev/loop0", 17}, {"/dev/loop1", 18}};
  daemon.ends_with(a_result(JobState::complete, 20_GiB, 18));

  const auto ran = run({"rescan", "/dev/loop0", "/dev/loop1"});

  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.out, HasSubstr("job 18: "));
}

// What is registered

VolumeView a_volume() {
  VolumeView volume;
  volume.id = "vol-1";
  volume.wwid = "naa.6001405";
  volume.kind = "iscsi";
  volume.device = "/dev/dm-3";
  volume.size = 10_GiB;
  volume.target_size = 20_GiB;
  volume.state = VolumeState::mismatch;
  volume.paths = {{"sda", "10.0.0.1:3260,iqn.x", 10_GiB, "running"}, {"sdb", "", {}, "offline"}};
  volume.last_job = 17;
  return volume;
}

class ARegisteredVolume : public TheProgram {
 protected:
  ARegisteredVolume() { daemon.volumes = {a_volume()}; }
};

TEST_F(ARegisteredVolume, IsListedInATable) {
  const auto ran = run({"list"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out,
            "VOLUME  STATE     SIZE    TARGET  DEVICE     KIND   WWID\n"
            "vol-1   mismatch  10 GiB  20 GiB  /dev/dm-3  iscsi  naa.6001405\n");
}

TEST_F(ARegisteredVolume, IsListedAsOneLineOfJson) {
  const auto ran = run({"list", "--json"});

  EXPECT_EQ(lines_in(ran.out), 1U);
  const auto items = parse_json(ran.out);
  ASSERT_TRUE(items && items->array());
  EXPECT_EQ(*items->array()->front().find("id")->text(), "vol-1");
  EXPECT_EQ(items->array()->front().find("paths")->array()->size(), 2U);
}

TEST_F(ARegisteredVolume, IsShownWithItsPaths) {
  const auto ran = run({"status", "vol-1"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out,
            "vol-1       mismatch\n"
            "  device    /dev/dm-3\n"
            "  kind      iscsi\n"
            "  wwid      naa.6001405\n"
            "  size      10 GiB (10737418240 bytes)\n"
            "  target    20 GiB (21474836480 bytes)\n"
            "  last job  17\n"
            "  path  sda  running  10 GiB (10737418240 bytes)  10.0.0.1:3260,iqn.x\n"
            "  path  sdb  offline  unknown\n");
}

TEST_F(ARegisteredVolume, IsFoundByDeviceAndByWwid) {
  EXPECT_EQ(run({"status", "/dev/dm-3", "--json"}).out, run({"status", "id:vol-1", "--json"}).out);
  EXPECT_EQ(run({"status", "wwid:naa.6001405"}).status, 0);
  EXPECT_EQ(run({"status"}).out, run({"status", "vol-1"}).out);
}

TEST_F(ARegisteredVolume, ThatNobodyKnowsExitsWith4) {
  EXPECT_EQ(run({"status", "vol-2"}).status, 4);
  EXPECT_EQ(run({"status", "id:vol-2"}).status, 4);
}

TEST_F(ARegisteredVolume, IsPinnedByRegister) {
  const auto info =
      file("info.json", R"({"driver_volume_type":"iscsi","data":{"auth_password":"hush"}})");

  const auto ran = run({"register", "vol-1", "--connection", info});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "registered vol-1; 'volgrow status vol-1' shows it\n");
  EXPECT_THAT(daemon.calls, ElementsAre("register vol-1"));
  EXPECT_THAT(daemon.connection_info, testing::Not(HasSubstr("hush")));
}

TEST_F(ARegisteredVolume, IsForgottenByUnregister) {
  const auto ran = run({"unregister", "vol-1", "--json"});

  EXPECT_EQ(ran.out, "{\"unregistered\":\"vol-1\"}\n");
  EXPECT_THAT(daemon.calls, ElementsAre("unregister vol-1"));
}

TEST_F(TheProgram, SaysThatNothingIsRegistered) {
  EXPECT_THAT(run({"list"}).out, HasSubstr("no volume is registered"));
  EXPECT_EQ(run({"list", "--json"}).out, "[]\n");
  EXPECT_EQ(run({"status"}).out, run({"list"}).out);
  EXPECT_EQ(run({"status", "--json"}).out, "[]\n");
}

// Jobs

class AJob : public TheProgram {
 protected:
  AJob() {
    JobView running;
    running.id = 18;
    running.volume_id = "vol-2";
    running.phase = "probing";
    running.started_at = WallTime(std::chrono::sys_days{std::chrono::year{2026} / 1 / 1});
    JobView ended;
    ended.id = 17;
    ended.volume_id = "vol-1";
    ended.state = JobState::refused;
    ended.error_name = "WwidMismatch";
    ended.error_message = "another volume";
    ended.started_by_uid = 1000;
    ended.started_at = running.started_at;
    ended.result_json =
        to_json(a_failure(JobState::refused, ErrorCode::wwid_mismatch, "another volume"));
    daemon.jobs = {ended, running};
  }
};

TEST_F(AJob, IsListedInATable) {
  EXPECT_EQ(run({"jobs"}).out,
            "JOB  OPERATION  VOLUME  STATE    PHASE/ERROR   UID   STARTED\n"
            "17   extend     vol-1   refused  WwidMismatch  1000  2026-01-01T00:00:00.000000Z\n"
            "18   extend     vol-2   running  probing       0     2026-01-01T00:00:00.000000Z\n");
}

TEST_F(AJob, IsListedAsOneLineOfJson) {
  const auto ran = run({"jobs", "--json"});

  EXPECT_EQ(lines_in(ran.out), 1U);
  EXPECT_EQ(parse_json(ran.out)->array()->size(), 2U);
}

TEST_F(AJob, ThatEndedShowsItsTreeAndExitsAsItEnded) {
  const auto ran = run({"job", "17"});

  EXPECT_EQ(ran.status, 6);
  EXPECT_THAT(ran.out, HasSubstr("job 17: extend vol-1: refused"));
  EXPECT_EQ(ran.err, "volgrow: another volume (WwidMismatch)\n");
}

TEST_F(AJob, ThatEndedPrintsItsResultAsJson) {
  EXPECT_EQ(run({"job", "17", "--json"}).out, daemon.jobs.front().result_json + "\n");
}

TEST_F(AJob, ThatRunsShowsItsPhase) {
  const auto ran = run({"job", "18"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "job 18: extend vol-2: running, probing, since 2026-01-01T00:00:00.000000Z\n");
}

TEST_F(AJob, ThatIsUnknownIsAnError) {
  const auto ran = run({"job", "99"});

  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "volgrow: no job 99 (Internal)\n");
}

// watch

class AWatch : public TheProgram {
 protected:
  AWatch() {
    using Kind = bus::Client::Event::Kind;
    daemon.events = {{Kind::job_new, 17, "", "", {}, {}},
                     {Kind::job_progress, 17, "", "growing", {}, {}},
                     {Kind::volume_resized, 0, "vol-1", "event", 10_GiB, 20_GiB},
                     {Kind::job_removed, 17, "", "complete\x1b[2J", {}, {}}};
  }
};

TEST_F(AWatch, PrintsALineForEveryEvent) {
  const auto ran = run({"watch"});

  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out,
            "job 17  started\n"
            "job 17  growing\n"
            "vol-1  10 GiB → 20 GiB (10737418240 → 21474836480 bytes), event\n"
            "job 17  complete\\x1b[2J\n");
  EXPECT_THAT(daemon.calls, ElementsAre("subscribe", "version", "volumes", "follow"));
}

TEST_F(AWatch, PrintsAnObjectForEveryEvent) {
  const auto ran = run({"watch", "--json"});

  EXPECT_EQ(lines_in(ran.out), 4U);
  EXPECT_THAT(
      ran.out,
      HasSubstr(
          "{\"event\":\"volume-resized\",\"volume_id\":\"vol-1\",\"previous_bytes\":10737418240,"
          "\"size_bytes\":21474836480,\"origin\":\"event\"}\n"));
}

TEST_F(AWatch, DoesNotWaitForADaemonThatDoesNotAnswer) {
  daemon.refuses_calls = {{"version", Error{ErrorCode::unreachable, "not running", "", 0}}};

  const auto ran = run({"watch"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.err, "volgrow: not running (Unreachable)\n");
}

TEST_F(AWatch, DoesNotWaitForEventsThatAStrangerIsNotTold) {
  daemon.refuses_calls = {{"volumes", Error{ErrorCode::not_authorized, "no", "", 0}}};

  EXPECT_EQ(run({"watch"}).status, 7);
}

TEST_F(AWatch, EndsWhenTheDaemonGoesAway) {
  daemon.events = {{bus::Client::Event::Kind::daemon_gone, 0, "", "", {}, {}}};

  const auto ran = run({"watch"});

  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.out, "volgrowd went away\n");
}

}  // namespace
}  // namespace volgrow::cli
