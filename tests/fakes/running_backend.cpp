// SPDX-License-Identifier: Apache-2.0
// fork, exec, and sd_listen_fds(3) from the service manager's side.
#include "tests/fakes/running_backend.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/files.h"

namespace volgrow::testing {
namespace {

constexpr int first_handed_over = 3;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Fd new_socket() {
  return Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

Fd listener_at(const std::string& path) {
  auto listener = new_socket();
  const auto address = address_of(path);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(listener.get(), generic, sizeof address) != 0 || ::listen(listener.get(), 16) != 0)
    throw std::runtime_error("cannot listen at " + path);
  return listener;
}

/// Whether there is something to read before the process ends.
bool readable_before_end(int socket, pid_t pid) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::array<pollfd, 2> waits{pollfd{socket, POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR)
    continue;
  return (waits[0].revents & POLLIN) != 0;
}

}  // namespace

RunningBackend::RunningBackend(const std::string& config) : listener_(listener_at(socket())) {
  std::ofstream(config_file()) << config;
}

void RunningBackend::become(std::vector<std::string> words) const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Fd log(::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ::dup2(log.get(), STDERR_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::dup2(listener_.get(), first_handed_over);
  if (listener_.get() == first_handed_over) ::fcntl(first_handed_over, F_SETFD, 0);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  words.insert(words.end(), {VOLGROW_BIN_DIR "/volgrow-backend", "--config", config_file()});
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp(pointers.front(), pointers.data());
  ::_exit(127);
}

void RunningBackend::start(std::vector<std::string> under) {
  pid_ = ::fork();
  if (pid_ == 0) become(std::move(under));
}

void RunningBackend::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int RunningBackend::stop() {
  if (pid_ <= 0) return -1;
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::optional<std::string> RunningBackend::ask(const std::string& packet) const {
  if (pid_ <= 0) return std::nullopt;
  const auto connection = new_socket();
  const auto address = address_of(socket());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(connection.get(), generic, sizeof address) != 0) return std::nullopt;
  ::send(connection.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  if (!readable_before_end(connection.get(), pid_)) return std::nullopt;
  std::string answer(65536, '\0');
  const auto size = ::recv(connection.get(), answer.data(), answer.size(), 0);
  if (size <= 0) return std::nullopt;
  answer.resize(static_cast<std::size_t>(size));
  return answer;
}

std::string RunningBackend::log() const {
  return read_text_file(folder_ / "log", 1_MiB).value_or("");
}

}  // namespace volgrow::testing
