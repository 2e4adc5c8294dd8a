// SPDX-License-Identifier: Apache-2.0
// A thread a task, because tasks are few and long; its result goes into an inbox that outlives
// whoever still writes to it.
#include "backend/lanes.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "core/fd.h"
#include "core/units.h"

namespace volgrow::backend {

/// Filled by threads, emptied by the loop.
class Lanes::Inbox {
 public:
  using Entry = std::pair<std::uint64_t, Result<Outcome>>;

  explicit Inbox(Fd bell) : bell_(std::move(bell)) {}

  int bell() const { return bell_.get(); }
  void put(std::uint64_t number, Result<Outcome> outcome) {
    const std::scoped_lock lock(mutex_);
    entries_.emplace_back(number, std::move(outcome));
    ::eventfd_write(bell_.get(), 1);
  }
  std::vector<Entry> take() {
    const std::scoped_lock lock(mutex_);
    eventfd_t rings = 0;
    ::eventfd_read(bell_.get(), &rings);
    return std::exchange(entries_, {});
  }

 private:
  Fd bell_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

namespace {

/// Nothing of ours throws on purpose; memory may run out, and must not end the program.
Result<Outcome> without_exceptions(const Lanes::Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return failure(ErrorCode::internal, fmt::format("the work threw: {}", error.what()));
  }
}

Error not_back(const std::string& what) {
  return Error{ErrorCode::timed_out,
               fmt::format("{}: the storage did not answer in time; it may still be done: ask for "
                           "the size",
                           what),
               {},
               0};
}

}  // namespace

Lanes::Lanes(EventLoop& loop, const Clock& clock, std::size_t most, EventLoop::Callback on_change)
    : loop_(loop), clock_(clock), most_(most), on_change_(std::move(on_change)) {}

Result<std::unique_ptr<Lanes>> Lanes::create(EventLoop& loop, const Clock& clock, std::size_t most,
                                             EventLoop::Callback on_change) {
  Fd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) return system_failure(errno, "make an eventfd");
  std::unique_ptr<Lanes> lanes(new Lanes(loop, clock, most, std::move(on_change)));
  lanes->inbox_ = std::make_shared<Inbox>(std::move(bell));
  auto watch = loop.on_ready(lanes->inbox_->bell(), EPOLLIN,
                             [self = lanes.get()](std::uint32_t) { self->on_results(); });
  if (!watch) return std::unexpected(std::move(watch.error()));
  lanes->results_ = std::move(*watch);
  return lanes;
}

Lanes::~Lanes() {
  for (auto& task : tasks_)
    if (task.thread) task.thread->detach();  // it may sleep in the kernel for ever
}

void Lanes::submit(std::string volume, std::string what, Work work, Deadline deadline, Then then) {
  const auto number = ++last_number_;
  tasks_.push_back(Task{number,
                        std::move(volume),
                        std::move(what),
                        std::move(work),
                        std::move(then),
                        clock_.now(),
                        {},
                        {}});
  auto alarm = loop_.at(deadline.at, [this, number] { on_deadline(number); });
  if (alarm) tasks_.back().alarm = std::move(*alarm);
  start_what_can();
}

void Lanes::start_what_can() {
  for (auto& task : tasks_)
    if (may_start(task)) start(task);
}

bool Lanes::may_start(const Task& task) const {
  const auto holds = [&](const Task& other) { return other.thread && other.volume == task.volume; };
  return !task.thread && at_work_ < most_ && std::ranges::none_of(tasks_, holds);
}

/// Where the system gives no thread, the task waits for the next occasion, or its deadline.
void Lanes::start(Task& task) {
  try {
    task.thread.emplace([number = task.number, work = task.work, inbox = inbox_] {
      inbox->put(number, without_exceptions(work));
    });
    ++at_work_;
  } catch (const std::system_error&) {
    task.thread.reset();
  }
}

void Lanes::on_results() {
  for (auto& [number, outcome] : inbox_->take())
    finish(number, std::move(outcome));
}

void Lanes::finish(std::uint64_t number, Result<Outcome> outcome) {
  const auto task = std::ranges::find(tasks_, number, &Task::number);
  auto then = std::move(task->then);
  tasks_.erase(task);  // joins the thread, which has nothing more to do
  --at_work_;
  if (!then) --stuck_;
  start_what_can();
  if (then) return then(std::move(outcome));
  on_change_();
}

void Lanes::on_deadline(std::uint64_t number) {
  const auto task = std::ranges::find(tasks_, number, &Task::number);
  auto then = std::exchange(task->then, {});
  if (!task->thread) {
    auto error = kept_waiting(*task);
    tasks_.erase(task);
    return then(std::unexpected(std::move(error)));
  }
  task->alarm.reset();
  ++stuck_;
  then(std::unexpected(not_back(task->what)));
  on_change_();
}

Error Lanes::kept_waiting(const Task& task) const {
  const auto ahead = std::ranges::find_if(
      tasks_, [&](const Task& other) { return other.thread && other.volume == task.volume; });
  if (ahead != tasks_.end())
    return Error{ErrorCode::busy,
                 fmt::format("{}: the volume is still busy with {}, since {}", task.what,
                             ahead->what, human_duration(clock_.now() - ahead->since)),
                 {},
                 0};
  return Error{ErrorCode::busy,
               fmt::format("{}: the back end is busy with {} other calls, of which {} do not come "
                           "back",
                           task.what, at_work_, stuck_),
               {},
               0};
}

}  // namespace volgrow::backend
