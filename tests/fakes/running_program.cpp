// SPDX-License-Identifier: Apache-2.0
// fork, exec, and the notification protocol of sd_notify(3) from the service manager's side.
#include "tests/fakes/running_program.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace volgrow::testing {
namespace {

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

void give_to(const std::string& path, const Account& account) {
  if (::chown(path.c_str(), account.uid, account.gid) != 0)
    throw std::runtime_error("chown " + path + ": " + std::strerror(errno));
}

/// False when one of the ids could not be given up.
bool turned_into(const Account& account) {
  return ::setgroups(account.groups.size(), account.groups.data()) == 0 &&
         ::setgid(account.gid) == 0 && ::setuid(account.uid) == 0;
}

}  // namespace

RunningProgram::RunningProgram(Options options)
    : options_(std::move(options)), notify_(notification_socket(folder_ / "notify")) {
  if (!options_.account) return;
  ::chmod(folder_.path().c_str(), 0755);
  give_to(folder_ / "notify", *options_.account);
}

std::string RunningProgram::write(const std::string& name, const std::string& text) const {
  const auto path = folder_ / name;
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
  if (options_.account) give_to(path, *options_.account);
  return path;
}

void RunningProgram::become(std::vector<std::string> words) const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Fd log(::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ::dup2(log.get(), STDERR_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::setenv("NOTIFY_SOCKET", (folder_ / "notify").c_str(), 1);
  for (const auto& variable : options_.environment)
    ::putenv(const_cast<char*>(variable.c_str()));
  if (!options_.account) ::execvp(words.front().c_str(), pointers(words).data());
  // Opened as root: the tree may lie where only root can go.
  const Fd program(::open(words.front().c_str(), O_RDONLY | O_CLOEXEC));
  if (options_.account && turned_into(*options_.account))
    ::fexecve(program.get(), pointers(words).data(), environ);
  ::_exit(127);
}

bool RunningProgram::start(const std::vector<std::string>& words) {
  pid_ = ::fork();
  if (pid_ == 0) become(words);
  return wait_until_ready();
}

bool RunningProgram::wait_until_ready() {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  std::array<pollfd, 2> waits{pollfd{notify_.get(), POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) >= 0) {
    if ((waits[0].revents & POLLIN) != 0) {
      const auto [text, sender] = receive_notification(notify_.get());
      if (text.find("READY=1") == std::string::npos) continue;
      ready_pid_ = sender;
      return true;
    }
    if ((waits[1].revents & POLLIN) != 0) break;
  }
  wait();
  return false;
}

void RunningProgram::kill() {
  if (pid_ <= 0) return;
  if (ready_pid_ > 0 && ready_pid_ != pid_) ::kill(ready_pid_, SIGKILL);
  if (ready_pid_ == pid_ || ready_pid_ <= 0) ::kill(pid_, SIGKILL);
  wait();
}

int RunningProgram::stop() {
  if (pid_ <= 0) return -1;
  ::kill(ready_pid_ > 0 ? ready_pid_ : pid_, SIGTERM);
  const auto status = wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int RunningProgram::wait() {
  int status = 0;
  if (pid_ > 0) ::waitpid(pid_, &status, 0);
  pid_ = ready_pid_ = -1;
  return status;
}

std::string RunningProgram::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return text.str();
}

}  // namespace volgrow::testing
