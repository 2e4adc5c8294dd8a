// SPDX-License-Identifier: Apache-2.0
// fork, exec, and the notification protocol of sd_notify(3) from the service manager's side.
#include "tests/fakes/running_daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace volgrow::testing {
namespace {

constexpr const char* accounts = "\n[access]\ngroup = \"37\"\nrelay_user = \"13\"\n";

Fd notification_socket(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(socket.get(), generic, sizeof address) != 0)
    throw std::runtime_error("bind " + path + ": " + std::strerror(errno));
  return socket;
}

/// One notification and who sent it.
std::pair<std::string, pid_t> receive_notification(int socket) {
  std::array<char, 4096> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  iovec part{text.data(), text.size() - 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  ucred sender{};
  if (const auto* header = CMSG_FIRSTHDR(&message); size > 0 && header != nullptr)
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
  return {std::string(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0), sender.pid};
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words)
    all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

RunningDaemon::RunningDaemon(Options options)
    : options_(std::move(options)), notify_(notification_socket(folder_ / "notify")) {
  std::ofstream(folder_ / "agent.toml") << options_.config << accounts;
}

RunningDaemon::~RunningDaemon() {
  kill();
}

void RunningDaemon::become(const std::vector<std::string>& under) const {
  const Fd log(::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ::dup2(log.get(), STDERR_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::setenv("NOTIFY_SOCKET", (folder_ / "notify").c_str(), 1);
  for (const auto& variable : options_.environment)
    ::putenv(const_cast<char*>(variable.c_str()));
  auto words = under;
  for (const auto& word :
       {options_.program, std::string("--config"), folder_ / "agent.toml",
        std::string("--bus-address"), options_.bus_address, std::string("--state-directory"),
        state_directory(), std::string("--runtime-directory"), runtime_directory()})
    words.push_back(word);
  ::execvp(words.front().c_str(), pointers(words).data());
  ::_exit(127);
}

bool RunningDaemon::start() {
  return start_under(options_.under);
}

bool RunningDaemon::start_under(std::vector<std::string> under) {
  pid_ = ::fork();
  if (pid_ == 0) become(under);
  return wait_until_ready();
}

bool RunningDaemon::wait_until_ready() {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  std::array<pollfd, 2> waits{pollfd{notify_.get(), POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) >= 0) {
    if ((waits[0].revents & POLLIN) != 0) {
      const auto [text, sender] = receive_notification(notify_.get());
      if (text.find("READY=1") == std::string::npos) continue;
      daemon_pid_ = sender;
      return true;
    }
    if ((waits[1].revents & POLLIN) != 0) break;
  }
  wait();
  return false;
}

void RunningDaemon::kill() {
  if (pid_ <= 0) return;
  if (daemon_pid_ > 0 && daemon_pid_ != pid_) ::kill(daemon_pid_, SIGKILL);
  if (daemon_pid_ == pid_ || daemon_pid_ <= 0) ::kill(pid_, SIGKILL);
  wait();
}

int RunningDaemon::stop() {
  if (pid_ <= 0) return -1;
  ::kill(daemon_pid_ > 0 ? daemon_pid_ : pid_, SIGTERM);
  const auto status = wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int RunningDaemon::wait() {
  int status = 0;
  if (pid_ > 0) ::waitpid(pid_, &status, 0);
  pid_ = daemon_pid_ = -1;
  return status;
}

std::string RunningDaemon::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return text.str();
}

}  // namespace volgrow::testing
