// SPDX-License-Identifier: Apache-2.0
// What becomes of paths that a job left behind: over a fake kernel with a multipathd, a real
// journal and a clock that moves when the test says so.
#include "agent/stragglers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <vector>

#include "agent/job_book.h"
#include "connectors/all.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/fake_multipathd.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/inline_pool.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::IsEmpty;
using testing::SizeIs;

/// What a daemon is to its jobs and stragglers; two of them in turn are a restart.
class Daemon final : public JobEvents {
 public:
  Daemon(FakeTimeLoop& loop, WorkerPool& pool, Journal& journal, const std::string& locks)
      : commits_(loop, loop.clock(), journal),
        runner_(loop, loop.clock(), pool, locks),
        jobs({loop, loop.clock(), commits_, runner_, config_, *log_}, *this),
        stragglers({loop, loop.clock(), commits_, runner_, config_, *log_},
                   [this](JobRecord job, bus::Reply<JobId> reply) {
                     jobs.accept(std::move(job), std::move(reply));
                   }) {}

  void job_accepted(const JobRecord&, const JobView&) override {}
  void job_progressed(const JobView&) override {}
  void job_ending(const JobRecord& record, JobResult& result, Journal& journal) override {
    stragglers.job_ending(queue_of(record.request), record, result, journal);
  }
  void job_ended(const JobRecord& record, const JobView&, const JobResult& result) override {
    origins.push_back(record.request.origin);
    ends.push_back(result);
    stragglers.job_ended(queue_of(record.request));
  }
  void job_forgotten(JobId) override {}

 private:
  Config config_;
  std::ostringstream said_;
  std::unique_ptr<Log> log_ = stream_log(said_, LogLevel::debug);
  Commits commits_;
  Runner runner_;

 public:
  JobBook jobs;
  Stragglers stragglers;
  std::vector<Origin> origins;
  std::vector<JobResult> ends;
};

class AStraggler : public testing::Test {
 protected:
  AStraggler() {
    const Wwid wwid{WwidType::naa, "6001405a0102030405060708090a0b0c"};
    kernel.add_disk("sda", {.address = "1:0:0:1", .wwid = wwid});
    kernel.add_disk("sdb", {.address = "2:0:0:1", .wwid = wwid});
    kernel.add_map("dm-3", {"sda", "sdb"}, {.wwid = "3" + wwid.hex});
    for (const auto* path : {"sda", "sdb"})
      kernel.path(path).target_size = 20_GiB;
    kernel.path("sdb").state = "transport-offline";
    start();
    extend();
  }

  void start() {
    daemon.reset();
    daemon.emplace(loop, pool, *journal, directory.path());
  }
  void extend() {
    JobRecord record;
    record.request.subject = *parse_subject("dev:dm-3");
    record.request.volume_id = "vol-1";
    record.request.expected = 20_GiB;
    record.deadline = loop.clock().wall() + 30s;
    record.started_at = loop.clock().wall();
    daemon->jobs.accept(record, [](const Result<JobId>& id) { EXPECT_TRUE(id); });
    until_ended(1);
  }
  void until_ended(std::size_t jobs) {
    loop.run_until([&] { return daemon->ends.size() >= jobs; }).value();
  }
  /// Lets time pass in small steps, and everything happen that is due.
  void pass(Duration span) {
    for (Duration passed{}; passed < span; passed += 250ms) {
      loop.advance(250ms);
      for (int turns = 0; turns < 20; ++turns)
        turn();
    }
  }
  /// Until nothing is ready; what was ready may have made more so.
  void turn() {
    const auto idle = loop.when_idle([this] { loop.exit(0); }).value();
    loop.run().value();
  }
  std::vector<std::string> members() { return *kernel.list("block/dm-3/slaves"); }

  TemporaryDirectory directory;
  FakeTimeLoop loop;
  FakeKernel kernel;
  InlinePool pool{loop, kernel};
  std::unique_ptr<Journal> journal =
      Journal::open(directory / "journal.db", "host-1", loop.clock()).value();
  std::optional<Daemon> daemon;
};

TEST_F(AStraggler, IsAPathThatWasEvicted) {
  EXPECT_EQ(daemon->ends.front().state, JobState::degraded);
  EXPECT_EQ(daemon->stragglers.paths(), 1);
  EXPECT_THAT(journal->stragglers().value(), SizeIs(1));
}

TEST_F(AStraggler, IsFinishedAndReportedWhenItIsBack) {
  kernel.path("sdb").state = "running";
  loop.advance(1s);
  until_ended(2);

  EXPECT_EQ(daemon->ends.back().state, JobState::complete);
  EXPECT_EQ(daemon->origins.back(), Origin::straggler);
  EXPECT_THAT(members(), Contains("sdb"));
  EXPECT_EQ(kernel.path("sdb").size, 20_GiB);
  EXPECT_EQ(daemon->stragglers.paths(), 0);
  EXPECT_THAT(journal->stragglers().value(), IsEmpty());
  EXPECT_THAT(journal->outbox(10).value(), SizeIs(2));
}

TEST_F(AStraggler, IsFinishedAfterARestartToo) {
  start();
  ASSERT_TRUE(daemon->stragglers.resume(*journal));
  EXPECT_EQ(daemon->stragglers.paths(), 1);

  kernel.path("sdb").state = "running";
  loop.advance(1s);
  until_ended(1);

  EXPECT_THAT(members(), Contains("sdb"));
  EXPECT_EQ(daemon->stragglers.paths(), 0);
}

TEST_F(AStraggler, IsLookedAtAtOnceWhenTheKernelSaysSomething) {
  pass(30s);
  kernel.path("sdb").state = "running";

  daemon->stragglers.wake();
  loop.advance(1s);
  until_ended(2);

  EXPECT_EQ(daemon->ends.back().state, JobState::complete);
}

TEST_F(AStraggler, CostsNoWriteAndNoJobWhileItIsDead) {
  const auto changes = kernel.changes();

  pass(60s);

  EXPECT_EQ(kernel.changes(), changes);
  EXPECT_THAT(daemon->ends, SizeIs(1));
}

TEST_F(AStraggler, IsTriedEverMoreRarelyWhileMultipathdDoesNotTakeIt) {
  kernel.multipathd().ignores_commands = true;
  kernel.path("sdb").state = "running";

  pass(60s);

  EXPECT_GT(daemon->ends.size(), 2);
  EXPECT_LT(daemon->ends.size(), 9);
  EXPECT_EQ(daemon->stragglers.paths(), 1);
}

TEST_F(AStraggler, IsMeasuredAndReportedWhenSomebodyElseFinishedIt) {
  kernel.path("sdb").state = "running";
  kernel.path("sdb").size = 20_GiB;
  kernel.stack_on("dm-3", "sdb");

  pass(3s);

  EXPECT_EQ(daemon->stragglers.paths(), 0);
  EXPECT_THAT(journal->stragglers().value(), IsEmpty());
  ASSERT_THAT(daemon->ends, SizeIs(2));
  EXPECT_EQ(daemon->ends.back().state, JobState::unchanged);
}

TEST_F(AStraggler, IsForgottenWithItsVolume) {
  daemon->stragglers.forget("vol-1");
  pass(1s);

  EXPECT_EQ(daemon->stragglers.paths(), 0);
  EXPECT_THAT(journal->stragglers().value(), IsEmpty());
}

}  // namespace
}  // namespace volgrow::agent
