// SPDX-License-Identifier: Apache-2.0
// What the pool, the zygote and the workers say to each other: three ends of one build on one host,
// so plain structs on SOCK_SEQPACKET sockets. Private to these files of agent/.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/worker_pool.h"
#include "core/error.h"
#include "core/fd.h"

namespace volgrow::agent {

/// The pool's number for a worker. Never reused, unlike a pid: nobody is killed by mistake.
using WorkerId = std::uint64_t;

/// To the zygote. A spawn carries the worker's socket.
struct ZygoteRequest {
  enum class Verb : std::uint8_t { spawn, kill } verb = Verb::spawn;
  WorkerId worker = 0;
};

/// From the zygote: exactly one `exited` follows every `spawned`.
struct ZygoteNotice {
  enum class Event : std::uint8_t { spawned, not_spawned, exited } event = Event::spawned;
  WorkerId worker = 0;
  pid_t pid = -1;  ///< spawned
  int status = 0;  ///< exited: as wait(2) has it; not_spawned: errno
};

/// How a worker ends by itself. Above what a library's exit() would use by accident.
enum class WorkerExit : int { done = 0, bad_request = 81, socket_failed = 82 };

/// The most a step or its result may take: connection_info is at most 256 KiB of JSON.
constexpr std::size_t message_limit = std::size_t{512} << 10;

/// Two ends that keep message boundaries and take messages of `message_limit` where the kernel lets
/// us. Errors: Internal with errno.
Result<std::pair<Fd, Fd>> message_socket_pair();

/// One whole message. Errors: Internal with errno (EMSGSIZE, EAGAIN when `flags` say MSG_DONTWAIT).
Result<void> send_message(int socket, std::string_view bytes, int flags);

/// A buffer that takes memory only as far as messages reach into it, and what was received last.
class Inbox {
 public:
  enum class State : std::uint8_t { message, nothing_yet, closed, too_long };

  /// Retries when a signal comes between. A reset connection is `closed`.
  State receive(int socket, int flags);
  /// Of the last `message`; valid until the next receive.
  std::string_view bytes() const { return {buffer_.get(), size_}; }

 private:
  std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(message_limit);
  std::size_t size_ = 0;
};

/// The life of a worker: steps from `socket`, one after the other, until its other end is closed.
[[noreturn]] void serve_steps(const Fd& socket, const Performer& perform);

}  // namespace volgrow::agent
