// SPDX-License-Identifier: Apache-2.0
// What a worker process does: one step after the other. It decides nothing and is disposable: what
// it cannot answer ends it, and the pool makes that an error of the step.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "agent/worker_protocol.h"

namespace volgrow::agent {
namespace {

// _exit: the daemon's destructors and atexit functions are not this process's to run.
[[noreturn]] void leave(WorkerExit status) {
  ::_exit(static_cast<int>(status));
}

/// In place of a result that does not fit: the step was done, only its answer is lost.
StepResult too_long(const StepResult& result, std::size_t size) {
  return {result.id,
          failure(ErrorCode::internal, "the result of a step takes " + std::to_string(size) +
                                           " bytes, more than a worker may answer"),
          result.took};
}

Result<void> answer(int socket, const StepResult& result) {
  const auto bytes = encode(result);
  auto sent = bytes.size() > message_limit ? system_failure(EMSGSIZE, "send a result")
                                           : send_message(socket, bytes, 0);
  if (sent || sent.error().error_number != EMSGSIZE) return sent;
  return send_message(socket, encode(too_long(result, bytes.size())), 0);
}

}  // namespace

void serve_steps(const Fd& socket, const Performer& perform) {
  Inbox inbox;
  while (inbox.receive(socket.get(), 0) == Inbox::State::message) {
    const auto step = decode_step(inbox.bytes());
    if (!step) leave(WorkerExit::bad_request);
    if (!answer(socket.get(), perform(*step))) leave(WorkerExit::socket_failed);
  }
  leave(WorkerExit::done);
}

}  // namespace volgrow::agent
