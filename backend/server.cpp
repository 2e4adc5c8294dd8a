// SPDX-License-Identifier: Apache-2.0
// Peers by a number of our own: an answer that comes when its peer is gone finds nobody.
#include "backend/server.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace volgrow::backend {
namespace {

std::optional<ucred> credentials_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer;
}

/// What it asked already is read first, and more it cannot ask: closing over unread packets would
/// make the peer see a reset instead of the answer.
void turn_away(const Fd& socket, const Error& why) {
  ::shutdown(socket.get(), SHUT_RD);
  char ignored = 0;
  while (::recv(socket.get(), &ignored, 1, MSG_DONTWAIT) > 0)
    continue;
  const auto answer = to_packet(Answer{0, std::unexpected(why)});
  ::send(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool changes_something(const Call& call) {
  return !std::holds_alternative<GetCapabilities>(call) && !std::holds_alternative<GetSize>(call);
}

Error unknown_backend(const std::string& name) {
  return Error{
      ErrorCode::not_initialised,
      fmt::format("volgrow-backend knows no back end {}; after a change of the settings it "
                  "must be restarted",
                  name),
      {},
      0};
}

}  // namespace

bool may_ask(uid_t uid, std::optional<uid_t> user) {
  return uid == 0 || uid == user;
}

Result<std::unique_ptr<Server>> Server::create(const Needs& needs, const Drivers& drivers,
                                               std::optional<uid_t> user, ServerLimits limits) {
  std::unique_ptr<Server> server(new Server(needs, user, limits));
  for (const auto& [name, driver] : drivers)
    if (auto added = server->add(name, driver); !added)
      return std::unexpected(std::move(added.error()));
  return server;
}

Result<void> Server::add(const std::string& name, std::shared_ptr<const Driver> driver) {
  auto lanes = Lanes::create(loop_, clock_, limits_.lanes, [this, name] { tell_stuck(name); });
  if (!lanes) return std::unexpected(std::move(lanes.error()));
  backends_.emplace(name, BackEndLanes{std::move(driver), std::move(*lanes)});
  return {};
}

Result<void> Server::listen(Fd listener) {
  listener_ = std::move(listener);
  auto watch = loop_.on_ready(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
  if (!watch) return std::unexpected(std::move(watch.error()));
  listening_ = std::move(*watch);
  return {};
}

void Server::accept() {
  Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) return serve(std::move(socket));
  if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
    log_.error(system_failure(errno, "accept a connection").error().message);
}

std::optional<Error> Server::objection_to(int socket) {
  const auto peer = credentials_of(socket);
  if (!peer || !may_ask(peer->uid, user_)) {
    const auto uid = peer ? peer->uid : static_cast<uid_t>(-1);
    if (refused_.size() < limits_.connections && refused_.insert(uid).second)
      log_.warning(fmt::format("uid {} may not ask volgrow-backend and is refused", uid));
    return Error{
        ErrorCode::not_authorized, fmt::format("uid {} may not ask volgrow-backend", uid), {}, 0};
  }
  if (peers_.size() < limits_.connections) return std::nullopt;
  return Error{ErrorCode::limits_exceeded,
               fmt::format("volgrow-backend has {} connections already", peers_.size()),
               {},
               0};
}

void Server::serve(Fd socket) {
  if (const auto objection = objection_to(socket.get())) return turn_away(socket, *objection);
  const auto number = ++last_peer_;
  auto made = PacketConnection::create(
      loop_, std::move(socket), PacketConnection::WithUnsent::wait,
      [this, number](const std::string& packet) { on_packet(number, packet); },
      [this, number](const Error&) { peers_.erase(number); });
  if (!made) return log_.error(made.error().message);
  peers_[number].connection = std::move(*made);
}

void Server::on_packet(std::uint64_t peer, const std::string& packet) {
  auto request = request_from(packet);
  if (!request) return refuse(peer, packet, request.error());
  carry_out(peer, std::move(*request));
}

/// Who cannot even say which call it was speaks something else: nothing it sends next can be
/// trusted.
void Server::refuse(std::uint64_t peer, const std::string& packet, const Error& why) {
  const auto id = id_in(packet);
  log_.warning(fmt::format("a packet was refused: {}", why.message));
  peers_.at(peer).connection->send(to_packet(Answer{id.value_or(0), std::unexpected(why)}));
  if (!id) peers_.erase(peer);
}

void Server::carry_out(std::uint64_t peer, Request request) {
  auto& asker = peers_.at(peer);
  asker.connection->read(++asker.in_flight < limits_.in_flight);
  const auto backend = backends_.find(backend_of(request.call));
  if (backend == backends_.end())
    return answer(peer, request.id, request.call,
                  std::unexpected(unknown_backend(backend_of(request.call))));
  const auto deadline = within(request.limit, clock_.now());
  const auto call = std::make_shared<const Call>(std::move(request.call));
  backend->second.lanes->submit(
      std::string(volume_of(*call)), to_text(*call),
      [driver = backend->second.driver, call, deadline] {
        return perform(*driver, *call, deadline);
      },
      deadline,
      [this, peer, id = request.id, call](Result<Outcome> outcome) {
        answer(peer, id, *call, std::move(outcome));
      });
}

void Server::answer(std::uint64_t peer, std::uint64_t id, const Call& call,
                    Result<Outcome> outcome) {
  if (!outcome)
    log_.warning(outcome.error().message,
                 {{field::volume, std::string(volume_of(call))},
                  {field::error, std::string(name_of(outcome.error().code))}});
  if (outcome && changes_something(call))
    log_.info(fmt::format("done: {}", to_text(call)),
              {{field::volume, std::string(volume_of(call))}});
  const auto asker = peers_.find(peer);
  if (asker == peers_.end()) return;
  --asker->second.in_flight;
  asker->second.connection->send(to_packet(Answer{id, std::move(outcome)}));
  asker->second.connection->read(asker->second.in_flight < limits_.in_flight);
}

void Server::tell_stuck(const std::string& name) {
  std::size_t all = 0;
  for (const auto& [other, backend] : backends_)
    all += backend.lanes->stuck();
  log_.warning(fmt::format("{} calls on back end {} have not come back from the storage",
                           backends_.at(name).lanes->stuck(), name));
  notify_service_manager(fmt::format("STATUS={} calls stuck in the storage", all).c_str());
}

}  // namespace volgrow::backend
