// SPDX-License-Identifier: Apache-2.0
// The client over libcurl's multi interface: its sockets and its one timer are the event loop's.
// Names are looked up in a thread of libcurl's, so they do not hold the loop.
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/epoll.h>

#include <array>
#include <list>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "http/client.h"

namespace volgrow::http {
namespace {

struct MultiCleanup {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Multi = std::unique_ptr<CURLM, MultiCleanup>;
using Easy = std::unique_ptr<CURL, EasyCleanup>;
using Lines = std::unique_ptr<curl_slist, ListFree>;

class CurlClient;

/// One request and as much of its answer as is there. libcurl keeps pointers into it.
struct Transfer {
  Transfer(CurlClient& of, Outgoing request, Client::Then callback)
      : client(of), outgoing(std::move(request)), then(std::move(callback)) {}

  CurlClient& client;
  Outgoing outgoing;
  Client::Then then;
  Lines lines;
  std::array<char, CURL_ERROR_SIZE> complaint{};
  Response response;
  std::size_t head_size = 0;
  bool in_head = false;
  bool too_big = false;
  Easy easy;
  EventLoop::Watch deadline;
  EventLoop::Watch failing;
  std::list<std::shared_ptr<Transfer>>::iterator self{};
};

/// "POST https://host/path".
std::string name_of(const Outgoing& outgoing) {
  return fmt::format("{} {}", printable(outgoing.method), without_secrets(outgoing.url));
}

Error error_of(const Outgoing& outgoing, ErrorCode code, std::string_view reason,
               int error_number = 0) {
  return {code, fmt::format("{}: {}", name_of(outgoing), printable(reason)), {}, error_number};
}

ErrorCode kind_of(CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) return ErrorCode::timed_out;
  if (code == CURLE_URL_MALFORMAT) return ErrorCode::invalid_args;
  return code == CURLE_OUT_OF_MEMORY ? ErrorCode::internal : ErrorCode::unreachable;
}

/// Never the value of a field: it may be a secret.
std::optional<Error> fault_of(const Outgoing& outgoing) {
  const auto invalid = [&](std::string_view reason) {
    return error_of(outgoing, ErrorCode::invalid_args, reason);
  };
  if (!is_token(outgoing.method)) return invalid("this is no method");
  if (!outgoing.url.starts_with("http://") && !outgoing.url.starts_with("https://"))
    return invalid("a URL begins with http:// or https://");
  if (!is_field_value(outgoing.url)) return invalid("the URL has a control character in it");
  for (const auto& [name, value] : outgoing.fields)
    if (!is_token(name) || !is_field_value(value))
      return invalid(
          fmt::format("the header field {} has a line end or another control character "
                      "in it",
                      cited(name)));
  return std::nullopt;
}

void append(Lines& lines, const std::string& line) {
  if (auto* const longer = curl_slist_append(lines.get(), line.c_str())) {
    static_cast<void>(lines.release());
    lines.reset(longer);
  }
}

/// The fields, and what libcurl would add by itself switched off: waiting for a "100 Continue", and
/// a Content-Type that nobody named.
Lines header_lines(const Fields& fields) {
  Lines lines;
  for (const auto& [name, value] : fields)
    append(lines, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  for (const char* const own : {"Expect", "Content-Type"})
    if (!fields.find(own)) append(lines, fmt::format("{}:", own));
  return lines;
}

template <class T>
void set(Transfer& transfer, CURLoption option, T value) {
  curl_easy_setopt(transfer.easy.get(), option, value);
}

void set_request(Transfer& transfer) {
  const auto& out = transfer.outgoing;
  set(transfer, CURLOPT_URL, out.url.c_str());
  set(transfer, CURLOPT_HTTPHEADER, transfer.lines.get());
  const bool has_body = !out.body.empty() || out.method == "POST" || out.method == "PUT";
  if (has_body) {
    set(transfer, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(out.body.size()));
    set(transfer, CURLOPT_POSTFIELDS, out.body.c_str());
  }
  if (out.method == "HEAD") return set(transfer, CURLOPT_NOBODY, 1L);
  set(transfer, CURLOPT_CUSTOMREQUEST, out.method.c_str());
}

void set_manners(Transfer& transfer) {
  set(transfer, CURLOPT_USERAGENT, "volgrow/" VOLGROW_VERSION);
  set(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
  set(transfer, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(transfer, CURLOPT_FOLLOWLOCATION, 0L);
  set(transfer, CURLOPT_PROXY, "");
  set(transfer, CURLOPT_PATH_AS_IS, 1L);
  set(transfer, CURLOPT_NOSIGNAL, 1L);
  // Or who gives up a request whose name is still being looked up waits for that thread.
  set(transfer, CURLOPT_QUICK_EXIT, 1L);
  set(transfer, CURLOPT_ERRORBUFFER, transfer.complaint.data());
}

void set_trust(Transfer& transfer) {
  const auto& tls = transfer.outgoing.tls;
  if (!tls.ca.empty()) {
    set(transfer, CURLOPT_CAINFO, tls.ca.c_str());
    set(transfer, CURLOPT_CAPATH,
        static_cast<const char*>(nullptr));  // Debian's default: the host's
  }
  if (tls.certificate.empty()) return;
  set(transfer, CURLOPT_SSLCERT, tls.certificate.c_str());
  set(transfer, CURLOPT_SSLKEY, tls.key.c_str());
}

void take_field(Transfer& transfer, std::string_view line) {
  if (line.starts_with("HTTP/")) {  // also the one after "100 Continue"
    transfer.response.fields = {};
    transfer.in_head = true;
    return;
  }
  const auto colon = line.find(':');
  if (trimmed(line).empty()) transfer.in_head = false;
  if (!transfer.in_head || colon == std::string_view::npos) return;
  transfer.response.fields.add(std::string(line.substr(0, colon)),
                               std::string(trimmed(line.substr(colon + 1))));
}

class CurlSending final : public Sending {
 public:
  explicit CurlSending(std::weak_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
  CurlSending(const CurlSending&) = delete;
  CurlSending& operator=(const CurlSending&) = delete;
  ~CurlSending() override;

 private:
  std::weak_ptr<Transfer> transfer_;
};

class CurlClient final : public Client {
 public:
  CurlClient(EventLoop& loop, const Clock& clock, ClientLimits limits, Multi multi)
      : loop_(loop), clock_(clock), limits_(limits), multi_(std::move(multi)) {}
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  ~CurlClient() override;

  void prepare();
  Pending send(Outgoing outgoing, Deadline deadline, Then then) override;
  void forget(Transfer& transfer);

 private:
  // What libcurl calls.
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void*);
  static int on_timer(CURLM* multi, long milliseconds, void* self);
  static std::size_t on_head(char* bytes, std::size_t, std::size_t size, void* transfer);
  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* transfer);

  Result<void> begin(Transfer& transfer, Deadline deadline);
  Result<void> start(Transfer& transfer);
  void watch(curl_socket_t socket, int what);
  void perform(curl_socket_t socket, int ready);
  void settle();
  void end(Transfer& transfer, Result<Response> result);
  Result<Response> outcome(Transfer& transfer, CURLcode code);
  Error failure_of(Transfer& transfer, CURLcode code) const;

  EventLoop& loop_;
  const Clock& clock_;
  const ClientLimits limits_;
  std::unordered_map<curl_socket_t, EventLoop::Watch> sockets_;
  EventLoop::Watch timer_;
  std::list<std::shared_ptr<Transfer>> transfers_;
  Multi multi_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

CurlSending::~CurlSending() {
  if (const auto transfer = transfer_.lock()) transfer->client.forget(*transfer);
}

void CurlClient::prepare() {
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(limits_.connections_per_host));
}

CurlClient::~CurlClient() {
  while (!transfers_.empty())
    forget(*transfers_.front());
  multi_.reset();
}

Client::Pending CurlClient::send(Outgoing outgoing, Deadline deadline, Then then) {
  auto transfer = std::make_shared<Transfer>(*this, std::move(outgoing), std::move(then));
  transfer->self = transfers_.insert(transfers_.end(), transfer);
  if (auto begun = begin(*transfer, deadline); !begun) {
    auto failing = loop_.at(TimePoint::min(), [this, raw = transfer.get(), why = begun.error()] {
      end(*raw, std::unexpected(why));
    });
    if (failing) transfer->failing = std::move(*failing);
  }
  return std::make_unique<CurlSending>(transfer);
}

Result<void> CurlClient::begin(Transfer& transfer, Deadline deadline) {
  if (auto fault = fault_of(transfer.outgoing)) return std::unexpected(std::move(*fault));
  auto watch = loop_.at(deadline.at, [this, &transfer] {
    end(transfer, std::unexpected(error_of(transfer.outgoing, ErrorCode::timed_out,
                                           "there was no answer before the deadline")));
  });
  if (!watch) return std::unexpected(std::move(watch.error()));
  transfer.deadline = std::move(*watch);
  return start(transfer);
}

Result<void> CurlClient::start(Transfer& transfer) {
  transfer.easy.reset(curl_easy_init());
  transfer.lines = header_lines(transfer.outgoing.fields);
  if (!transfer.easy) return failure(ErrorCode::internal, "libcurl has no memory");
  set_request(transfer);
  set_manners(transfer);
  set_trust(transfer);
  set(transfer, CURLOPT_PRIVATE, &transfer);
  set(transfer, CURLOPT_HEADERFUNCTION, &on_head);
  set(transfer, CURLOPT_HEADERDATA, &transfer);
  set(transfer, CURLOPT_WRITEFUNCTION, &on_body);
  set(transfer, CURLOPT_WRITEDATA, &transfer);
  const auto added = curl_multi_add_handle(multi_.get(), transfer.easy.get());
  if (added == CURLM_OK) return {};
  return std::unexpected(
      error_of(transfer.outgoing, ErrorCode::internal, curl_multi_strerror(added)));
}

/// Its Then is not called any more.
void CurlClient::forget(Transfer& transfer) {
  if (transfer.easy) curl_multi_remove_handle(multi_.get(), transfer.easy.get());
  transfers_.erase(transfer.self);
}

void CurlClient::end(Transfer& transfer, Result<Response> result) {
  auto then = std::move(transfer.then);
  forget(transfer);
  then(std::move(result));
}

// ---- libcurl's sockets and timer

int CurlClient::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  try {
    static_cast<CurlClient*>(self)->watch(socket, what);
    return 0;
  } catch (...) {
    return -1;
  }
}

void CurlClient::watch(curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) {
    sockets_.erase(socket);
    return;
  }
  const std::uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  auto& known = sockets_[socket];
  if (known) return loop_.change_events(*known, events);
  auto made = loop_.on_ready(socket, events, [this, socket](std::uint32_t ready) {
    const bool broken = (ready & (EPOLLERR | EPOLLHUP)) != 0;
    perform(socket, ((ready & EPOLLIN) != 0 || broken ? CURL_CSELECT_IN : 0) |
                        ((ready & EPOLLOUT) != 0 || broken ? CURL_CSELECT_OUT : 0));
  });
  if (made) known = std::move(*made);
}

int CurlClient::on_timer(CURLM*, long milliseconds, void* self) {
  auto& client = *static_cast<CurlClient*>(self);
  client.timer_.reset();
  if (milliseconds < 0) return 0;
  auto watch = client.loop_.at(client.clock_.now() + std::chrono::milliseconds(milliseconds),
                               [&client] { client.perform(CURL_SOCKET_TIMEOUT, 0); });
  if (!watch) return -1;
  client.timer_ = std::move(*watch);
  return 0;
}

void CurlClient::perform(curl_socket_t socket, int ready) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), socket, ready, &running);
  settle();
}

/// Ends what has ended, one at a time: a Then may end others, or the client.
void CurlClient::settle() {
  const std::weak_ptr<bool> alive = alive_;
  int left = 0;
  while (!alive.expired()) {
    const auto* const message = curl_multi_info_read(multi_.get(), &left);
    if (!message) return;
    if (message->msg != CURLMSG_DONE) continue;
    char* found = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
    auto& transfer = *reinterpret_cast<Transfer*>(found);
    end(transfer, outcome(transfer, message->data.result));
  }
}

// ---- an answer

std::size_t CurlClient::on_head(char* bytes, std::size_t, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  transfer.head_size += size;
  transfer.too_big = transfer.head_size > transfer.client.limits_.head.count();
  if (transfer.too_big) return 0;
  try {
    take_field(transfer, {bytes, size});
    return size;
  } catch (...) {
    return 0;
  }
}

std::size_t CurlClient::on_body(char* bytes, std::size_t, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  auto& body = transfer.response.body;
  transfer.too_big = body.size() + size > transfer.client.limits_.body.count();
  if (transfer.too_big) return 0;
  try {
    body.append(bytes, size);
    return size;
  } catch (...) {
    return 0;
  }
}

Result<Response> CurlClient::outcome(Transfer& transfer, CURLcode code) {
  if (code != CURLE_OK) return std::unexpected(failure_of(transfer, code));
  if (transfer.in_head)  // which libcurl takes for a whole answer
    return std::unexpected(error_of(transfer.outgoing, ErrorCode::unreachable,
                                    "the connection ended within the head of the answer"));
  long status = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  return std::move(transfer.response);
}

Error CurlClient::failure_of(Transfer& transfer, CURLcode code) const {
  if (transfer.too_big)
    return error_of(transfer.outgoing, ErrorCode::limits_exceeded,
                    fmt::format("the answer is longer than {} bytes of head or {} of body",
                                limits_.head.count(), limits_.body.count()));
  long system_error = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_OS_ERRNO, &system_error);
  const std::string_view said = transfer.complaint.data();
  return error_of(transfer.outgoing, kind_of(code), said.empty() ? curl_easy_strerror(code) : said,
                  static_cast<int>(system_error));
}

}  // namespace

Result<std::unique_ptr<Client>> Client::create(EventLoop& loop, const Clock& clock,
                                               ClientLimits limits) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return failure(ErrorCode::internal, "libcurl does not start");
  if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0)
    return failure(ErrorCode::internal, "this libcurl would hold the program for every host name");
  Multi multi(curl_multi_init());
  if (!multi) return failure(ErrorCode::internal, "libcurl has no memory");
  auto client = std::make_unique<CurlClient>(loop, clock, limits, std::move(multi));
  client->prepare();
  return client;
}

std::string without_secrets(std::string_view url) {
  const auto scheme = url.find("://");
  const auto from = scheme == std::string_view::npos ? 0 : scheme + 3;
  auto place = url.substr(from);
  place = place.substr(0, place.find_first_of("?#"));
  // As cautious readers do, up to the last "@" before the path: a password may hold one.
  const auto host = place.substr(0, place.find('/'));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) place.remove_prefix(at + 1);
  return printable(url.substr(0, from)) + printable(place);
}

}  // namespace volgrow::http
