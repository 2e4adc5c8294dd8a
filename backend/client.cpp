// SPDX-License-Identifier: Apache-2.0
// Calls in flight by their id, each with an alarm; one connection, made when it is needed.
#include "backend/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "backend/packet_connection.h"
#include "core/fd.h"

namespace volgrow::backend {
namespace {

/// Sent at once; what is beyond it waits for its turn until its deadline.
constexpr std::size_t most_unanswered = 1024;

Result<Fd> connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return failure(ErrorCode::invalid_args,
                   fmt::format("{} is too long for the name of a socket", path.native()));
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (socket && ::connect(socket.get(), generic, sizeof address) == 0) return socket;
  return failure(ErrorCode::unreachable, fmt::format("volgrow-backend does not answer at {}: {}",
                                                     path.native(), std::strerror(errno)));
}

/// Whether the answer is of the kind that the call has.
bool answers(const Call& call, const Outcome& outcome) {
  return std::visit(
      [&](const auto& asked) {
        return std::holds_alternative<typename std::decay_t<decltype(asked)>::Answer>(outcome);
      },
      call);
}

Error never_sent(const std::string& call) {
  return Error{
      ErrorCode::timed_out,
      fmt::format("{}: volgrow-backend had too many calls to answer before this one", call),
      {},
      0};
}

Error no_answer_to(const std::string& call) {
  return Error{
      ErrorCode::timed_out,
      fmt::format("{}: volgrow-backend gave no answer in time; it may still do it: ask for "
                  "the size",
                  call),
      {},
      0};
}

class SocketClient final : public Client {
 public:
  SocketClient(EventLoop& loop, const Clock& clock, std::filesystem::path socket)
      : loop_(loop), clock_(clock), path_(std::move(socket)) {}

  void ask(Call call, Deadline deadline, Then<Outcome> then) override;

 private:
  struct InFlight {
    Call call;
    Then<Outcome> then;
    Deadline deadline;
    bool sent = false;
    EventLoop::Watch alarm;  ///< at the deadline; or now, when it failed already
  };

  void send_waiting();
  void send(std::uint64_t id);
  Result<void> connect();
  void end_at_deadline(std::uint64_t id);
  void end_now(std::uint64_t id, Error error);
  void ring(std::uint64_t id, TimePoint when, std::function<void()> alarm);
  void end(std::uint64_t id, Result<Outcome> outcome);
  void on_packet(const std::string& packet);
  void on_end(const Error& why);
  void lose(const Error& why);

  EventLoop& loop_;
  const Clock& clock_;
  std::filesystem::path path_;
  std::map<std::uint64_t, InFlight> in_flight_;
  std::deque<std::uint64_t> waiting_;  ///< not sent yet, or ended without
  std::size_t unanswered_ = 0;
  std::uint64_t last_id_ = 0;
  std::unique_ptr<PacketConnection> connection_;
};

void SocketClient::ask(Call call, Deadline deadline, Then<Outcome> then) {
  const auto id = ++last_id_;
  in_flight_.emplace(id, InFlight{std::move(call), std::move(then), deadline, false, {}});
  end_at_deadline(id);
  waiting_.push_back(id);
  send_waiting();
}

void SocketClient::send_waiting() {
  while (!waiting_.empty() && unanswered_ < most_unanswered) {
    const auto id = waiting_.front();
    waiting_.pop_front();
    if (in_flight_.contains(id)) send(id);
  }
}

void SocketClient::send(std::uint64_t id) {
  auto& asked = in_flight_.at(id);
  if (const auto connected = connect(); !connected) return end_now(id, connected.error());
  asked.sent = true;
  ++unanswered_;
  connection_->send(to_packet(Request{id, asked.deadline.remaining(clock_.now()), asked.call}));
}

Result<void> SocketClient::connect() {
  if (connection_) return {};
  auto socket = connect_to(path_);
  if (!socket) return std::unexpected(std::move(socket.error()));
  auto made = PacketConnection::create(
      loop_, std::move(*socket), PacketConnection::WithUnsent::read_on,
      [this](const std::string& packet) { on_packet(packet); },
      [this](const Error& why) { on_end(why); });
  if (!made) return std::unexpected(std::move(made.error()));
  connection_ = std::move(*made);
  return {};
}

void SocketClient::end_at_deadline(std::uint64_t id) {
  ring(id, in_flight_.at(id).deadline.at, [this, id] {
    const auto& late = in_flight_.at(id);
    const auto call = to_text(late.call);
    end(id, std::unexpected(late.sent ? no_answer_to(call) : never_sent(call)));
  });
}

/// Never inside the call itself.
void SocketClient::end_now(std::uint64_t id, Error error) {
  ring(id, clock_.now(), [this, id, error = std::move(error)] { end(id, std::unexpected(error)); });
}

void SocketClient::ring(std::uint64_t id, TimePoint when, std::function<void()> alarm) {
  auto watch = loop_.at(when, std::move(alarm));
  // Without a timer, which takes memory and nothing else, the answer of the server must do.
  if (watch) in_flight_.at(id).alarm = std::move(*watch);
}

void SocketClient::end(std::uint64_t id, Result<Outcome> outcome) {
  auto ended = in_flight_.extract(id);
  if (ended.empty()) return;
  if (ended.mapped().sent) --unanswered_;
  send_waiting();
  ended.mapped().then(std::move(outcome));
}

void SocketClient::on_packet(const std::string& packet) {
  auto answer = answer_from(packet);
  if (!answer)
    return on_end(std::move(answer.error()).during("an answer of volgrow-backend cannot be read"));
  if (answer->id == 0 && !answer->outcome) return lose(answer->outcome.error());
  const auto asked = in_flight_.find(answer->id);
  if (asked == in_flight_.end()) return;  // its deadline came first
  if (answer->outcome && !answers(asked->second.call, *answer->outcome))
    return on_end(Error{
        ErrorCode::internal,
        fmt::format("volgrow-backend answered something else than {}", to_text(asked->second.call)),
        {},
        0});
  end(answer->id, std::move(answer->outcome));
}

void SocketClient::on_end(const Error& why) {
  lose(Error{ErrorCode::unreachable,
             fmt::format("the connection to volgrow-backend was lost: {}", why.message),
             {},
             why.error_number});
}

/// Who is told may ask again at once: that is a new call on a new connection.
void SocketClient::lose(const Error& why) {
  connection_.reset();
  waiting_.clear();
  unanswered_ = 0;
  auto lost = std::exchange(in_flight_, {});
  for (auto& [id, call] : lost)
    call.then(std::unexpected(why));
}

}  // namespace

std::unique_ptr<Client> make_client(EventLoop& loop, const Clock& clock,
                                    std::filesystem::path socket) {
  return std::make_unique<SocketClient>(loop, clock, std::move(socket));
}

}  // namespace volgrow::backend
