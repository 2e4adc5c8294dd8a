// SPDX-License-Identifier: Apache-2.0
// Gives steps to workers, in order, and takes them back at their deadlines. It is one state machine
// driven by three events (an answer, a notice from the zygote, the alarm); each event changes the
// state first and hands out results last, so that a callback may submit again.
//
// How it grows. A fork costs more than several quick steps, and a host has few cores; but steps
// that block (a rescan waits for a target) must not wait for each other. So a worker is added at
// once only when there is none, and otherwise when steps have been queued for `patience`: as many
// more as are busy if not one of them finished meanwhile (all are blocked), one more if some did
// but the queue will outlast `horizon` such spans at that pace. 1000 steps of microseconds are
// drained by a few workers, and 32 blocked ones are there after some 10 ms.
#include "agent/worker_pool.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "agent/step_words.h"
#include "agent/worker_protocol.h"

namespace volgrow::agent {
namespace {

constexpr Duration patience = std::chrono::milliseconds(2);
constexpr std::size_t horizon = 4;

/// In the order of submission; names a step for as long as it is the pool's.
using Ticket = std::uint64_t;

struct Task {
  Ticket ticket = 0;
  Step step;
  WorkerPool::OnResult on_result;
  TimePoint submitted;
};

struct Worker {
  enum class State : std::uint8_t {
    idle,
    busy,
    leaving,  ///< told to end, or ending by itself
    stuck,    ///< given up at a deadline; not gone
  };

  Task hand_back() {
    auto handed = std::move(*task);
    task.reset();
    return handed;
  }

  WorkerId id = 0;
  pid_t pid = -1;  ///< known when the zygote has told it
  State state = State::idle;
  TimePoint idle_since;
  std::optional<Task> task;
  Fd socket;
  EventLoop::Watch readable;  ///< none: nothing more is expected from it
};

struct Ending {
  WorkerPool::OnResult on_result;
  StepResult result;
};

class ProcessPool final : public WorkerPool {
 public:
  ProcessPool(EventLoop& loop, const Clock& clock, Zygote zygote, PoolLimits limits,
              Processors processors)
      : loop_(loop),
        clock_(clock),
        limits_(limits),
        processors_(std::move(processors)),
        zygote_(std::move(zygote)) {
    limits_.most = std::max<std::size_t>(limits_.most, 1);
  }
  Result<void> listen();

  void submit(Step step, OnResult on_result) override;
  std::size_t workers() const override { return workers_.size(); }
  std::size_t stuck() const override { return count(Worker::State::stuck); }
  void on_stuck_change(std::function<void()> callback) override {
    tell_stuck_ = std::move(callback);
  }
  void on_zygote_end(std::function<void(Error)> callback) override {
    tell_end_ = std::move(callback);
  }

 private:
  // Events.
  void on_answer(WorkerId id);
  void on_notices();
  void on_alarm();

  // A worker speaks, or is spoken of.
  void collect(Worker& worker);
  void finish(Worker& worker, std::string_view answer);
  void take(const ZygoteNotice& notice);
  void not_spawned(Worker& worker, int error_number);
  void exited(Worker& worker, int status);

  // A deadline passes.
  void collect_all();
  void expire(TimePoint now);
  void give_up(Worker& worker, TimePoint now);

  // What follows from any event.
  void settle();
  void drop_everything();
  void start_queued(TimePoint now);
  void start(Worker& worker, Task task);
  void begin(Task& task);
  void grow(TimePoint now);
  std::size_t wanted_more() const;
  bool processors_are_taken() const;
  Result<void> spawn(TimePoint now);
  void shrink(TimePoint now);
  void arm();
  std::optional<TimePoint> next_alarm() const;
  void hand_out();

  void request(ZygoteRequest request, const Fd& descriptor = Fd());
  void make_idle(Worker& worker, TimePoint now);
  void let_go(Worker& worker);
  void end(Task task, Error error);
  void end(Task task, StepResult result);
  std::size_t count(Worker::State state) const;
  std::size_t able() const { return count(Worker::State::idle) + count(Worker::State::busy); }
  bool room() const { return workers_.size() < limits_.most; }

  EventLoop& loop_;
  const Clock& clock_;
  PoolLimits limits_;
  Processors processors_;
  Zygote zygote_;
  EventLoop::Watch notices_;
  std::optional<Error> lost_;  ///< why there will be no workers any more
  bool told_lost_ = false;

  std::map<WorkerId, Worker> workers_;
  std::vector<Worker*> idle_;  ///< by idle_since; the last is taken first: its caches are warm
  WorkerId last_worker_ = 0;
  std::size_t told_stuck_ = 0;

  std::map<Ticket, Task> queue_;
  std::set<std::pair<TimePoint, Ticket>> deadlines_;  ///< of queued and running steps
  Ticket last_ticket_ = 0;
  std::vector<Ending> endings_;  ///< decided, not handed out

  std::optional<TimePoint> grow_at_;  ///< while steps are queued
  std::size_t finished_since_ = 0;    ///< in the span that ends at `grow_at_`

  // One timer for all: the earliest deadline, growing, shrinking. It may ring early, never late.
  EventLoop::Watch alarm_;
  std::optional<TimePoint> alarm_at_;
  Inbox inbox_;
  std::function<void()> tell_stuck_;
  std::function<void(Error)> tell_end_;
};

Result<void> ProcessPool::listen() {
  auto watch =
      loop_.on_ready(zygote_.socket().get(), EPOLLIN, [this](std::uint32_t) { on_notices(); });
  if (!watch) return std::unexpected(std::move(watch.error()).during("watch the worker zygote"));
  notices_ = std::move(*watch);
  return {};
}

void ProcessPool::submit(Step step, OnResult on_result) {
  const auto now = clock_.now();
  const auto ticket = ++last_ticket_;
  deadlines_.emplace(step.deadline.at, ticket);
  queue_.emplace(ticket, Task{ticket, std::move(step), std::move(on_result), now});
  start_queued(now);
  grow(now);
  arm();
}

void ProcessPool::on_answer(WorkerId id) {
  if (const auto worker = workers_.find(id); worker != workers_.end()) collect(worker->second);
  settle();
}

void ProcessPool::on_notices() {
  auto state = inbox_.receive(zygote_.socket().get(), MSG_DONTWAIT);
  for (; state == Inbox::State::message;
       state = inbox_.receive(zygote_.socket().get(), MSG_DONTWAIT)) {
    ZygoteNotice notice;
    if (inbox_.bytes().size() != sizeof notice) break;
    std::memcpy(&notice, inbox_.bytes().data(), sizeof notice);
    take(notice);
  }
  if (state != Inbox::State::nothing_yet && !lost_)
    lost_ = Error{ErrorCode::internal, "the worker zygote ended; restart volgrowd", {}, 0};
  settle();
}

void ProcessPool::on_alarm() {
  alarm_at_.reset();
  // The loop may have been busy elsewhere: what was answered in time is not late.
  collect_all();
  expire(clock_.now());
  settle();
}

void ProcessPool::collect(Worker& worker) {
  if (!worker.readable) return;
  switch (inbox_.receive(worker.socket.get(), MSG_DONTWAIT)) {
    case Inbox::State::nothing_yet:
      return;
    case Inbox::State::message:
      return finish(worker, inbox_.bytes());
    case Inbox::State::too_long:
      return finish(worker, {});
    case Inbox::State::closed:
      break;
  }
  // It is ending. How, the zygote will tell; a step it has waits for that, or for its deadline.
  worker.readable.reset();
  if (!worker.task) let_go(worker);
}

void ProcessPool::finish(Worker& worker, std::string_view answer) {
  auto result = decode_step_result(answer);
  if (worker.task && result && result->id == worker.task->step.id) {
    ++finished_since_;
    end(worker.hand_back(), std::move(*result));
    return make_idle(worker, clock_.now());
  }
  // A process that talks nonsense is not asked again.
  request({ZygoteRequest::Verb::kill, worker.id});
  auto task = std::exchange(worker.task, std::nullopt);
  let_go(worker);
  if (!task) return;
  auto error = worker_babbled(task->step, worker.pid, answer.size());
  end(std::move(*task), std::move(error));
}

void ProcessPool::take(const ZygoteNotice& notice) {
  const auto found = workers_.find(notice.worker);
  if (found == workers_.end()) return;
  auto& worker = found->second;
  switch (notice.event) {
    case ZygoteNotice::Event::spawned:
      worker.pid = notice.pid;
      return;
    case ZygoteNotice::Event::not_spawned:
      not_spawned(worker, notice.status);
      break;
    case ZygoteNotice::Event::exited:
      exited(worker, notice.status);
      break;
  }
  let_go(worker);
  workers_.erase(found);
}

void ProcessPool::not_spawned(Worker& worker, int error_number) {
  if (!worker.task) return;
  auto task = worker.hand_back();
  worker.state = Worker::State::leaving;
  if (able() > 0) {  // it never began: another worker may do it, from its old place in the queue
    queue_.emplace(task.ticket, std::move(task));
    return;
  }
  auto error = not_begun(task.step, system_failure(error_number, "fork a worker").error());
  end(std::move(task), std::move(error));
}

void ProcessPool::exited(Worker& worker, int status) {
  collect(worker);  // it may have answered just before
  if (!worker.task) return;
  auto task = worker.hand_back();
  auto error = worker_died(task.step, worker.pid, status);
  end(std::move(task), std::move(error));
}

void ProcessPool::collect_all() {
  for (auto& [id, worker] : workers_)
    if (worker.state == Worker::State::busy) collect(worker);
}

void ProcessPool::expire(TimePoint now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto ticket = deadlines_.begin()->second;
    if (auto queued = queue_.extract(ticket)) {
      auto& task = queued.mapped();
      auto error = never_begun(task.step, {workers(), stuck()}, now - task.submitted);
      end(std::move(task), std::move(error));
      continue;
    }
    const auto has_it = [ticket](const auto& entry) {
      return entry.second.task && entry.second.task->ticket == ticket;
    };
    give_up(std::ranges::find_if(workers_, has_it)->second, now);
  }
}

void ProcessPool::give_up(Worker& worker, TimePoint now) {
  auto task = worker.hand_back();
  request({ZygoteRequest::Verb::kill, worker.id});
  let_go(worker);
  worker.state = Worker::State::stuck;
  auto error = hung(task.step, worker.pid, now - task.submitted);
  end(std::move(task), std::move(error));
}

void ProcessPool::settle() {
  const auto now = clock_.now();
  if (lost_) drop_everything();
  start_queued(now);
  grow(now);
  shrink(now);
  hand_out();
}

void ProcessPool::drop_everything() {
  for (auto& [ticket, task] : std::exchange(queue_, {}))
    end(std::move(task), *lost_);
  for (auto& [id, worker] : workers_)
    if (worker.task) end(worker.hand_back(), *lost_);
  idle_.clear();
  workers_.clear();
  notices_.reset();
}

void ProcessPool::start_queued(TimePoint now) {
  while (!lost_ && !queue_.empty() && !idle_.empty()) {
    // Overdue, but the alarm has not rung yet: it will, and a worker must not die of that.
    if (queue_.begin()->second.step.deadline.passed(now)) return;
    auto& worker = *idle_.back();
    idle_.pop_back();
    start(worker, std::move(queue_.extract(queue_.begin()).mapped()));
  }
}

void ProcessPool::start(Worker& worker, Task task) {
  begin(task);
  const auto bytes = encode(task.step);
  const auto sent = bytes.size() > message_limit
                        ? system_failure(EMSGSIZE, "send a step")
                        : send_message(worker.socket.get(), bytes, MSG_DONTWAIT);
  if (sent) {
    worker.state = Worker::State::busy;
    worker.task = std::move(task);
  } else if (sent.error().error_number == EMSGSIZE) {
    auto error = not_begun(task.step, sent.error());
    end(std::move(task), std::move(error));
    make_idle(worker, clock_.now());
  } else {  // it ended while idle; the step keeps its place
    queue_.emplace(task.ticket, std::move(task));
    let_go(worker);
  }
}

void ProcessPool::begin(Task& task) {
  deadlines_.erase({task.step.deadline.at, task.ticket});
  task.step.begin(clock_.now());
  deadlines_.emplace(task.step.deadline.at, task.ticket);
}

void ProcessPool::grow(TimePoint now) {
  if (lost_ || queue_.empty()) return grow_at_.reset();
  const bool none = able() == 0;
  const bool due = grow_at_ && *grow_at_ <= now;
  auto more = none ? 1 : due ? wanted_more() : 0;
  if (none || due || !grow_at_) {
    grow_at_ = now + patience;
    finished_since_ = 0;
  }
  for (; more > 0 && room() && !queue_.empty(); --more) {
    const auto spawned = spawn(now);
    if (spawned) continue;
    if (able() > 0) return;
    for (auto& [ticket, task] : std::exchange(queue_, {})) {
      auto error = not_begun(task.step, spawned.error());
      end(std::move(task), std::move(error));
    }
  }
}

std::size_t ProcessPool::wanted_more() const {
  if (!room() || processors_are_taken()) return 0;
  if (finished_since_ == 0) return count(Worker::State::busy);
  return queue_.size() > horizon * finished_since_ ? 1 : 0;
}

/// One that is not there yet is being forked, which is to compute.
bool ProcessPool::processors_are_taken() const {
  std::size_t computing = 0;
  for (const auto& [id, worker] : workers_) {
    if (worker.state != Worker::State::busy) continue;
    if (worker.pid == -1 || processors_.computes(worker.pid)) ++computing;
    if (computing >= processors_.count) return true;
  }
  return false;
}

Result<void> ProcessPool::spawn(TimePoint now) {
  auto sockets = message_socket_pair();
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  const auto id = ++last_worker_;
  auto watch =
      loop_.on_ready(sockets->first.get(), EPOLLIN, [this, id](std::uint32_t) { on_answer(id); });
  if (!watch) return std::unexpected(std::move(watch.error()));
  request({ZygoteRequest::Verb::spawn, id}, sockets->second);
  auto& worker = workers_[id];
  worker.id = id;
  worker.socket = std::move(sockets->first);
  worker.readable = std::move(*watch);
  make_idle(worker, now);
  start_queued(now);  // the step waits in the socket until the worker is there
  return {};
}

void ProcessPool::shrink(TimePoint now) {
  while (idle_.size() > limits_.kept && idle_.front()->idle_since + limits_.idle_time <= now)
    let_go(*idle_.front());
}

void ProcessPool::arm() {
  const auto wanted = next_alarm();
  if (!wanted) {
    alarm_.reset();
    alarm_at_.reset();
    return;
  }
  if (alarm_at_ && *alarm_at_ <= *wanted) return;
  auto alarm = loop_.at(*wanted, [this] { on_alarm(); });
  if (!alarm) {
    // Without a timer no deadline could be kept.
    lost_ = std::move(alarm.error());
    return;
  }
  alarm_ = std::move(*alarm);
  alarm_at_ = wanted;
}

std::optional<TimePoint> ProcessPool::next_alarm() const {
  // A result or the loss of the zygote that was found outside the loop's callbacks: at once.
  if (!endings_.empty() || (lost_ && (!queue_.empty() || !told_lost_))) return TimePoint::min();
  std::optional<TimePoint> next;
  const auto consider = [&next](TimePoint when) { next = next ? std::min(*next, when) : when; };
  if (!deadlines_.empty()) consider(deadlines_.begin()->first);
  if (grow_at_ && room()) consider(*grow_at_);
  if (idle_.size() > limits_.kept) consider(idle_.front()->idle_since + limits_.idle_time);
  return next;
}

void ProcessPool::hand_out() {
  // From copies: a callback may submit, and may even destroy the pool.
  auto endings = std::exchange(endings_, {});
  const auto stuck_now = stuck();
  const auto tell_stuck =
      std::exchange(told_stuck_, stuck_now) != stuck_now ? tell_stuck_ : nullptr;
  const auto tell_end = lost_ && !std::exchange(told_lost_, true) ? tell_end_ : nullptr;
  const auto lost = lost_;
  arm();
  for (auto& ending : endings)
    ending.on_result(std::move(ending.result));
  if (tell_stuck) tell_stuck();
  if (tell_end) tell_end(*lost);
}

void ProcessPool::request(ZygoteRequest request, const Fd& descriptor) {
  iovec bytes{&request, sizeof request};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (descriptor) {
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = descriptor.get();
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  // A zygote that left hundreds of requests unread (EAGAIN) is as lost as one that is gone. The
  // consequences follow in settle(): callers are in the middle of something.
  if (::sendmsg(zygote_.socket().get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && !lost_)
    lost_ = Error{ErrorCode::internal, "the worker zygote ended; restart volgrowd", {}, errno};
}

void ProcessPool::make_idle(Worker& worker, TimePoint now) {
  worker.state = Worker::State::idle;
  worker.idle_since = now;
  idle_.push_back(&worker);
}

/// Nothing more is expected from it. A worker that can still notice ends by itself: its socket is
/// closed. It counts until the zygote has reported its end.
void ProcessPool::let_go(Worker& worker) {
  std::erase(idle_, &worker);
  worker.state = Worker::State::leaving;
  worker.readable.reset();
  worker.socket = Fd();
}

void ProcessPool::end(Task task, Error error) {
  const auto took = clock_.now() - task.submitted;
  const auto id = task.step.id;
  end(std::move(task), StepResult{id, std::unexpected(std::move(error)), took});
}

void ProcessPool::end(Task task, StepResult result) {
  deadlines_.erase({task.step.deadline.at, task.ticket});
  endings_.push_back({std::move(task.on_result), std::move(result)});
}

std::size_t ProcessPool::count(Worker::State state) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      workers_, [state](const auto& entry) { return entry.second.state == state; }));
}

}  // namespace

Result<std::unique_ptr<WorkerPool>> WorkerPool::create(EventLoop& loop, const Clock& clock,
                                                       Zygote zygote, PoolLimits limits,
                                                       Processors processors) {
  auto pool =
      std::make_unique<ProcessPool>(loop, clock, std::move(zygote), limits, std::move(processors));
  if (auto listening = pool->listen(); !listening) return std::unexpected(listening.error());
  return pool;
}

}  // namespace volgrow::agent
