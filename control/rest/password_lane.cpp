// SPDX-License-Identifier: Apache-2.0
// libxcrypt's crypt_r in a thread; the loop is woken by an eventfd.
#include "control/rest/password_lane.h"

#include <crypt.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <optional>
#include <string_view>

namespace volgrow::control::rest {
namespace {

/// In a time that does not tell how much of them is the same.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

bool matches(const std::string& password, const std::string& hash, crypt_data& scratch) {
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), &scratch);
  // A failure is written as "*0" or "*1", which no hash is.
  return made != nullptr && same(made, hash);
}

}  // namespace

Result<std::unique_ptr<PasswordLane>> PasswordLane::start(EventLoop& loop) {
  Fd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) return system_failure(errno, "create an eventfd");
  auto lane = std::make_unique<PasswordLane>(std::move(bell));
  auto watch = loop.on_ready(lane->bell_.get(), EPOLLIN,
                             [at = lane.get()](std::uint32_t) { at->deliver(); });
  if (!watch) return std::unexpected(std::move(watch.error()));
  lane->rung_ = std::move(*watch);
  lane->thread_ = std::jthread([at = lane.get()](const std::stop_token& stop) { at->work(stop); });
  return lane;
}

PasswordLane::~PasswordLane() = default;

bool PasswordLane::check(std::string password, std::string hash, Then then) {
  const std::scoped_lock lock(mutex_);
  if (waiting_.size() >= most_waiting) return false;
  waiting_.push_back({std::move(password), std::move(hash), std::move(then)});
  wake_.notify_one();
  return true;
}

std::optional<PasswordLane::Job> PasswordLane::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) return std::nullopt;
  auto job = std::move(waiting_.front());
  waiting_.pop_front();
  return job;
}

void PasswordLane::work(const std::stop_token& stop) {
  const auto scratch = std::make_unique<crypt_data>();
  while (auto job = next(stop)) {
    job->matches = matches(job->password, job->hash, *scratch);
    ::explicit_bzero(job->password.data(), job->password.size());
    const std::scoped_lock lock(mutex_);
    done_.push_back(std::move(*job));
    ::eventfd_write(bell_.get(), 1);
  }
}

void PasswordLane::deliver() {
  eventfd_t rings = 0;
  ::eventfd_read(bell_.get(), &rings);
  std::deque<Job> done;
  {
    const std::scoped_lock lock(mutex_);
    done.swap(done_);
  }
  for (auto& job : done)
    job.then(job.matches);
}

}  // namespace volgrow::control::rest
