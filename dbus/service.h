// SPDX-License-Identifier: Apache-2.0
// What the bus asks of the daemon, in values: the daemon implements AgentService, the bus half
// calls it on the event loop's thread. No D-Bus type appears here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"
#include "core/model.h"
#include "core/request.h"

namespace volgrow::bus {

/// Who calls, as the bus daemon itself vouches (GetConnectionCredentials).
struct Caller {
  std::string name;  ///< unique bus name ":1.42"
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;
};

/// Called exactly once, now or later, on the loop's thread.
template <class T>
using Reply = std::move_only_function<void(Result<T>)>;

struct JobEnd {
  std::string state;        ///< "running" at time-out
  std::string result_json;  ///< empty at time-out
};

using OutboxEntry = std::pair<std::uint64_t, std::string>;  ///< sequence, report JSON

/// Every method checks the caller's rights first and answers NotAuthorized without them.
class AgentService {
 public:
  virtual ~AgentService() = default;

  virtual void volume_changed(const Caller&, std::string volume_id, Bytes expected, RequestOptions,
                              Reply<JobId>) = 0;
  virtual void extend(const Caller&, std::string subject, Bytes expected, RequestOptions,
                      Reply<JobId>) = 0;
  virtual void plan(const Caller&, std::string subject, Bytes expected, RequestOptions,
                    Reply<std::string>) = 0;
  virtual void explain(const Caller&, std::string subject, RequestOptions, Reply<std::string>) = 0;
  virtual void rescan(const Caller&, std::vector<std::string> targets, RequestOptions,
                      Reply<std::vector<JobId>>) = 0;
  /// Answers with the volume's id.
  virtual void register_volume(const Caller&, std::string volume_id, std::string connection_info,
                               RequestOptions, Reply<std::string>) = 0;
  virtual void unregister_volume(const Caller&, std::string volume_id, RequestOptions,
                                 Reply<void>) = 0;

  virtual void wait(const Caller&, JobId, Duration timeout, Reply<JobEnd>) = 0;
  virtual void cancel(const Caller&, JobId, Reply<void>) = 0;

  virtual void list_outbox(const Caller&, std::uint32_t max, Reply<std::vector<OutboxEntry>>) = 0;
  virtual void acknowledge(const Caller&, std::vector<std::uint64_t> sequences, Reply<void>) = 0;

  /// A client left the bus: what it waited for needs no answer.
  virtual void caller_left(const std::string& name) = 0;
};

}  // namespace volgrow::bus
