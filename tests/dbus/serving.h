// SPDX-License-Identifier: Apache-2.0
// A Server with a scripted agent behind it, on a private bus, running in a thread of its own as the
// daemon would in its process. The test's thread is the client.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/event_loop.h"
#include "dbus/client.h"
#include "dbus/server.h"
#include "tests/fakes/private_bus.h"

namespace volgrow::bus {

/// Writes down what it is asked and answers from its script.
class ScriptedAgent final : public AgentService {
 public:
  // What came.
  std::vector<std::string> calls;  ///< "extend dev:sda 42", in order
  RequestOptions options;          ///< of the last call
  Caller caller;                   ///< of the last call
  std::vector<std::string> gone;   ///< names of callers that left

  // What to answer.
  std::optional<Error> error;  ///< instead of any answer
  bool silent = false;         ///< drop every reply unanswered
  bool hold_waits = false;     ///< keep the replies of wait() in `waits`
  std::vector<Reply<JobEnd>> waits;
  bool hold_changes = false;  ///< the same for volume_changed()
  std::vector<Reply<JobId>> changes;
  JobId job = 17;
  std::vector<JobId> jobs{17, 18};
  std::string json = R"({"schema":"volgrow.result/1"})";
  JobEnd end{"complete", R"({"state":"complete"})"};
  std::vector<OutboxEntry> outbox{{1, R"({"sequence":1})"}, {2, R"({"sequence":2})"}};
  std::function<void()> before_answer = [] {};

  void volume_changed(const Caller&, std::string volume_id, Bytes expected, RequestOptions,
                      Reply<JobId>) override;
  void extend(const Caller&, std::string subject, Bytes expected, RequestOptions,
              Reply<JobId>) override;
  void plan(const Caller&, std::string subject, Bytes expected, RequestOptions,
            Reply<std::string>) override;
  void explain(const Caller&, std::string subject, RequestOptions, Reply<std::string>) override;
  void rescan(const Caller&, std::vector<std::string> targets, RequestOptions,
              Reply<std::vector<JobId>>) override;
  void register_volume(const Caller&, std::string volume_id, std::string connection_info,
                       RequestOptions, Reply<std::string>) override;
  void unregister_volume(const Caller&, std::string volume_id, RequestOptions,
                         Reply<void>) override;
  void wait(const Caller&, JobId, Duration timeout, Reply<JobEnd>) override;
  void cancel(const Caller&, JobId, Reply<void>) override;
  void list_outbox(const Caller&, std::uint32_t max, Reply<std::vector<OutboxEntry>>) override;
  void acknowledge(const Caller&, std::vector<std::uint64_t> sequences, Reply<void>) override;
  void caller_left(const std::string& name) override;

 private:
  void note(const Caller& from, std::string call);
  template <class T>
  void answer(Reply<T>& reply, Result<T> result);
};

/// Owns the bus, the server's thread and the agent. Touch `agent` and the Server only inside
/// `on_loop`.
class Serving {
 public:
  Serving();
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving();

  const std::string& address() const { return bus_.address(); }
  /// Runs `work` on the server's thread and waits for it.
  void on_loop(const std::function<void(Server&, ScriptedAgent&)>& work);
  /// Runs `work` on the server's thread again and again, as things happen there, until it is true.
  void until(const std::function<bool(ScriptedAgent&)>& condition);
  std::unique_ptr<Client> client() const;

  /// Ends the bus under the server and returns what its loop ended with.
  int lose_the_bus();

 private:
  struct Inbox;

  void run();

  testing::PrivateBus bus_;
  std::unique_ptr<Inbox> inbox_;
  int loop_status_ = -1;
  std::thread thread_;
};

}  // namespace volgrow::bus
