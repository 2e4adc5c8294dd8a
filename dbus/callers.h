// SPDX-License-Identifier: Apache-2.0
// Who is behind a unique bus name, asked of the bus daemon once and believed until that name
// leaves; and which of its calls are still unanswered. Knows nothing of D-Bus messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "dbus/service.h"

namespace volgrow::bus {

/// What the bus daemon is asked about other connections.
class BusDaemon {
 public:
  virtual ~BusDaemon() = default;
  /// From now on Callers::left(name) is called when `name` leaves. Errors: LimitsExceeded.
  virtual Result<void> watch(const std::string& name) = 0;
  virtual void stop_watching(const std::string& name) = 0;
  /// Ends in Callers::identified().
  virtual void ask_credentials(const std::string& name) = 0;
};

class Callers {
 public:
  using Call = std::move_only_function<void(const Result<Caller>&)>;

  explicit Callers(BusDaemon& daemon) : daemon_(daemon) {}

  /// Runs `call` as soon as the caller is known; calls of one name run in the order they came.
  /// Gets NotAuthorized when the bus daemon does not vouch for anybody.
  void identify(const std::string& name, Call call);
  void identified(const std::string& name, const Result<Caller>& caller);
  /// Calls that still wait are dropped: nobody is there to hear the answer.
  void left(const std::string& name);

 private:
  struct Entry {
    std::shared_ptr<const Result<Caller>> caller;  ///< nullptr while the daemon is being asked
    std::vector<Call> waiting;
  };

  BusDaemon& daemon_;
  std::map<std::string, Entry> entries_;
};

/// Calls that were accepted and not answered, so that one client cannot pile up work without end
/// and an answer that comes too late finds nothing to answer to.
class OpenCalls {
 public:
  /// The limit the system bus itself sets on unanswered calls of one connection
  /// (max_replies_per_connection); calls that want no reply are not in the bus's count, only here.
  static constexpr std::size_t per_caller = 128;

  /// Keeps `answer` alive until it is closed. Errors: LimitsExceeded.
  Result<std::uint64_t> open(const std::string& caller, std::shared_ptr<void> answer);
  void close(std::uint64_t number);
  void drop(const std::string& caller);

 private:
  struct Entry {
    std::string caller;
    std::shared_ptr<void> answer;
  };

  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Entry> calls_;
  std::map<std::string, std::size_t> count_;
};

}  // namespace volgrow::bus
