// SPDX-License-Identifier: Apache-2.0
// The scripted agent and the server's thread.
#include "tests/dbus/serving.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>

#include "core/fd.h"

namespace volgrow::bus {

void ScriptedAgent::note(const Caller& from, std::string call) {
  caller = from;
  calls.push_back(std::move(call));
}

template <class T>
void ScriptedAgent::answer(Reply<T>& reply, Result<T> result) {
  before_answer();
  if (silent) return;
  if (error) result = std::unexpected(*error);
  reply(std::move(result));
}

void ScriptedAgent::volume_changed(const Caller& from, std::string volume_id, Bytes expected,
                                   RequestOptions with, Reply<JobId> reply) {
  note(from, fmt::format("volume_changed {} {}", volume_id, expected.count()));
  options = std::move(with);
  if (hold_changes) return changes.push_back(std::move(reply));
  answer<JobId>(reply, job);
}

void ScriptedAgent::extend(const Caller& from, std::string subject, Bytes expected,
                           RequestOptions with, Reply<JobId> reply) {
  note(from, fmt::format("extend {} {}", subject, expected.count()));
  options = std::move(with);
  answer<JobId>(reply, job);
}

void ScriptedAgent::plan(const Caller& from, std::string subject, Bytes expected,
                         RequestOptions with, Reply<std::string> reply) {
  note(from, fmt::format("plan {} {}", subject, expected.count()));
  options = std::move(with);
  answer<std::string>(reply, json);
}

void ScriptedAgent::explain(const Caller& from, std::string subject, RequestOptions with,
                            Reply<std::string> reply) {
  note(from, fmt::format("explain {}", subject));
  options = std::move(with);
  answer<std::string>(reply, json);
}

void ScriptedAgent::rescan(const Caller& from, std::vector<std::string> targets,
                           RequestOptions with, Reply<std::vector<JobId>> reply) {
  note(from, fmt::format("rescan {}", fmt::join(targets, " ")));
  options = std::move(with);
  answer<std::vector<JobId>>(reply, jobs);
}

void ScriptedAgent::register_volume(const Caller& from, std::string volume_id,
                                    std::string connection_info, RequestOptions with,
                                    Reply<std::string> reply) {
  note(from, fmt::format("register {} {}", volume_id, connection_info));
  options = std::move(with);
  answer<std::string>(reply, volume_id);
}

void ScriptedAgent::unregister_volume(const Caller& from, std::string volume_id,
                                      RequestOptions with, Reply<void> reply) {
  note(from, fmt::format("unregister {}", volume_id));
  options = std::move(with);
  answer<void>(reply, {});
}

void ScriptedAgent::wait(const Caller& from, JobId id, Duration timeout, Reply<JobEnd> reply) {
  note(from, fmt::format("wait {} {}us", id, timeout.count()));
  if (hold_waits) return waits.push_back(std::move(reply));
  answer<JobEnd>(reply, end);
}

void ScriptedAgent::cancel(const Caller& from, JobId id, Reply<void> reply) {
  note(from, fmt::format("cancel {}", id));
  answer<void>(reply, {});
}

void ScriptedAgent::list_outbox(const Caller& from, std::uint32_t max,
                                Reply<std::vector<OutboxEntry>> reply) {
  note(from, fmt::format("list_outbox {}", max));
  answer<std::vector<OutboxEntry>>(reply, outbox);
}

void ScriptedAgent::acknowledge(const Caller& from, std::vector<std::uint64_t> sequences,
                                Reply<void> reply) {
  note(from, fmt::format("acknowledge {}", fmt::join(sequences, " ")));
  answer<void>(reply, {});
}

void ScriptedAgent::caller_left(const std::string& name) {
  gone.push_back(name);
}

/// What the test's thread hands to the server's.
struct Serving::Inbox {
  using Work = std::function<bool(Server&, ScriptedAgent&)>;  ///< true: done

  std::mutex mutex;
  std::condition_variable changed;
  bool serving = false;
  bool asked_to_stop = false;
  std::string failure;
  std::deque<Work> work;
  Fd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  void put(Work item) {
    const std::lock_guard lock(mutex);
    work.push_back(std::move(item));
    ring();
  }
  void stop() {
    const std::lock_guard lock(mutex);
    asked_to_stop = true;
    ring();
  }
  bool stopping() {
    const std::lock_guard lock(mutex);
    return asked_to_stop;
  }
  void ring() const {
    const std::uint64_t one = 1;
    if (::write(wake.get(), &one, sizeof one) < 0) throw std::runtime_error("eventfd");
  }
  void drain() const {
    std::uint64_t count = 0;
    static_cast<void>(::read(wake.get(), &count, sizeof count) == 0);
  }
  /// What is not done yet is tried again before the loop sleeps the next time.
  void work_off(Server& server, ScriptedAgent& agent) {
    std::deque<Work> todo;
    {
      const std::lock_guard lock(mutex);
      todo.swap(work);
    }
    std::erase_if(todo, [&](const Work& item) { return item(server, agent); });
    const std::lock_guard lock(mutex);
    work.insert(work.begin(), todo.begin(), todo.end());
  }
  void serve(std::string problem) {
    const std::lock_guard lock(mutex);
    serving = true;
    failure = std::move(problem);
    changed.notify_all();
  }
};

Serving::Serving() : inbox_(std::make_unique<Inbox>()), thread_([this] { run(); }) {
  std::unique_lock lock(inbox_->mutex);
  inbox_->changed.wait(lock, [this] { return inbox_->serving; });
  if (inbox_->failure.empty()) return;
  thread_.join();
  throw std::runtime_error(inbox_->failure);
}

Serving::~Serving() {
  if (!thread_.joinable()) return;
  inbox_->stop();
  thread_.join();
}

void Serving::run() {
  ScriptedAgent agent;
  auto loop = EventLoop::create();
  if (!loop) return inbox_->serve(loop.error().message);
  auto server = Server::connect(**loop, bus_.address(), agent);
  if (!server) return inbox_->serve(server.error().message);
  if (auto owned = (*server)->own_name(); !owned) return inbox_->serve(owned.error().message);
  auto work = [&] {
    inbox_->work_off(**server, agent);
    if (inbox_->stopping()) (*loop)->exit(0);
  };
  auto woken = (*loop)->on_ready(inbox_->wake.get(), EPOLLIN, [&](std::uint32_t) {
    inbox_->drain();
    work();
  });
  auto turned = (*loop)->before_waiting(work);
  inbox_->serve(woken && turned ? "" : "cannot watch the inbox");
  loop_status_ = (*loop)->run().value_or(-1);
}

void Serving::on_loop(const std::function<void(Server&, ScriptedAgent&)>& work) {
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  inbox_->put([&](Server& server, ScriptedAgent& agent) {
    work(server, agent);
    const std::lock_guard lock(mutex);
    done = true;
    finished.notify_all();
    return true;
  });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return done; });
}

void Serving::until(const std::function<bool(ScriptedAgent&)>& condition) {
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  inbox_->put([&](Server&, ScriptedAgent& agent) {
    if (!condition(agent)) return false;
    const std::lock_guard lock(mutex);
    done = true;
    finished.notify_all();
    return true;
  });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return done; });
}

std::unique_ptr<Client> Serving::client() const {
  auto client = Client::connect(address());
  if (!client) throw std::runtime_error(client.error().message);
  return std::move(*client);
}

int Serving::lose_the_bus() {
  bus_.stop();
  thread_.join();
  return loop_status_;
}

}  // namespace volgrow::bus
