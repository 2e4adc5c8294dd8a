// SPDX-License-Identifier: Apache-2.0
// fork, exec, wait; output by files, or by the master of a pseudo-terminal.
#include "tests/fakes/ran_program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>

#include "core/fd.h"
#include "core/files.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::testing {
namespace {

[[noreturn]] void become(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp(pointers.front(), pointers.data());
  ::_exit(127);
}

int status_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void put_on(int stream, const std::string& file, int flags) {
  const Fd opened(::open(file.c_str(), flags | O_CLOEXEC, 0600));
  ::dup2(opened.get(), stream);
}

std::string text_in(const std::string& file) {
  return read_text_file(file, 1_MiB).value_or("");
}

/// The terminal's other end; a session leader's first terminal becomes its controlling one.
Fd open_terminal() {
  Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ::grantpt(master.get());
  ::unlockpt(master.get());
  return master;
}

}  // namespace

RanProgram run_program(const std::vector<std::string>& words,
                       const std::vector<std::string>& environment) {
  const TemporaryDirectory folder;
  const auto child = ::fork();
  if (child == 0) {
    ::setsid();
    put_on(STDIN_FILENO, "/dev/null", O_RDONLY);
    put_on(STDOUT_FILENO, folder / "out", O_WRONLY | O_CREAT);
    put_on(STDERR_FILENO, folder / "err", O_WRONLY | O_CREAT);
    for (const auto& variable : environment)
      ::putenv(const_cast<char*>(variable.c_str()));
    become(words);
  }
  const int status = status_of(child);
  return {status, text_in(folder / "out"), text_in(folder / "err")};
}

RanProgram run_on_terminal(const std::vector<std::string>& words, const std::string& prompt,
                           const std::string& typed) {
  const auto master = open_terminal();
  const auto child = ::fork();
  if (child == 0) {
    ::setsid();
    const Fd slave(::open(::ptsname(master.get()), O_RDWR | O_CLOEXEC));
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      ::dup2(slave.get(), stream);
    become(words);
  }
  RanProgram ran;
  bool asked = false;
  std::array<char, 4096> shown{};
  // A master whose last slave is closed reads EIO; before the slave is opened it waits.
  for (ssize_t count = 0; (count = ::read(master.get(), shown.data(), shown.size())) > 0;) {
    ran.out.append(shown.data(), static_cast<std::size_t>(count));
    if (asked || ran.out.find(prompt) == std::string::npos) continue;
    asked = true;
    if (::write(master.get(), typed.data(), typed.size()) < 0) break;
  }
  ran.status = status_of(child);
  return ran;
}

}  // namespace volgrow::testing
