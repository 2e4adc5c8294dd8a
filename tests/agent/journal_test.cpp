// SPDX-License-Identifier: Apache-2.0
// The journal on real SQLite files: what is accepted stays, a job has one report, and a report
// never changes; also across kill -9, full disks and files that are not what they should be.
#include "agent/journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/fakes/fake_clock.h"

namespace volgrow::agent {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* iscsi_subject =
    R"({"driver_volume_type":"iscsi","data":{"target_portal":"10.0.0.1:3260",)"
    R"("target_iqn":"iqn.2010-10.org.openstack:v1","target_lun":1,"volume_id":"vol-1"}})";

Subject subject(std::string_view text) {
  return parse_subject(text).value();
}

Request plain_request() {
  Request request;
  request.subject = subject("/dev/loop7");
  request.volume_id = "vol-1";
  return request;
}

/// No member keeps its default: one that is not stored shows.
Request elaborate_request() {
  return {.operation = Operation::rescan,
          .subject = subject(iscsi_subject),
          .volume_id = "vol-1",
          .pinned = Wwid{WwidType::naa, "600140512345678901234567890abcde"},
          .pin_required = true,
          .expected = Bytes(std::uint64_t{1} << 63),
          .mode = Mode::exact,
          .dead_paths = DeadPaths::wait,
          .dry_run = true,
          .origin = Origin::event};
}

JobResult grown() {
  JobResult result;
  result.volume_id = "vol-1";
  result.state = JobState::complete;
  result.previous = 10_GiB;
  result.volume = 20_GiB;
  result.size = 20_GiB;
  result.device = "/dev/loop7";
  result.duration = Duration(1800);
  return result;
}

VolumeRecord volume(std::string id) {
  return {.id = id,
          .subject = iscsi_subject,
          .pinned = Wwid{WwidType::naa, "60014051"},
          .view = {.id = id,
                   .wwid = "naa.60014051",
                   .kind = "iscsi",
                   .device = "/dev/sda",
                   .size = Bytes(~std::uint64_t{0}),
                   .target_size = 20_GiB,
                   .state = VolumeState::degraded,
                   .paths = {{"sda", "10.0.0.1:3260,iqn.x", 20_GiB, "running"},
                             {"sdb", "[fe80::1]:3260,iqn.x", 10_GiB, "offline"}},
                   .last_job = 4},
          .largest = 40_GiB};
}

class AJournal : public testing::Test {
 protected:
  AJournal() {
    std::string name = testing::TempDir() + "volgrow-journal-XXXXXX";
    directory = ::mkdtemp(name.data());
    path = directory / "journal.db";
  }
  ~AJournal() override {
    journal.reset();
    std::filesystem::remove_all(directory);
  }

  Result<std::unique_ptr<Journal>> try_open(const std::string& host = "host-1") {
    return Journal::open(path, host, clock);
  }
  void open(const std::string& host = "host-1") {
    journal.reset();
    auto opened = try_open(host);
    ASSERT_TRUE(opened) << opened.error().message;
    journal = std::move(*opened);
  }

  JobRecord job(Request request = plain_request(), std::string key = {}) {
    return {.request = std::move(request),
            .deadline = clock.wall() + seconds(30),
            .uid = 1000,
            .idempotency_key = std::move(key),
            .started_at = clock.wall()};
  }
  JobId accept(const JobRecord& record) { return journal->accept(record).value(); }
  std::uint64_t finish(JobId id, const JobResult& result = grown()) {
    return journal->finish(id, result, clock.wall()).value();
  }
  std::vector<JobId> unfinished_ids() {
    std::vector<JobId> ids;
    const auto records = journal->unfinished().value();
    for (const auto& record : records)
      ids.push_back(record.id);
    return ids;
  }

  /// Runs `work` on a journal of its own in a child that then dies as by kill -9.
  void in_a_process_that_is_killed(const std::function<void(Journal&)>& work) {
    journal.reset();
    const auto child = ::fork();
    if (child == 0) {
      auto mine = try_open();
      if (mine) work(**mine);
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    open();
  }

  FakeClock clock;
  std::filesystem::path directory;
  std::filesystem::path path;
  std::unique_ptr<Journal> journal;
};

// ---- opening ----

TEST_F(AJournal, KeepsItsFilesToItself) {
  open();

  accept(job());

  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
  }
}

TEST_F(AJournal, TightensAFileThatOthersCouldRead) {
  open();
  journal.reset();
  ::chmod(path.c_str(), 0644);

  open();

  struct stat status {};
  ::stat(path.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AJournal, KeepsItsUuidForLifeAndSharesItWithNoOther) {
  open();
  const auto uuid = journal->uuid();
  open();
  const auto after_restart = journal->uuid();

  path = directory / "other.db";
  open();

  EXPECT_THAT(uuid, SizeIs(36));
  EXPECT_EQ(after_restart, uuid);
  EXPECT_NE(journal->uuid(), uuid);
}

TEST_F(AJournal, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path) << std::string(8192, 'x');

  const auto opened = try_open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::internal);
  EXPECT_THAT(opened.error().message, HasSubstr("no SQLite database"));
  EXPECT_THAT(opened.error().message, HasSubstr(path.native()));
}

/// Big-endian numbers in SQLite's file header (fileformat2.html §1.3): user_version at 60,
/// application_id at 68.
void set_header_number(const std::filesystem::path& path, long offset, unsigned char value) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset + 3);
  file.put(static_cast<char>(value));
}

TEST_F(AJournal, RefusesASchemaNewerThanItself) {
  open();
  journal.reset();
  set_header_number(path, 60, 99);

  const auto opened = try_open();

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("newer volgrowd (schema 99, this one knows 2)"));
}

TEST_F(AJournal, BringsUpADatabaseOfTheFirstVersion) {
  open();
  const auto id = accept(job());
  journal.reset();
  {
    soci::session sql(*soci::factory_sqlite3(), fmt::format("db=\"{}\"", path.native()));
    sql << "drop table stragglers";
    sql << "pragma user_version = 1";
  }

  open();

  EXPECT_THAT(unfinished_ids(), ElementsAre(id));
  EXPECT_TRUE(journal->remember_straggler("vol-1", id, 1));
}

TEST_F(AJournal, RefusesADatabaseOfAnotherProgram) {
  open();
  journal.reset();
  set_header_number(path, 68, 1);

  const auto opened = try_open();

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("belongs to another program"));
}

TEST_F(AJournal, IsOpenedByOneDaemonAtATime) {
  open();

  const auto second = try_open();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_THAT(second.error().message, HasSubstr("another volgrowd"));
}

TEST_F(AJournal, NamesADirectoryThatIsNotThere) {
  path = directory / "missing" / "journal.db";

  const auto opened = try_open();

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("missing"));
}

TEST_F(AJournal, OpensInADirectoryWithSpacesInItsName) {
  path = directory / "a b  c";
  std::filesystem::create_directory(path);
  path /= "journal file.db";

  open();

  EXPECT_TRUE(std::filesystem::exists(path));
}

// ---- jobs ----

TEST_F(AJournal, GivesAnAcceptedJobBackAsItWas) {
  open();
  auto record = job(elaborate_request(), "key-1");

  record.id = accept(record);

  open();
  EXPECT_THAT(journal->unfinished().value(), ElementsAre(record));
}

TEST_F(AJournal, GivesBackARequestWithNothingInIt) {
  open();
  auto record = job(plain_request());

  record.id = accept(record);

  EXPECT_THAT(journal->unfinished().value(), ElementsAre(record));
}

TEST_F(AJournal, ForgetsTheSecretsOfAConnection) {
  open();
  auto request = plain_request();
  request.subject = subject(
      R"({"driver_volume_type":"iscsi","data":{"target_iqn":"iqn.x","target_portal":"1.2.3.4:3260",)"
      R"("target_lun":0,"auth_method":"CHAP","auth_username":"u","auth_password":"hunter2"}})");

  accept(job(request));

  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(bytes, Not(HasSubstr("hunter2"))) << entry.path();
  }
}

TEST_F(AJournal, NeverGivesAnIdTwice) {
  open();
  const auto first = accept(job());
  const auto sequence = finish(first);
  ASSERT_TRUE(journal->acknowledge({sequence}));
  clock.advance(hours(25));
  ASSERT_TRUE(journal->expire(clock.wall()));
  open();

  const auto second = accept(job());

  EXPECT_GT(second, first);
  EXPECT_GT(finish(second), sequence);
}

TEST_F(AJournal, ShowsAnEndedJobWithItsResult) {
  open();
  const auto id = accept(job());
  auto result = grown();
  result.state = JobState::refused;
  result.error = Error{ErrorCode::wwid_mismatch, "found naa.2, expected naa.1", "sda", 0};
  clock.advance(seconds(2));

  finish(id, result);

  open();
  result.job = id;
  const auto ends = journal->finished(clock.wall() - seconds(1)).value();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].ended_at, clock.wall());
  EXPECT_EQ(ends[0].view, (JobView{.id = id,
                                   .operation = Operation::extend,
                                   .volume_id = "vol-1",
                                   .state = JobState::refused,
                                   .phase = "done",
                                   .result_json = to_json(result),
                                   .error_name = "WwidMismatch",
                                   .error_message = "found naa.2, expected naa.1",
                                   .started_by_uid = 1000,
                                   .started_at = clock.wall() - seconds(2)}));
  EXPECT_THAT(journal->unfinished().value(), IsEmpty());
}

TEST_F(AJournal, ListsOnlyEndsYoungerThanAskedForOldestFirst) {
  open();
  const auto old = accept(job());
  finish(old);
  clock.advance(seconds(60));
  const auto second = accept(job());
  const auto third = accept(job());
  finish(third);
  clock.advance(seconds(1));
  finish(second);

  const auto ends = journal->finished(clock.wall() - seconds(30)).value();

  ASSERT_THAT(ends, SizeIs(2));
  EXPECT_EQ(ends[0].view.id, third);
  EXPECT_EQ(ends[1].view.id, second);
}

// ---- reports ----

TEST_F(AJournal, ReportsAJobThatEndsTwiceOnce) {
  open();
  const auto id = accept(job());
  const auto sequence = finish(id);
  auto other = grown();
  other.size = 30_GiB;

  const auto again = journal->finish(id, other, clock.wall());

  EXPECT_EQ(again, sequence);
  const auto reports = journal->outbox(10).value();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].second, HasSubstr("21474836480"));
}

TEST_F(AJournal, ReportsAnAcknowledgedJobNeverAgain) {
  open();
  const auto id = accept(job());
  const auto sequence = finish(id);
  ASSERT_TRUE(journal->acknowledge({sequence}));

  const auto again = journal->finish(id, grown(), clock.wall());

  EXPECT_EQ(again, sequence);
  EXPECT_EQ(journal->outbox_depth(), 0U);
}

TEST_F(AJournal, WillNotEndAJobItNeverAccepted) {
  open();

  const auto finished = journal->finish(7, grown(), clock.wall());

  ASSERT_FALSE(finished);
  EXPECT_THAT(finished.error().message, HasSubstr("no job 7"));
  EXPECT_EQ(journal->outbox_depth(), 0U);
}

TEST_F(AJournal, ListsAReportByteForByteTheSameForEver) {
  open("host-1");
  const auto id = accept(job());
  const auto sequence = finish(id);
  const auto first = journal->outbox(10).value();

  open("host-renamed");

  auto result = grown();
  result.job = id;
  EXPECT_EQ(journal->outbox(10).value(), first);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].first, sequence);
  EXPECT_EQ(first[0].second, to_json(Report{"host-1", journal->uuid(), sequence, result}));
}

TEST_F(AJournal, ForgetsOnlyTheReportsThatWereAcknowledged) {
  open();
  const auto first = finish(accept(job()));
  const auto second = finish(accept(job()));
  const auto third = finish(accept(job()));

  const auto done = journal->acknowledge({first, third, 999, ~std::uint64_t{0}, first});

  EXPECT_TRUE(done);
  const auto left = journal->outbox(10).value();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].first, second);
  EXPECT_EQ(journal->outbox_depth(), 1U);
}

TEST_F(AJournal, ListsTheOldestReportsFirstAndNoMoreThanAsked) {
  open();
  const auto first = finish(accept(job()));
  const auto second = finish(accept(job()));
  finish(accept(job()));

  const auto reports = journal->outbox(2).value();

  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports[0].first, first);
  EXPECT_EQ(reports[1].first, second);
}

// ---- idempotency keys ----

TEST_F(AJournal, FindsTheJobAKeyStandsForOfThatUserOnly) {
  open();
  auto record = job(elaborate_request(), "key-1");
  record.id = accept(record);
  finish(record.id);

  EXPECT_EQ(journal->accepted(1000, "key-1").value(), record);
  EXPECT_EQ(journal->accepted(1001, "key-1").value(), std::nullopt);
  EXPECT_EQ(journal->accepted(1000, "key-2").value(), std::nullopt);
  EXPECT_EQ(journal->accepted(1000, "").value(), std::nullopt);
}

TEST_F(AJournal, AcceptsAKeyOnceInADay) {
  open();
  accept(job(plain_request(), "key-1"));

  const auto second = journal->accept(job(plain_request(), "key-1"));

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(unfinished_ids(), SizeIs(1));
}

// What was begun for it must not stay open: the next one begins anew.
TEST_F(AJournal, GoesOnAfterARequestItRefused) {
  open();
  const auto first = accept(job(plain_request(), "key-1"));
  ASSERT_FALSE(journal->accept(job(plain_request(), "key-1")));

  const auto second = journal->accept(job(plain_request(), "key-2"));

  ASSERT_TRUE(second) << second.error().message;
  EXPECT_THAT(unfinished_ids(), ElementsAre(first, *second));
}

TEST_F(AJournal, LetsAKeyGoAfterADay) {
  open();
  const auto first = accept(job(plain_request(), "key-1"));
  clock.advance(hours(24));

  const auto before = journal->accepted(1000, "key-1").value();
  const auto second = journal->accept(job(plain_request(), "key-1"));

  EXPECT_EQ(before, std::nullopt);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_THAT(unfinished_ids(), ElementsAre(first, *second));
}

TEST_F(AJournal, AcceptsAnyNumberOfJobsWithoutAKey) {
  open();

  accept(job());
  accept(job());

  EXPECT_THAT(unfinished_ids(), SizeIs(2));
}

// ---- what expires ----

TEST_F(AJournal, ForgetsEndsADayOldButNoRunningJobAndNoReport) {
  open();
  const auto running = accept(job());
  const auto fetched = accept(job());
  const auto unfetched = accept(job());
  ASSERT_TRUE(journal->acknowledge({finish(fetched)}));
  finish(unfetched);
  clock.advance(hours(24));

  ASSERT_TRUE(journal->expire(clock.wall()));

  const auto ends = journal->finished(WallTime()).value();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].view.id, unfetched);
  EXPECT_THAT(unfinished_ids(), ElementsAre(running));
  EXPECT_EQ(journal->outbox_depth(), 1U);
}

TEST_F(AJournal, KeepsEndsYoungerThanADay) {
  open();
  finish(accept(job()));
  clock.advance(hours(24) - seconds(1));

  open();

  EXPECT_THAT(journal->finished(WallTime()).value(), SizeIs(1));
}

// ---- volumes ----

TEST_F(AJournal, GivesPinnedVolumesBackAsTheyWere) {
  open();
  VolumeRecord unidentified;
  unidentified.id = unidentified.view.id = "vol-2";
  unidentified.subject = "/dev/loop7";

  ASSERT_TRUE(journal->pin(volume("vol-1")));
  ASSERT_TRUE(journal->pin(unidentified));

  open();
  EXPECT_THAT(journal->volumes().value(), ElementsAre(volume("vol-1"), unidentified));
}

TEST_F(AJournal, TakesWhatAVolumeHadLastForTheMostWhereNobodyWroteThat) {
  open();
  ASSERT_TRUE(journal->pin(volume("vol-1")));
  journal.reset();
  soci::session sql(*soci::factory_sqlite3(), fmt::format("db=\"{}\"", path.native()));
  sql << "update volumes set view = json_remove(view, '$.largest')";
  sql.close();

  open();
  EXPECT_EQ(journal->volumes().value().front().largest, volume("vol-1").view.size);
}

TEST_F(AJournal, ReplacesAVolumeThatIsPinnedAgain) {
  open();
  ASSERT_TRUE(journal->pin(volume("vol-1")));
  auto changed = volume("vol-1");
  changed.view.size = 40_GiB;
  changed.pinned = std::nullopt;

  ASSERT_TRUE(journal->pin(changed));

  EXPECT_THAT(journal->volumes().value(), ElementsAre(changed));
}

TEST_F(AJournal, UnpinsOneVolumeAndDoesNotMindAnUnknownOne) {
  open();
  ASSERT_TRUE(journal->pin(volume("vol-1")));
  ASSERT_TRUE(journal->pin(volume("vol-2")));

  ASSERT_TRUE(journal->unpin("vol-1"));
  ASSERT_TRUE(journal->unpin("vol-unknown"));

  EXPECT_THAT(journal->volumes().value(), ElementsAre(volume("vol-2")));
}

// ---- groups ----

TEST_F(AJournal, MakesAGroupDurableAtItsCommitOnly) {
  in_a_process_that_is_killed([this](Journal& mine) {
    (void)mine.accept(job());
    (void)mine.begin();
    (void)mine.begin();
    (void)mine.finish(1, grown(), clock.wall());
    (void)mine.accept(job());
  });

  EXPECT_THAT(unfinished_ids(), ElementsAre(1));
  EXPECT_EQ(journal->outbox_depth(), 0U);
}

TEST_F(AJournal, KeepsAllOfACommittedGroup) {
  in_a_process_that_is_killed([this](Journal& mine) {
    (void)mine.begin();
    (void)mine.accept(job());
    (void)mine.accept(job());
    (void)mine.begin();
    (void)mine.finish(1, grown(), clock.wall());
    (void)mine.commit();
  });

  EXPECT_THAT(unfinished_ids(), ElementsAre(2));
  EXPECT_EQ(journal->outbox_depth(), 1U);
}

TEST_F(AJournal, KeepsEveryCallMadeOutsideAGroup) {
  in_a_process_that_is_killed([this](Journal& mine) {
    (void)mine.accept(job());
    (void)mine.finish(1, grown(), clock.wall());
    (void)mine.pin(volume("vol-1"));
  });

  EXPECT_THAT(unfinished_ids(), IsEmpty());
  EXPECT_EQ(journal->outbox_depth(), 1U);
  EXPECT_THAT(journal->volumes().value(), SizeIs(1));
}

TEST_F(AJournal, CommitsNothingWhenNothingWasBegun) {
  open();

  EXPECT_TRUE(journal->commit());
  EXPECT_TRUE(journal->begin());
  EXPECT_TRUE(journal->commit());
}

TEST_F(AJournal, KeepsAGroupAliveWhenOneOfItsRequestsIsRefused) {
  open();
  ASSERT_TRUE(journal->begin());
  const auto id = accept(job(plain_request(), "key-1"));

  EXPECT_FALSE(journal->accept(job(plain_request(), "key-1")));
  EXPECT_FALSE(journal->finish(99, grown(), clock.wall()));
  EXPECT_TRUE(journal->commit());

  open();
  EXPECT_THAT(unfinished_ids(), ElementsAre(id));
}

// ---- a disk that fails ----

/// What `work` wrote to its stream, in a child whose `directory` is a file system of 1 MiB of its
/// own.
std::string on_a_small_disk(const std::filesystem::path& directory,
                            const std::function<void(std::ostream&)>& work) {
  const auto answer = directory.native() + ".answer";
  const auto child = ::fork();
  if (child == 0) {
    std::ofstream out(answer);
    if (::unshare(CLONE_NEWNS) == 0 &&
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("none", directory.c_str(), "tmpfs", 0, "size=1m") == 0)
      work(out);
    else
      out << "no mount";
    out.flush();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::ifstream in(answer);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::filesystem::remove(answer);
  return text;
}

void fill_disk(const std::filesystem::path& file) {
  std::ofstream out(file, std::ios::binary);
  while (out << std::string(4096, 'x') << std::flush) {
  }
}

TEST_F(AJournal, SaysThatTheDiskIsFullAndGoesOnWhenItIsNot) {
  const auto told = on_a_small_disk(directory, [this](std::ostream& out) {
    open();
    fill_disk(directory / "ballast");
    auto failed = journal->accept(job());
    while (failed)
      failed = journal->accept(job());
    out << failed.error().message << '\n' << journal->uuid().size() << '\n';
    std::filesystem::remove(directory / "ballast");
    out << (journal->accept(job()) ? "accepted" : "still refused");
  });
  if (told == "no mount") GTEST_SKIP() << "may not mount here";

  EXPECT_THAT(told, HasSubstr("the disk is full; free space"));
  EXPECT_THAT(told, HasSubstr("\naccepted"));
}

TEST_F(AJournal, CommitsNothingOfAGroupThatMetAFullDisk) {
  const auto told = on_a_small_disk(directory, [this](std::ostream& out) {
    open();
    fill_disk(directory / "ballast");
    (void)journal->begin();
    while (journal->accept(job())) {  // ends when SQLite's cache spills
    }
    std::filesystem::remove(directory / "ballast");
    out << (journal->accept(job()) ? "went on" : "refused to go on") << '\n';
    out << (journal->commit() ? "committed" : "did not commit") << '\n';
    out << unfinished_ids().size() << " jobs\n";
    out << (journal->accept(job()) ? "accepted" : "still refused");
  });
  if (told == "no mount") GTEST_SKIP() << "may not mount here";

  EXPECT_EQ(told, "refused to go on\ndid not commit\n0 jobs\naccepted");
}

TEST_F(AJournal, SaysThatTheFileSystemIsReadOnly) {
  const auto told = on_a_small_disk(directory, [this](std::ostream& out) {
    open();
    journal.reset();
    ::mount("none", directory.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr);
    out << try_open().error().message;
  });
  if (told == "no mount") GTEST_SKIP() << "may not mount here";

  EXPECT_THAT(told, HasSubstr("Read-only file system"));
}

TEST_F(AJournal, SaysThatTheDatabaseIsCorrupt) {
  open();
  for (int i = 0; i < 100; ++i)
    accept(job());
  journal.reset();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(std::filesystem::file_size(path) - 4096, 'x');
  file.close();

  const auto opened = try_open();

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("the database is corrupt; move it away"));
}

// --- stragglers ---

TEST_F(AJournal, RemembersWhatAJobLeftBehindAcrossARestart) {
  open();
  const auto id = accept(job(elaborate_request()));
  finish(id);
  ASSERT_TRUE(journal->remember_straggler("vol-1", id, 2));

  open();

  const auto left = journal->stragglers().value();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left.front().queue, "vol-1");
  EXPECT_EQ(left.front().paths, 2);
  EXPECT_EQ(left.front().left_by.id, id);
  EXPECT_EQ(left.front().left_by.request, elaborate_request());
}

TEST_F(AJournal, RemembersOfAVolumeOnlyWhatItsLastJobLeft) {
  open();
  const auto first = accept(job());
  const auto second = accept(job());
  ASSERT_TRUE(journal->remember_straggler("vol-1", first, 2));
  ASSERT_TRUE(journal->remember_straggler("vol-1", second, 1));

  const auto left = journal->stragglers().value();

  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left.front().left_by.id, second);
  EXPECT_EQ(left.front().paths, 1);
}

TEST_F(AJournal, KeepsAnOldJobWhileWhatItLeftIsNotFinished) {
  open();
  const auto id = accept(job());
  const auto sequence = finish(id);
  ASSERT_TRUE(journal->acknowledge({sequence}));
  ASSERT_TRUE(journal->remember_straggler("vol-1", id, 1));
  clock.advance(hours(48));

  ASSERT_TRUE(journal->expire(clock.wall()));
  EXPECT_THAT(journal->stragglers().value(), SizeIs(1));

  ASSERT_TRUE(journal->forget_straggler("vol-1"));
  ASSERT_TRUE(journal->expire(clock.wall()));
  EXPECT_THAT(journal->stragglers().value(), IsEmpty());
  EXPECT_THAT(journal->finished(WallTime{}).value(), IsEmpty());
}

}  // namespace
}  // namespace volgrow::agent
