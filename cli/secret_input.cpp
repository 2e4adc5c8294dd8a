// SPDX-License-Identifier: Apache-2.0
// Reads byte by byte into the secret itself, so that no buffer of ours keeps a copy.
#include "cli/secret_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/interrupt.h"
#include "core/fd.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return failure(ErrorCode::invalid_args, std::move(message));
}

/// Echo off while it lives. What was typed before is dropped: it was meant for somebody else.
class SilentTerminal {
 public:
  explicit SilentTerminal(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal_, &before_) != 0) return;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal() {
    if (silent_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  bool silent() const { return silent_; }

 private:
  int terminal_;
  termios before_{};
  bool silent_ = false;
};

enum class Next : std::uint8_t { byte, end, failed };

Next next_byte(int fd, char& byte) {
  while (true) {
    const auto count = ::read(fd, &byte, 1);
    if (count == 1) return Next::byte;
    if (count == 0) return Next::end;
    if (errno != EINTR) return Next::failed;
  }
}

/// A file's newline at its end is no part of the secret; one within it is a mistake.
Result<Secret> read_all(int file, const std::string& name) {
  Secret secret;
  char byte = 0;
  bool ended = false;
  while (true) {
    const auto next = next_byte(file, byte);
    if (next == Next::failed)
      return wrong(fmt::format("{} cannot be read: {}", name, std::strerror(errno)));
    if (next == Next::end) break;
    if (ended || byte == '\0') return wrong(name + " is no secret: it has more than one line");
    ended = byte == '\n';
    if (!ended && !secret.add(byte))
      return wrong(fmt::format("{} holds more than {} bytes", name, Secret::longest));
  }
  if (secret.size() == 0) return wrong(name + " is empty");
  return secret;
}

Result<Secret> read_line(int terminal, int interrupted) {
  Secret secret;
  while (true) {
    std::array<pollfd, 2> ready{pollfd{terminal, POLLIN, 0}, pollfd{interrupted, POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR)
      return system_failure(errno, "wait for the secret");
    if (ready[1].revents != 0) return failure(ErrorCode::cancelled, "no secret was given");
    if (ready[0].revents == 0) continue;
    char byte = 0;
    if (next_byte(terminal, byte) != Next::byte || byte == '\n') break;
    if (!secret.add(byte))
      return wrong(fmt::format("the secret has more than {} bytes", Secret::longest));
  }
  if (secret.size() == 0) return wrong("no secret was given");
  return secret;
}

void say(int terminal, std::string_view text) {
  // A prompt that cannot be shown changes nothing about what is read.
  static_cast<void>(::write(terminal, text.data(), text.size()) == 0);
}

}  // namespace

Result<Secret> read_secret_file(const std::string& path) {
  const auto name = fmt::format("--secret-file: {}", cited(path));
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return wrong(fmt::format("{} cannot be opened: {}", name, std::strerror(errno)));
  return read_all(file.get(), name);
}

Result<Secret> ask_for_secret(const std::string& prompt) {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal)
    return wrong("--secret-file: is missing, and there is no terminal to ask for the secret on");
  const Fd interrupted(::eventfd(0, EFD_CLOEXEC));
  const InterruptWatch watch(
      [fd = interrupted.get()] { static_cast<void>(::eventfd_write(fd, 1)); });
  const SilentTerminal silent(terminal.get());
  if (!silent.silent()) return wrong("the terminal cannot be kept from showing the secret");
  say(terminal.get(), prompt);
  auto secret = read_line(terminal.get(), interrupted.get());
  say(terminal.get(), "\n");
  return secret;
}

}  // namespace volgrow::cli
