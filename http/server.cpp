// SPDX-License-Identifier: Apache-2.0
// The server over libmicrohttpd, which does the bytes and sockets; its epoll descriptor is one more
// of the event loop's. Deadlines are the loop's, not libmicrohttpd's: those are idle times in whole
// seconds, which a client that sends a byte now and then never reaches. libmicrohttpd is C: no
// exception may pass through its frames, so one that an OnRequest throws waits until it has
// returned.
#include "http/server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <exception>
#include <utility>

#include "core/text.h"
#include "http/connections.h"
#include "http/lingering.h"
#include "http/listening.h"
#include "http/peer_certificate.h"
#include "http/pem.h"
#include "http/rules.h"

namespace volgrow::http {
namespace {

struct DaemonStop {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};
using Daemon = std::unique_ptr<MHD_Daemon, DaemonStop>;

struct ResponseDestroy {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using ResponseRef = std::unique_ptr<MHD_Response, ResponseDestroy>;

/// How often libmicrohttpd may run at once before other sources of the loop have a turn.
constexpr int most_runs = 8;
/// A client whose chunk size never ends fills libmicrohttpd's buffer, which then asks to be run
/// again and again in vain (connection.c, MHD_EVENT_LOOP_INFO_BLOCK). After so many runs in which
/// nothing happened while a body is awaited, it has to wait, unless a socket is ready.
constexpr int most_idle_runs = 8;
constexpr Duration idle_run_pause = std::chrono::milliseconds(1);

Response phrased_plainly(const Refusal& refusal) {
  return {refusal.status,
          {{"Content-Type", "text/plain; charset=utf-8"}},
          fmt::format("{}\n", refusal.reason)};
}

void drop_body(void* body) {
  const std::unique_ptr<std::string> owned(static_cast<std::string*>(body));
}

/// nullptr when it is no answer, or has a field that would begin another field.
ResponseRef to_library(Response response) {
  if (response.status < 200 || response.status > 599) return nullptr;
  auto body = std::make_unique<std::string>(std::move(response.body));
  ResponseRef made(MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), &drop_body, body.get()));
  if (!made) return nullptr;
  static_cast<void>(body.release());  // drop_body's
  for (const auto& [name, value] : response.fields) {
    if (value.empty()) continue;  // libmicrohttpd takes none
    if (!is_token(name) || !is_field_value(value) ||
        MHD_add_response_header(made.get(), name.c_str(), value.c_str()) != MHD_YES)
      return nullptr;
  }
  return made;
}

Connection& connection_of(MHD_Connection* mhd) {
  const auto* const about = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return *static_cast<Connection*>(about->socket_context);
}

/// As recv(2): 0 at the end of what the client sends, negative while there is nothing.
ssize_t peek(const Connection& connection) {
  char next = 0;
  return ::recv(connection.fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
}

/// libmicrohttpd does not notice an end that came together with the request before it: its epoll is
/// edge-triggered, and it stops reading at a short read.
bool has_left(const Connection& connection) {
  return peek(connection) == 0;
}

gnutls_session_int* session_of(MHD_Connection* mhd) {
  const auto* const about = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  return static_cast<gnutls_session_int*>(about->tls_session);
}

/// Of a request's head; not whole when memory ran out, and then it is another request.
struct CollectedFields {
  Fields& fields;
  bool whole = true;
};

MHD_Result collect_field(void* to, MHD_ValueKind, const char* name, std::size_t name_size,
                         const char* value, std::size_t value_size) {
  auto& collected = *static_cast<CollectedFields*>(to);
  try {
    collected.fields.add({name, name_size}, {value ? value : "", value_size});
  } catch (...) {
    collected.whole = false;
  }
  return collected.whole ? MHD_YES : MHD_NO;
}

class MicrohttpdServer final : public Server {
 public:
  MicrohttpdServer(EventLoop& loop, const Clock& clock, ServerOptions options, OnRequest on_request)
      : loop_(loop),
        clock_(clock),
        options_(std::move(options)),
        on_request_(std::move(on_request)),
        connections_(clock_, options_.limits),
        lingering_(loop, clock, options_.limits.sending) {}
  MicrohttpdServer(const MicrohttpdServer&) = delete;
  MicrohttpdServer& operator=(const MicrohttpdServer&) = delete;
  ~MicrohttpdServer() override;

  Result<void> start();
  const std::string& endpoint() const override { return endpoint_; }
  unsigned connections() const override { return static_cast<unsigned>(connections_.size()); }

 private:
  // What libmicrohttpd calls.
  static void on_connection(void* self, MHD_Connection* mhd, void** context,
                            MHD_ConnectionNotificationCode code);
  static void* on_request_line(void* self, const char* target, MHD_Connection* mhd);
  static MHD_Result on_access(void* self, MHD_Connection* mhd, const char* url, const char* method,
                              const char* version, const char* upload, std::size_t* upload_size,
                              void** context);
  static void on_completed(void* self, MHD_Connection* mhd, void** context,
                           MHD_RequestTerminationCode code);
  static void on_log(void* self, const char* format, va_list arguments);

  void open(MHD_Connection* mhd, void** context);
  void close(Connection& connection);
  void begin(Connection& connection, const char* target);
  bool take_head(Exchange& exchange, const char* method, const char* version);
  void take_body(Exchange& exchange, std::string_view part);
  bool finish(Exchange& exchange);
  void pass_on(Exchange& exchange);
  void answer(Exchange& exchange, std::optional<Response> response);
  bool respond(Exchange& exchange);
  Response phrase(const Refusal& refusal) const;
  bool is_mutual() const { return !pem_.client_ca.empty(); }

  // What the loop calls.
  void run();
  void run_once();
  void run_later();
  bool has_work() const;
  bool is_stuck();
  void arm();
  void cut_overdue();

  Result<Daemon> make_daemon(Fd listening);
  std::vector<MHD_OptionItem> library_options(int listening);

  template <class Step>
  auto guarded(Step step) -> decltype(step());

  EventLoop& loop_;
  const Clock& clock_;
  const ServerOptions options_;
  OnRequest on_request_;
  Pem pem_;
  std::string endpoint_;
  std::string complaint_;  ///< libmicrohttpd's, while it starts
  bool started_ = false;
  bool stopping_ = false;

  Connections connections_;
  Lingering lingering_;
  std::exception_ptr thrown_;
  bool must_run_ = false;            ///< for what libmicrohttpd does at the beginning of a run only
  bool something_happened_ = false;  ///< in this run of libmicrohttpd
  int idle_runs_ = 0;

  Daemon daemon_;
  EventLoop::Watch readable_;
  EventLoop::Watch answered_;
  EventLoop::Watch again_;
  // One timer for all connections. It may ring early, never late.
  EventLoop::Watch alarm_;
  std::optional<TimePoint> alarm_at_;
};

// ---- to libmicrohttpd and back

/// Runs `step`, which was called by C, and keeps what it throws for run_once().
template <class Step>
auto MicrohttpdServer::guarded(Step step) -> decltype(step()) {
  something_happened_ = true;
  try {
    return step();
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
  }
  if constexpr (!std::is_void_v<decltype(step())>) return {};
}

void MicrohttpdServer::on_connection(void* self, MHD_Connection* mhd, void** context,
                                     MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<MicrohttpdServer*>(self);
  server.guarded([&] {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) return server.open(mhd, context);
    if (*context) server.close(*static_cast<Connection*>(*context));
  });
}

void* MicrohttpdServer::on_request_line(void* self, const char* target, MHD_Connection* mhd) {
  auto& server = *static_cast<MicrohttpdServer*>(self);
  server.guarded([&] { server.begin(connection_of(mhd), target ? target : ""); });
  return nullptr;
}

/// First with the head, then with each part of the body, then without one, and so again when a
/// suspended connection was resumed.
MHD_Result MicrohttpdServer::on_access(void* self, MHD_Connection* mhd, const char*,
                                       const char* method, const char* version, const char* upload,
                                       std::size_t* upload_size, void**) {
  auto& server = *static_cast<MicrohttpdServer*>(self);
  const bool carry_on = server.guarded([&] {
    auto& exchange = *connection_of(mhd).exchange;
    if (!std::exchange(exchange.head_read, true))
      return server.take_head(exchange, method, version);
    if (*upload_size == 0) return server.finish(exchange);
    server.take_body(exchange, {upload, std::exchange(*upload_size, 0)});
    return true;
  });
  return carry_on ? MHD_YES : MHD_NO;
}

void MicrohttpdServer::on_completed(void* self, MHD_Connection* mhd, void**,
                                    MHD_RequestTerminationCode code) {
  auto& server = *static_cast<MicrohttpdServer*>(self);
  server.guarded([&] {
    auto& connection = connection_of(mhd);
    connection.exchange.reset();
    // libmicrohttpd's own refusals end like this.
    if (code == MHD_REQUEST_TERMINATED_WITH_ERROR) connection.refused = true;
    if (connection.stage != Stage::cut)
      server.connections_.enter(connection, has_left(connection) ? Stage::left : Stage::idle);
  });
}

void MicrohttpdServer::on_log(void* self, const char* format, va_list arguments) {
  auto& server = *static_cast<MicrohttpdServer*>(self);
  if (server.started_) return;
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  server.complaint_ = trimmed(line.data());
}

// ---- one connection, one request

void MicrohttpdServer::open(MHD_Connection* mhd, void** context) {
  const auto about = [mhd](MHD_ConnectionInfoType what) {
    return MHD_get_connection_info(mhd, what);
  };
  const auto* const address = about(MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  *context = &connections_.add({.mhd = mhd,
                                .fd = about(MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                                .peer = address_text(address)});
  if (is_mutual()) require_certificate(session_of(mhd));
}

void MicrohttpdServer::close(Connection& connection) {
  const bool unread = peek(connection) > 0;
  const bool room = connections_.size() + lingering_.size() <= options_.limits.connections;
  if ((connection.refused || unread) && connection.stage != Stage::cut && room && !stopping_)
    lingering_.keep(connection.fd);
  connections_.remove(connection);
  must_run_ = true;  // it listens again then, if it did not for want of room
}

void MicrohttpdServer::begin(Connection& connection, const char* target) {
  // The time of a connection's first request began with the connection.
  if (connection.stage != Stage::receiving) connections_.enter(connection, Stage::receiving);
  connection.exchange = std::make_shared<Exchange>(connection);
  auto& exchange = *connection.exchange;
  exchange.refusal = fault_of_target(target, options_.limits);
  const auto [path, query] = split_target(target);
  exchange.request.path = path;
  exchange.request.query = query_parameters(query);
}

bool MicrohttpdServer::take_head(Exchange& exchange, const char* method, const char* version) {
  auto* const mhd = exchange.connection.mhd;
  auto& request = exchange.request;
  request.method = method;
  CollectedFields collected{request.fields};
  MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, &collect_field, &collected);
  if (!collected.whole) return false;
  const auto head = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (!exchange.refusal)
    exchange.refusal = fault_of_head(request, version, Bytes(head->header_size), options_.limits);
  if (!exchange.refusal) {
    if (const auto length = declared_body(request.fields)) request.body.reserve(length->count());
    return true;
  }
  // Answered now, libmicrohttpd reads no further and closes.
  exchange.connection.refused = true;
  exchange.response = phrase(*exchange.refusal);
  return respond(exchange);
}

void MicrohttpdServer::take_body(Exchange& exchange, std::string_view part) {
  auto& body = exchange.request.body;
  // libmicrohttpd takes no answer in the middle of a body: the rest is read and dropped first.
  if (body.size() + part.size() > options_.limits.body.count()) exchange.refusal = body_too_long();
  if (!exchange.refusal) body.append(part);
}

bool MicrohttpdServer::finish(Exchange& exchange) {
  if (exchange.refusal && !exchange.response) exchange.response = phrase(*exchange.refusal);
  if (!exchange.response && !exchange.with_application) pass_on(exchange);
  if (exchange.response) return respond(exchange);
  exchange.suspended = true;
  MHD_suspend_connection(exchange.connection.mhd);
  return true;
}

void MicrohttpdServer::pass_on(Exchange& exchange) {
  auto& connection = exchange.connection;
  exchange.with_application = true;
  connections_.enter(connection, Stage::answering);
  if (is_mutual() && !connection.certificate)
    connection.certificate = shown_certificate(session_of(connection.mhd));
  exchange.request.peer = connection.peer;
  exchange.request.certificate = connection.certificate;
  const auto wait = std::weak_ptr(connection.exchange);
  on_request_(std::move(exchange.request), Answer([this, wait](std::optional<Response> response) {
                if (const auto waiting = wait.lock()) answer(*waiting, std::move(response));
              }));
}

void MicrohttpdServer::answer(Exchange& exchange, std::optional<Response> response) {
  if (!response) response = phrase({500, "The server has no answer to this request."});
  exchange.response = std::move(response);
  if (!std::exchange(exchange.suspended, false)) return;
  MHD_resume_connection(exchange.connection.mhd);
  must_run_ = true;
}

bool MicrohttpdServer::respond(Exchange& exchange) {
  auto& connection = exchange.connection;
  connections_.enter(connection, Stage::sending);
  const auto status = static_cast<unsigned>(exchange.response->status);
  const auto made = to_library(std::move(*exchange.response));
  if (made && MHD_queue_response(connection.mhd, status, made.get()) == MHD_YES) return true;
  const auto instead = to_library(phrase({500, "The server's answer is malformed."}));
  return instead && MHD_queue_response(connection.mhd, 500, instead.get()) == MHD_YES;
}

Response MicrohttpdServer::phrase(const Refusal& refusal) const {
  return options_.on_refused ? options_.on_refused(refusal) : phrased_plainly(refusal);
}

// ---- on the loop

void MicrohttpdServer::run() {
  again_.reset();
  int runs = 0;
  do
    run_once();
  while (has_work() && !is_stuck() && ++runs < most_runs);
  if (has_work())
    run_later();
  else
    idle_runs_ = 0;
  arm();
}

void MicrohttpdServer::run_once() {
  something_happened_ = false;
  must_run_ = false;
  MHD_run(daemon_.get());
  idle_runs_ = something_happened_ ? 0 : idle_runs_ + 1;
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

bool MicrohttpdServer::has_work() const {
  if (must_run_) return true;
  MHD_UNSIGNED_LONG_LONG timeout = 0;
  return MHD_get_timeout(daemon_.get(), &timeout) == MHD_YES;
}

bool MicrohttpdServer::is_stuck() {
  return idle_runs_ > most_idle_runs &&
         std::ranges::any_of(connections_.in(Stage::receiving), [](const Connection& connection) {
           return connection.exchange && connection.exchange->head_read;
         });
}

void MicrohttpdServer::run_later() {
  const auto when = is_stuck() ? clock_.now() + idle_run_pause : TimePoint::min();
  if (auto watch = loop_.at(when, [this] { run(); })) again_ = std::move(*watch);
}

void MicrohttpdServer::arm() {
  const auto next = connections_.next_due();
  if (!next || (alarm_at_ && *alarm_at_ <= *next)) return;
  if (auto watch = loop_.at(*next, [this] { cut_overdue(); })) {
    alarm_ = std::move(*watch);
    alarm_at_ = next;
  }
}

void MicrohttpdServer::cut_overdue() {
  alarm_at_.reset();
  while (auto* const connection = connections_.overdue()) {
    // libmicrohttpd sees the end of the connection at its socket, as if the client had gone.
    ::shutdown(connection->fd, SHUT_RDWR);
    connections_.enter(*connection, Stage::cut);
  }
  run();
}

MicrohttpdServer::~MicrohttpdServer() {
  stopping_ = true;
  readable_.reset();
  // libmicrohttpd aborts the program when it is stopped with suspended connections.
  for (auto& connection : connections_.in(Stage::answering))
    if (connection.exchange && std::exchange(connection.exchange->suspended, false))
      MHD_resume_connection(connection.mhd);
  daemon_.reset();
}

// ---- the start

Result<void> MicrohttpdServer::start() {
  if (options_.tls) {
    auto pem = read_pem(*options_.tls);
    if (!pem) return std::unexpected(std::move(pem.error()));
    pem_ = std::move(*pem);
  }
  auto socket = listen_on(options_.listen);
  if (!socket) return std::unexpected(std::move(socket.error()));
  auto endpoint = endpoint_of(*socket);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  endpoint_ = std::move(*endpoint);
  auto daemon = make_daemon(std::move(*socket));
  if (!daemon) return std::unexpected(std::move(daemon.error()));
  daemon_ = std::move(*daemon);
  started_ = true;
  const auto* const about = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
  auto watch = loop_.on_ready(about->epoll_fd, EPOLLIN, [this](std::uint32_t) { run(); });
  if (!watch) return std::unexpected(std::move(watch.error()));
  readable_ = std::move(*watch);
  // However many answers one turn of the loop gave, they leave in one run; and an Answer calls no
  // OnRequest from within.
  auto answered = loop_.before_waiting([this] {
    if (must_run_) run();
  });
  if (!answered) return std::unexpected(std::move(answered.error()));
  answered_ = std::move(*answered);
  run();
  return {};
}

Result<Daemon> MicrohttpdServer::make_daemon(Fd listening) {
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (options_.tls) flags |= MHD_USE_TLS;
  // The descriptor is libmicrohttpd's from here, which closes it also when it does not start.
  auto options = library_options(listening.release());
  Daemon daemon(MHD_start_daemon(flags, 0, nullptr, nullptr, &on_access, this,
                                 MHD_OPTION_EXTERNAL_LOGGER, &on_log, this, MHD_OPTION_ARRAY,
                                 options.data(), MHD_OPTION_END));
  if (daemon) return daemon;
  return failure(options_.tls ? ErrorCode::invalid_args : ErrorCode::internal,
                 fmt::format("start the HTTP server on {}: {}", endpoint_, complaint_));
}

std::vector<MHD_OptionItem> MicrohttpdServer::library_options(int listening) {
  const auto& limits = options_.limits;
  const auto pointer = [](auto* function) { return reinterpret_cast<intptr_t>(function); };
  // Twice the head, because its fields are indexed in the same memory.
  const auto memory = static_cast<intptr_t>(2 * limits.head.count() + limits.target.count());
  std::vector<MHD_OptionItem> options{
      {MHD_OPTION_LISTEN_SOCKET, listening, nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, limits.connections, nullptr},
      {MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits.connections_per_address, nullptr},
      {MHD_OPTION_NOTIFY_CONNECTION, pointer(&on_connection), this},
      {MHD_OPTION_URI_LOG_CALLBACK, pointer(&on_request_line), this},
      {MHD_OPTION_NOTIFY_COMPLETED, pointer(&on_completed), this},
  };
  if (options_.tls) {
    options.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, pem_.certificate.data()});
    options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, pem_.key.data()});
    options.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0,
                       const_cast<char*>("NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2")});
    if (is_mutual()) options.push_back({MHD_OPTION_HTTPS_MEM_TRUST, 0, pem_.client_ca.data()});
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  return options;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(EventLoop& loop, const Clock& clock,
                                               ServerOptions options, OnRequest on_request) {
  auto server =
      std::make_unique<MicrohttpdServer>(loop, clock, std::move(options), std::move(on_request));
  if (auto started = server->start(); !started) return std::unexpected(std::move(started.error()));
  return server;
}

}  // namespace volgrow::http
