// SPDX-License-Identifier: Apache-2.0
// The pool with real worker processes and a clock the test moves. What a step does is told by the
// device it names; workers and test wait for each other at gates, never for time.
#include "agent/worker_pool.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/gate.h"

namespace volgrow::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int worker_socket = 3;
constexpr auto limit = 3s;

StepResult says(const Step& step, std::string text) {
  return {step.id, failure(ErrorCode::busy, std::move(text)), {}};
}

/// What a worker of these tests does with a step, by the device it names.
struct Script {
  Gate& begun;
  Gate& finish;

  StepResult operator()(const Step& step) const {
    const auto& device = std::get<ProbeStep>(step.action).layer.device;
    if (device == "hang") return hang(step);
    if (device == "answer-then-hang") return answer_then_hang(step);
    if (device == "crash") ::raise(SIGKILL);
    if (device == "exit") ::_exit(7);
    if (device == "other-id") return says(Step{step.id + 1, step.action, step.deadline}, "");
    if (device == "garbage") ::send(worker_socket, "rubbish", 7, 0);
    return says(step, std::to_string(::getpid()));
  }
  StepResult hang(const Step& step) const {
    begun.open();
    finish.pass();
    return says(step, std::to_string(::getpid()));
  }
  StepResult answer_then_hang(const Step& step) const {
    const auto bytes = encode(says(step, "in time"));
    ::send(worker_socket, bytes.data(), bytes.size(), 0);
    return hang(step);
  }
};

class AWorkerPool : public ::testing::Test {
 protected:
  void start(PoolLimits limits = {}, std::size_t processors = 64) {
    auto zygote = Zygote::start([this] { return Script{begun, finish}; });
    zygote_pid = zygote->pid();
    pool = WorkerPool::create(loop, loop.clock(), std::move(*zygote), limits,
                              {processors, [this](pid_t) { return computing; }})
               .value();
  }
  Step step(std::string device, Duration within_limit = limit) {
    Layer layer;
    layer.device = std::move(device);
    return {++last_id, ProbeStep{std::move(layer)}, within(within_limit, loop.clock().now())};
  }
  void submit(const std::string& device, Duration within_limit = limit) {
    pool->submit(step(device, within_limit),
                 [this](StepResult result) { results.push_back(std::move(result)); });
  }
  void await_results(std::size_t count) {
    ASSERT_TRUE(loop.run_until([&] { return results.size() >= count; }));
  }
  void await_workers(std::size_t count) {
    ASSERT_TRUE(loop.run_until([&] { return pool->workers() == count; }));
  }
  /// What the pool does with nothing but what already happened.
  void turn() {
    const auto idle = loop.when_idle([this] { loop.exit(0); });
    ASSERT_TRUE(loop.run());
  }
  const Error& error(std::size_t index) const { return results.at(index).answer.error(); }
  std::string text(std::size_t index) const { return error(index).message; }
  std::vector<ErrorCode> codes() const {
    std::vector<ErrorCode> all;
    for (const auto& result : results)
      all.push_back(result.answer.error().code);
    return all;
  }

  Gate begun;
  Gate finish;
  FakeTimeLoop loop;
  std::unique_ptr<WorkerPool> pool;
  bool computing = false;  ///< whether busy workers run; else they sleep in the kernel
  pid_t zygote_pid = -1;
  std::uint32_t last_id = 0;
  std::vector<StepResult> results;
};

TEST_F(AWorkerPool, HasNoWorkerBeforeTheFirstStep) {
  start();

  EXPECT_EQ(pool->workers(), 0U);
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(AWorkerPool, ReturnsTheAnswerOfAnotherProcess) {
  start();

  submit("sda");
  EXPECT_THAT(results, SizeIs(0));  // only ever from the loop
  await_results(1);

  EXPECT_EQ(results[0].id, 1U);
  EXPECT_NE(text(0), std::to_string(::getpid()));
}

TEST_F(AWorkerPool, ReusesItsIdleWorker) {
  start();

  for (std::size_t i = 1; i <= 3; ++i) {
    submit("sda");
    await_results(i);
  }

  EXPECT_EQ(text(0), text(1));
  EXPECT_EQ(text(1), text(2));
  EXPECT_EQ(pool->workers(), 1U);
}

TEST_F(AWorkerPool, StartsStepsInTheOrderTheyWereGiven) {
  start({.most = 1});

  for (int i = 0; i < 20; ++i)
    submit("sda");
  await_results(20);

  for (std::uint32_t i = 0; i < 20; ++i)
    EXPECT_EQ(results[i].id, i + 1);
}

TEST_F(AWorkerPool, DrainsAThousandQuickStepsWithoutForkingMore) {
  start();

  for (int i = 0; i < 1000; ++i)
    submit("sda");
  await_results(1000);

  std::set<std::uint32_t> ids;
  for (const auto& result : results)
    ids.insert(result.id);
  EXPECT_THAT(ids, SizeIs(1000));  // each exactly once
  EXPECT_EQ(pool->workers(), 1U);  // no time passed, so nobody waited long enough
}

TEST_F(AWorkerPool, DoublesItsWorkersWhileAllOfThemAreBlocked) {
  start();
  for (int i = 0; i < 8; ++i)
    submit("hang");
  std::vector<std::size_t> sizes;

  for (std::size_t workers = 1; workers <= 8; workers *= 2) {
    for (auto newly = (workers + 1) / 2; newly > 0; --newly)
      begun.pass();  // all at work at the same time
    sizes.push_back(pool->workers());
    loop.advance(2ms);
    turn();
  }

  EXPECT_THAT(sizes, ElementsAre(1, 2, 4, 8));
}

TEST_F(AWorkerPool, HasNoMoreWorkersThanProcessorsWhileTheyCompute) {
  computing = true;
  start({}, 2);
  for (int i = 0; i < 8; ++i)
    submit("hang");
  const auto time_passes = [this] {
    for (int i = 0; i < 5; ++i) {
      loop.advance(2ms);
      turn();
    }
  };

  time_passes();
  EXPECT_EQ(pool->workers(), 2U);

  computing = false;  // they have asked their targets
  while (pool->workers() == 2)
    time_passes();
}

TEST_F(AWorkerPool, NeverHasMoreWorkersThanItsLimit) {
  start({.most = 3});
  for (int i = 0; i < 10; ++i)
    submit("hang");

  for (int i = 0; i < 6; ++i) {
    loop.advance(2ms);
    turn();
  }

  EXPECT_EQ(pool->workers(), 3U);
}

TEST_F(AWorkerPool, LetsSurplusWorkersEndAfterTheirIdleTime) {
  start({.most = 4, .kept = 1, .idle_time = 10s});
  for (int i = 0; i < 2; ++i)
    submit("hang", 60s);
  loop.advance(2ms);
  turn();
  ASSERT_EQ(pool->workers(), 2U);
  for (int i = 0; i < 2; ++i)
    finish.open();
  await_results(2);

  loop.advance(9s);
  turn();
  EXPECT_EQ(pool->workers(), 2U);
  loop.advance(1s);
  await_workers(1);

  EXPECT_EQ(loop.timers(), 0U);  // an idle daemon is woken by nothing
}

TEST_F(AWorkerPool, GivesAStepToTheWorkerThatWorkedLast) {
  start();
  for (int i = 0; i < 2; ++i)
    submit("hang");
  loop.advance(2ms);
  turn();
  for (int i = 0; i < 2; ++i)
    finish.open();
  await_results(2);

  submit("sda");
  await_results(3);

  EXPECT_EQ(text(2), text(1));
}

TEST_F(AWorkerPool, EndsAHungStepAsPathHungAtItsDeadline) {
  start();
  submit("hang");
  begun.pass();
  turn();

  loop.advance(limit - 1us);
  turn();
  EXPECT_THAT(results, SizeIs(0));
  loop.advance(1us);
  await_results(1);

  EXPECT_EQ(results[0].id, 1U);
  EXPECT_EQ(results[0].took, Duration(limit));
  EXPECT_EQ(error(0).code, ErrorCode::path_hung);
  EXPECT_EQ(error(0).device, "hang");
  EXPECT_THAT(text(0),
              AllOf(HasSubstr("the probe of hang"), HasSubstr("3 s"), HasSubstr("Check the path")));
}

TEST_F(AWorkerPool, CountsAGivenUpWorkerAsStuckUntilItIsGone) {
  start();
  std::vector<std::size_t> stuck;
  pool->on_stuck_change([&] { stuck.push_back(pool->stuck()); });
  std::size_t workers_meanwhile = 0;
  pool->submit(step("hang"), [&](StepResult) { workers_meanwhile = pool->workers(); });
  begun.pass();

  loop.advance(limit);
  ASSERT_TRUE(loop.run_until([&] { return stuck.size() == 2; }));

  EXPECT_THAT(stuck, ElementsAre(1, 0));
  EXPECT_EQ(workers_meanwhile, 1U);
  EXPECT_EQ(pool->workers(), 0U);
}

TEST_F(AWorkerPool, ReplacesAGivenUpWorkerWhenItIsGone) {
  start({.most = 1});  // so that the second step can only be a replacement's
  submit("hang");
  begun.pass();
  submit("sda", 60s);

  loop.advance(limit);
  await_results(2);

  EXPECT_THAT(codes(), ElementsAre(ErrorCode::path_hung, ErrorCode::busy));
}

TEST_F(AWorkerPool, EndsAStepThatNeverBeganAtItsDeadline) {
  start({.most = 1});
  submit("hang", 60s);
  begun.pass();
  submit("sda");

  loop.advance(limit);
  await_results(1);

  EXPECT_EQ(results[0].id, 2U);
  EXPECT_EQ(error(0).code, ErrorCode::timed_out);
  EXPECT_THAT(text(0), AllOf(HasSubstr("not begun"), HasSubstr("none of 1 workers was free")));
  EXPECT_EQ(pool->stuck(), 0U);  // the one at work has time left
}

TEST_F(AWorkerPool, GivesAStepItsWholeLimitHoweverLongItWaitedForAWorker) {
  start({.most = 1});
  submit("hang", 60s);
  begun.pass();
  auto patient = step("hang", 60s);
  patient.limit = 2s;
  pool->submit(std::move(patient), [this](StepResult result) { results.push_back(result); });

  loop.advance(10s);  // longer than its limit, and nobody was free
  turn();
  EXPECT_THAT(results, SizeIs(0));
  finish.open();
  await_results(1);
  begun.pass();
  turn();  // an alarm that is due would ring
  EXPECT_THAT(results, SizeIs(1));
  finish.open();
  await_results(2);

  EXPECT_THAT(codes(), ElementsAre(ErrorCode::busy, ErrorCode::busy));
}

TEST_F(AWorkerPool, EndsAStepAtItsLimitOnceItHasBegun) {
  start();
  auto hung = step("hang", 60s);
  hung.limit = 2s;
  pool->submit(std::move(hung), [this](StepResult result) { results.push_back(result); });
  begun.pass();

  loop.advance(2s);
  await_results(1);

  EXPECT_THAT(codes(), ElementsAre(ErrorCode::path_hung));
}

TEST_F(AWorkerPool, DoesNotBeginAStepWhoseDeadlineHasPassed) {
  start();

  submit("hang", 0s);
  EXPECT_THAT(results, SizeIs(0));
  await_results(1);

  EXPECT_EQ(error(0).code, ErrorCode::timed_out);
  EXPECT_THAT(text(0), HasSubstr("not begun"));
}

TEST_F(AWorkerPool, TakesAnAnswerGivenInTimeAlthoughTheLoopIsLate) {
  start();
  submit("answer-then-hang");
  begun.pass();  // the answer is in the socket now

  loop.advance(limit);
  await_results(1);

  EXPECT_EQ(text(0), "in time");
}

TEST_F(AWorkerPool, KeepsOneTimerForAllDeadlines) {
  start({.most = 1});

  for (int i = 0; i < 100; ++i)
    submit("hang");

  EXPECT_EQ(loop.timers(), 1U);
}

TEST_F(AWorkerPool, SetsNoTimerWhenItsWorkIsDone) {
  start();
  submit("sda");
  await_results(1);

  EXPECT_EQ(loop.timers(), 0U);
  EXPECT_EQ(pool->workers(), 1U);
}

TEST_F(AWorkerPool, SaysWhichSignalKilledAWorker) {
  start();
  submit("crash");
  await_results(1);

  EXPECT_EQ(error(0).code, ErrorCode::internal);
  EXPECT_EQ(error(0).device, "crash");
  EXPECT_THAT(text(0), AllOf(HasSubstr("its worker (process "),
                             HasSubstr(") was killed by signal 9 (Killed)")));
}

TEST_F(AWorkerPool, SaysWithWhichStatusAWorkerExited) {
  start();
  submit("exit");
  await_results(1);

  EXPECT_EQ(error(0).code, ErrorCode::internal);
  EXPECT_THAT(text(0), HasSubstr("exited with status 7"));
}

TEST_F(AWorkerPool, GoesOnAfterItsWorkersDied) {
  start({.most = 2});
  for (int i = 0; i < 5; ++i)
    submit(i % 2 == 0 ? "crash" : "sda");
  await_results(5);
  turn();

  std::map<std::uint32_t, ErrorCode> by_step;
  for (const auto& result : results)
    by_step[result.id] = result.answer.error().code;
  EXPECT_EQ(by_step, (std::map<std::uint32_t, ErrorCode>{{1, ErrorCode::internal},
                                                         {2, ErrorCode::busy},
                                                         {3, ErrorCode::internal},
                                                         {4, ErrorCode::busy},
                                                         {5, ErrorCode::internal}}));
  EXPECT_THAT(results, SizeIs(5));
}

TEST_F(AWorkerPool, BelievesNoWorkerThatAnswersGarbage) {
  start();
  submit("garbage");
  await_results(1);
  await_workers(0);

  EXPECT_EQ(error(0).code, ErrorCode::internal);
  EXPECT_THAT(text(0), HasSubstr("no result"));
}

TEST_F(AWorkerPool, BelievesNoAnswerToAnotherStep) {
  start();
  submit("other-id");
  await_results(1);
  await_workers(0);

  EXPECT_EQ(results[0].id, 1U);
  EXPECT_EQ(error(0).code, ErrorCode::internal);
}

TEST_F(AWorkerPool, RefusesAStepTooLongForAMessage) {
  start();
  submit(std::string(std::size_t{600} << 10, 'x'));
  submit("sda");
  await_results(2);

  EXPECT_EQ(error(0).error_number, EMSGSIZE);
  EXPECT_EQ(error(1).code, ErrorCode::busy);  // its worker is as good as before
}

TEST_F(AWorkerPool, EndsEveryStepWhenTheZygoteIsGone) {
  start({.most = 1});
  std::vector<Error> told;
  pool->on_zygote_end([&](Error why) { told.push_back(std::move(why)); });
  for (int i = 0; i < 3; ++i)
    submit("hang");
  begun.pass();

  ::kill(zygote_pid, SIGKILL);
  ASSERT_TRUE(loop.run_until([&] { return !told.empty(); }));
  submit("sda");
  await_results(4);

  EXPECT_THAT(codes(), Each(ErrorCode::internal));
  EXPECT_THAT(text(3), HasSubstr("the worker zygote ended"));
  EXPECT_THAT(told, SizeIs(1));
  EXPECT_THAT(results, SizeIs(4));
}

TEST_F(AWorkerPool, TakesStepsFromInsideACallback) {
  start();
  pool->submit(step("sda"), [this](StepResult result) {
    results.push_back(std::move(result));
    submit("sda");
  });

  await_results(2);

  EXPECT_EQ(results[1].id, 2U);
}

TEST_F(AWorkerPool, MayBeDestroyedFromInsideACallback) {
  start();
  bool gone = false;
  pool->submit(step("sda"), [&](StepResult) {
    pool.reset();
    gone = true;
  });

  ASSERT_TRUE(loop.run_until([&] { return gone; }));

  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(AWorkerPool, LeavesNoProcessBehind) {
  start();
  submit("sda");
  await_results(1);
  submit("hang");
  begun.pass();
  const auto worker = static_cast<pid_t>(std::stoi(text(0)));
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, worker, 0)));

  pool.reset();

  pollfd gone{process.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&gone, 1, -1), 1);
  EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace volgrow::agent
