// SPDX-License-Identifier: Apache-2.0
// Who gets which job: over a fake kernel, a pool whose answers the test holds back, and a real
// journal.
#include "agent/job_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "connectors/all.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::agent {
namespace {

/// Performs a step when it is submitted and answers when the test lets it.
class HeldPool final : public WorkerPool {
 public:
  explicit HeldPool(FakeKernel& kernel) : kernel_(kernel) {}

  void submit(Step step, OnResult on_result) override {
    held_.emplace_back(perform(step, connectors_, kernel_), std::move(on_result));
  }
  std::size_t workers() const override { return held_.size(); }
  std::size_t stuck() const override { return 0; }
  void on_stuck_change(std::function<void()>) override {}
  void on_zygote_end(std::function<void(Error)>) override {}

  std::size_t held() const { return held_.size(); }
  void let_answer() {
    for (auto& [result, on_result] : std::exchange(held_, {}))
      on_result(std::move(result));
  }

 private:
  FakeKernel& kernel_;
  Connectors connectors_ = all_connectors({});
  std::vector<std::pair<StepResult, OnResult>> held_;
};

class Ends final : public JobEvents {
 public:
  void job_accepted(const JobRecord&, const JobView&) override {}
  void job_progressed(const JobView& view) override { phase = view.phase; }
  void job_ending(const JobRecord&, JobResult&, Journal&) override {}
  void job_ended(const JobRecord&, const JobView&, const JobResult& result) override {
    all.push_back(result);
  }
  void job_forgotten(JobId) override {}

  std::string phase;
  std::vector<JobResult> all;
};

class AJobBook : public testing::Test {
 protected:
  AJobBook() {
    kernel.add_loop("loop0", "/images/vol", 10_GiB);
    kernel.file("/images/vol").size = 20_GiB;
  }

  JobId accept() {
    JobRecord record;
    record.request.subject = *parse_subject("/dev/loop0");
    record.request.volume_id = "vol-1";
    record.deadline = loop.clock().wall() + std::chrono::seconds(30);
    record.started_at = loop.clock().wall();
    std::optional<JobId> accepted;
    book.accept(record, [&](const Result<JobId>& id) { accepted = id.value(); });
    loop.run_until([&] { return accepted.has_value(); }).value();
    return *accepted;
  }
  /// Lets steps be answered until the phase's own are held.
  void run_to(Phase phase) {
    loop.run_until([&] {
          while (pool.held() > 0 && events.phase != name_of(phase))
            pool.let_answer();
          return pool.held() > 0;
        })
        .value();
  }
  void run_to_end_of(std::size_t jobs) {
    loop.run_until([&] {
          while (pool.held() > 0)
            pool.let_answer();
          return events.all.size() == jobs;
        })
        .value();
  }

  TemporaryDirectory directory;
  FakeTimeLoop loop;
  FakeKernel kernel;
  HeldPool pool{kernel};
  std::unique_ptr<Journal> journal =
      Journal::open(directory / "journal.db", "host-1", loop.clock()).value();
  Config config;
  std::ostringstream said;
  std::unique_ptr<Log> log = stream_log(said, LogLevel::debug);
  Ends events;
  Commits commits{loop, loop.clock(), *journal};
  Runner runner{loop, loop.clock(), pool, directory.path()};
  JobBook book{{loop, loop.clock(), commits, runner, config, *log}, events};
};

TEST_F(AJobBook, JoinsARequestToTheJobThatStillLooks) {
  const auto first = accept();
  run_to(Phase::probing);

  EXPECT_EQ(accept(), first);
}

TEST_F(AJobBook, LosesNoGrowthAnnouncedAfterTheLastLook) {
  const auto first = accept();
  run_to(Phase::verifying);
  kernel.file("/images/vol").size = 30_GiB;

  EXPECT_NE(accept(), first);

  run_to_end_of(2);
  EXPECT_EQ(events.all.front().size, 20_GiB);
  EXPECT_EQ(events.all.back().size, 30_GiB);
}

}  // namespace
}  // namespace volgrow::agent
