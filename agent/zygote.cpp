// SPDX-License-Identifier: Apache-2.0
// The zygote: a process with one thread, one socket and nothing of the daemon's, that forks
// workers, kills them when told, and says how they ended. The only file that forks; nothing is ever
// executed.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "agent/worker_protocol.h"

namespace volgrow::agent {
namespace {

// Where a child keeps its one socket; everything above is closed, 0 and 1 are /dev/null. 2 stays:
// it is the service's log, and the last words of a crash go there.
constexpr int own_socket = 3;

// How long the zygote, once told to end, waits for killed workers so that nobody else has to reap
// them. A worker that needs longer sleeps in the kernel, and may do so for minutes.
constexpr int reaping_ms = 200;

sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

/// Blocks every signal while it lives: between fork() and the reset of the dispositions, a child
/// must not run its parent's handlers.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

// The signals that end a service (also Ctrl-C, sent to the whole process group) are the daemon's to
// answer: it may still want results. Its end is a child's end, by the closed socket.
void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    ::signal(signal, SIG_DFL);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    ::signal(signal, SIG_IGN);
}

/// Keeps `socket`, as `own_socket`, and standard error of all descriptors.
Fd keep_only(const Fd& socket) {
  if (socket.get() != own_socket) ::dup3(socket.get(), own_socket, O_CLOEXEC);
  ::close_range(own_socket + 1, ~0U, 0);
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO})
    ::dup2(null.get(), standard);
  // Were 2 left closed, the next file opened would be taken for the log.
  if (::fcntl(STDERR_FILENO, F_GETFD) < 0) ::dup2(null.get(), STDERR_FILENO);
  if (null.get() <= STDERR_FILENO) null.release();
  return Fd(own_socket);
}

// noexcept, as every entry of a child: its stack still holds the frames of its parent, and an
// exception must end the process before it finds a catch in one of them.
[[noreturn]] void become_worker(const MakePerformer& make_performer, const Fd& socket,
                                pid_t zygote) noexcept {
  ::prctl(PR_SET_NAME, "volgrow-worker");
  // The zygote kills its workers when it ends in good order; this is for when it is killed itself.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != zygote) ::_exit(static_cast<int>(WorkerExit::done));
  const auto own = keep_only(socket);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  serve_steps(own, make_performer());
}

class ZygoteProcess {
 public:
  ZygoteProcess(MakePerformer make_performer, Fd control)
      : make_performer_(std::move(make_performer)), control_(std::move(control)) {}

  [[noreturn]] void run();

 private:
  struct Child {
    WorkerId worker;
    pid_t pid;
  };

  void answer_requests();
  void answer(const ZygoteRequest& request, const Fd& socket);
  void spawn(WorkerId worker, const Fd& socket);
  void kill(WorkerId worker);
  void reap();
  void tell(const ZygoteNotice& notice);
  [[noreturn]] void end();

  MakePerformer make_performer_;
  Fd control_;
  Fd deaths_;  ///< SIGCHLD as a descriptor
  std::vector<Child> children_;
  pid_t self_ = ::getpid();
};

void ZygoteProcess::run() {
  const auto deaths = only(SIGCHLD);
  deaths_ = Fd(::signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!deaths_) ::_exit(EXIT_FAILURE);
  std::array<pollfd, 2> waiting{pollfd{control_.get(), POLLIN, 0},
                                pollfd{deaths_.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) end();
    if (waiting[1].revents != 0) reap();
    if (waiting[0].revents != 0) answer_requests();
  }
}

/// The descriptor a message brought, if any.
Fd passed_descriptor(msghdr& message) {
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return Fd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

void ZygoteProcess::answer_requests() {
  for (;;) {
    ZygoteRequest request;
    iovec bytes{&request, sizeof request};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    const auto size = ::recvmsg(control_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EAGAIN) return;
    if (size != sizeof request) end();
    answer(request, passed_descriptor(message));
  }
}

void ZygoteProcess::answer(const ZygoteRequest& request, const Fd& socket) {
  switch (request.verb) {
    case ZygoteRequest::Verb::spawn:
      return spawn(request.worker, socket);
    case ZygoteRequest::Verb::kill:
      return kill(request.worker);
  }
}

void ZygoteProcess::spawn(WorkerId worker, const Fd& socket) {
  // A descriptor that found no room in this process's table is dropped by the kernel.
  if (!socket) return tell({ZygoteNotice::Event::not_spawned, worker, -1, EMFILE});
  const auto pid = ::fork();
  if (pid == 0) become_worker(make_performer_, socket, self_);
  if (pid < 0) return tell({ZygoteNotice::Event::not_spawned, worker, -1, errno});
  children_.push_back({worker, pid});
  tell({ZygoteNotice::Event::spawned, worker, pid, 0});
}

// A pid is safe to use here: it cannot be given to anybody else before reap() has waited for it,
// and reap() forgets it.
void ZygoteProcess::kill(WorkerId worker) {
  for (const auto& child : children_)
    if (child.worker == worker) ::kill(child.pid, SIGKILL);
}

void ZygoteProcess::reap() {
  // Several deaths may be one SIGCHLD, so the signal only says "look".
  signalfd_siginfo signal;
  while (::read(deaths_.get(), &signal, sizeof signal) > 0)
    continue;
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto child = std::ranges::find(children_, pid, &Child::pid);
    if (child == children_.end()) continue;
    const auto worker = child->worker;
    children_.erase(child);
    if (control_) tell({ZygoteNotice::Event::exited, worker, pid, status});
  }
}

void ZygoteProcess::tell(const ZygoteNotice& notice) {
  const auto* bytes = reinterpret_cast<const char*>(&notice);
  if (!send_message(control_.get(), {bytes, sizeof notice}, 0)) end();
}

void ZygoteProcess::end() {
  control_ = Fd();
  for (const auto& child : children_)
    ::kill(child.pid, SIGKILL);
  pollfd waiting{deaths_.get(), POLLIN, 0};
  while (!children_.empty() && ::poll(&waiting, 1, reaping_ms) > 0)
    reap();
  ::_exit(EXIT_SUCCESS);
}

[[noreturn]] void become_zygote(MakePerformer make_performer, const Fd& socket) noexcept {
  ::prctl(PR_SET_NAME, "volgrow-zygote");
  reset_signals();
  const auto deaths = only(SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &deaths, nullptr);
  ZygoteProcess(std::move(make_performer), keep_only(socket)).run();
}

}  // namespace

Result<Zygote> Zygote::start(MakePerformer make_performer) {
  auto sockets = message_socket_pair();
  if (!sockets)
    return std::unexpected(std::move(sockets.error()).during("start the worker zygote"));
  auto& [ours, theirs] = *sockets;
  const SignalsHeld held;
  const auto pid = ::fork();
  if (pid < 0) return system_failure(errno, "fork the worker zygote");
  if (pid == 0) become_zygote(std::move(make_performer), theirs);
  return Zygote(std::move(ours), pid);
}

Zygote& Zygote::operator=(Zygote&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(pid_, other.pid_);
  return *this;
}

Zygote::~Zygote() {
  if (pid_ < 0) return;
  socket_ = Fd();
  ::kill(pid_, SIGCONT);  // somebody may have stopped it, and a stopped process sees no end
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
    continue;
}

}  // namespace volgrow::agent
