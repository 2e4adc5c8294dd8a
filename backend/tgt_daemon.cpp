// SPDX-License-Identifier: Apache-2.0
// One request, one response, in the byte order of the host. The socket does not block; poll waits,
// until the deadline.
#include "backend/tgt_daemon.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/bytes.h"
#include "core/fd.h"
#include "core/text.h"

namespace volgrow::backend {
namespace {

/// Enough for ten thousand targets; tgtd itself sets no bound.
constexpr Bytes longest_answer{std::uint64_t{16} << 20};

// ---- the format ----

enum class Operation : std::uint32_t { add = 0, remove = 1, show = 2, bind = 3, unbind = 4 };
enum class Mode : std::uint32_t { target = 1, device = 2 };

/// struct tgtadm_req
struct RequestHeader {
  Mode mode;
  Operation operation;
  std::array<char, 64> driver{"iscsi"};
  std::uint32_t length = sizeof(RequestHeader);  ///< with the parameters behind it
  std::int32_t target = -1;                      ///< -1: all of them
  std::uint64_t session = 0;
  std::uint64_t lun = 0;
  std::uint32_t connection = 0;
  std::uint32_t host_number = 0;
  std::uint32_t device_type = 0;  ///< a disk
  std::uint32_t account_direction = 0;
  std::uint32_t pack = 0;
  std::uint32_t force = 0;
};
static_assert(sizeof(RequestHeader) == 120);

/// struct tgtadm_rsp
struct ResponseHeader {
  std::uint32_t status;
  std::uint32_t length;  ///< with this header
};

/// enum tgtadm_errno: those that mean something to us.
enum class Status : std::uint32_t {
  success = 0,
  no_memory = 2,
  no_driver = 3,
  no_target = 4,
  target_exists = 9,
  lun_exists = 10,
  acl_exists = 12,
  no_acl = 13,
  invalid_request = 17,
  target_active = 19,
};

std::string_view words_of(Status status) {
  switch (status) {
    case Status::success:
      return "success";
    case Status::no_memory:
      return "out of memory";
    case Status::no_driver:
      return "it has no driver \"iscsi\"";
    case Status::no_target:
      return "there is no such target";
    case Status::target_exists:
      return "the number or the name of the target is taken";
    case Status::lun_exists:
      return "the LUN exists already";
    case Status::acl_exists:
      return "the initiator is allowed already";
    case Status::no_acl:
      return "the initiator is not allowed";
    case Status::invalid_request:
      return "the request is invalid: see its log";
    case Status::target_active:
      return "an initiator is logged in";
  }
  return "see its log";
}

struct Response {
  Status status;
  std::string text;
};

// ---- the conversation ----

class Conversation {
 public:
  static Result<Conversation> begin(const std::filesystem::path& path, Deadline deadline,
                                    const Clock& clock);
  Result<Response> ask(const RequestHeader& header, std::string_view parameters);

 private:
  Conversation(Fd socket, Deadline deadline, const Clock& clock)
      : socket_(std::move(socket)), deadline_(deadline), clock_(clock) {}

  Result<void> wait_for(short events) const;
  Result<void> send(std::string_view bytes) const;
  Result<std::string> receive(std::size_t count) const;

  Fd socket_;
  Deadline deadline_;
  const Clock& clock_;
};

Result<Conversation> Conversation::begin(const std::filesystem::path& path, Deadline deadline,
                                         const Clock& clock) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return failure(ErrorCode::invalid_args,
                   fmt::format("{} is too long for the name of a socket", path.native()));
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (socket && ::connect(socket.get(), generic, sizeof address) == 0)
    return Conversation(std::move(socket), deadline, clock);
  return failure(ErrorCode::not_initialised,
                 fmt::format("tgtd does not answer at {}: {}; is the service tgt running?",
                             path.native(), std::strerror(errno)));
}

Result<void> Conversation::wait_for(short events) const {
  pollfd waiting{socket_.get(), events, 0};
  while (!deadline_.passed(clock_.now())) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_.remaining(clock_.now()));
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return system_failure(errno, "wait for tgtd");
  }
  return failure(ErrorCode::timed_out, "tgtd did not answer in time");
}

Result<void> Conversation::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    if (auto ready = wait_for(POLLOUT); !ready) return ready;
    const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
      return system_failure(errno, "send to tgtd");
    bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return {};
}

Result<std::string> Conversation::receive(std::size_t count) const {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    if (auto ready = wait_for(POLLIN); !ready) return std::unexpected(ready.error());
    const auto some = ::recv(socket_.get(), &bytes[done], count - done, 0);
    if (some == 0) return failure(ErrorCode::internal, "tgtd hung up in the middle of an answer");
    if (some < 0 && errno != EAGAIN && errno != EINTR)
      return system_failure(errno, "receive from tgtd");
    done += some > 0 ? static_cast<std::size_t>(some) : 0;
  }
  return bytes;
}

Result<Response> Conversation::ask(const RequestHeader& header, std::string_view parameters) {
  std::string request(reinterpret_cast<const char*>(&header), sizeof header);
  request.append(parameters);
  if (auto sent = send(request); !sent) return std::unexpected(sent.error());
  const auto head = receive(sizeof(ResponseHeader));
  if (!head) return std::unexpected(head.error());
  ResponseHeader response{};
  std::memcpy(&response, head->data(), sizeof response);
  if (response.length < sizeof response || response.length > longest_answer.count())
    return failure(ErrorCode::internal,
                   fmt::format("tgtd announced an answer of {} bytes; is it version 1.0.85?",
                               response.length));
  auto text = receive(response.length - sizeof response);
  if (!text) return std::unexpected(text.error());
  return Response{Status{response.status}, *std::move(text)};
}

/// `parameters` without the NUL that ends them on the wire.
Result<Response> ask(const std::filesystem::path& socket, const Clock& clock, Deadline deadline,
                     RequestHeader header, std::string parameters) {
  if (!parameters.empty()) parameters.push_back('\0');
  header.length = static_cast<std::uint32_t>(sizeof header + parameters.size());
  auto conversation = Conversation::begin(socket, deadline, clock);
  if (!conversation) return std::unexpected(std::move(conversation.error()));
  return conversation->ask(header, parameters);
}

/// Success, or `also`, which says that it is so already.
Result<void> expect(const Result<Response>& response, std::string_view action,
                    Status also = Status::success) {
  if (!response) return std::unexpected(Error(response.error()).during(action));
  const auto status = response->status;
  if (status == Status::success || status == also) return {};
  const bool busy = status == Status::target_exists || status == Status::target_active;
  return failure(busy ? ErrorCode::busy : ErrorCode::internal,
                 fmt::format("{}: tgtd says: {} ({})", action, words_of(status),
                             static_cast<std::uint32_t>(status)));
}

RequestHeader about(int target, Mode mode, Operation operation, int lun = 0) {
  RequestHeader header{.mode = mode, .operation = operation};
  header.target = target;
  header.lun = static_cast<std::uint64_t>(lun);
  return header;
}

// ---- what it shows ----

/// Reads the listing line by line. A target begins in the first column; what is in it is told by
/// the headings, and by how far a line is indented.
class Listing {
 public:
  void read(std::string_view line) {
    const auto text = trimmed(line);
    const auto indent = line.find_first_not_of(' ');
    if (indent == 0) return begin_target(text);
    if (targets_.empty()) return;
    if (indent == 4) {
      heading_ = text;
    } else if (heading_ == "LUN information:") {
      read_lun(text);
    } else if (heading_ == "I_T nexus information:") {
      read_session(text);
    } else if (heading_ == "ACL information:" && indent == 8) {
      targets_.back().allowed.emplace_back(text);
    }
  }
  std::vector<TgtTarget> take() && { return std::move(targets_); }

 private:
  /// "Target 7: iqn.…"
  void begin_target(std::string_view text) {
    constexpr std::string_view word = "Target ";
    const auto colon = text.find(": ");
    if (!text.starts_with(word) || colon == std::string_view::npos) return;
    TgtTarget target;
    const auto* end = text.data() + colon;
    if (std::from_chars(text.data() + word.size(), end, target.number).ptr != end) return;
    target.name = text.substr(colon + 2);
    targets_.push_back(std::move(target));
    heading_ = {};
    lun_ = {};
  }
  void read_lun(std::string_view text) {
    constexpr std::string_view lun = "LUN: ";
    constexpr std::string_view path = "Backing store path: ";
    if (text.starts_with(lun)) lun_ = text.substr(lun.size());
    if (text.starts_with(path) && lun_ == std::to_string(volume_lun))
      targets_.back().path = text.substr(path.size());
  }
  /// "Initiator: iqn.… alias: none". The alias is the initiator's to choose, its name is not: it
  /// would not have been let in.
  void read_session(std::string_view text) {
    constexpr std::string_view initiator = "Initiator: ";
    if (!text.starts_with(initiator)) return;
    text.remove_prefix(initiator.size());
    targets_.back().sessions.emplace_back(text.substr(0, text.find(' ')));
  }

  std::vector<TgtTarget> targets_;
  std::string heading_;
  std::string lun_;
};

}  // namespace

std::vector<TgtTarget> parse_targets(std::string_view shown) {
  Listing listing;
  while (!shown.empty()) {
    const auto end = std::min(shown.find('\n'), shown.size());
    listing.read(shown.substr(0, end));
    shown.remove_prefix(std::min(end + 1, shown.size()));
  }
  return std::move(listing).take();
}

Result<std::vector<TgtTarget>> TgtDaemon::targets(Deadline deadline) const {
  const auto response =
      ask(socket_, *clock_, deadline, about(-1, Mode::target, Operation::show), "");
  if (auto done = expect(response, "list the targets"); !done)
    return std::unexpected(std::move(done.error()));
  return parse_targets(response->text);
}

Result<void> TgtDaemon::add_target(int number, const std::string& name, Deadline deadline) const {
  return expect(ask(socket_, *clock_, deadline, about(number, Mode::target, Operation::add),
                    "targetname=" + name),
                "add target " + name);
}

Result<void> TgtDaemon::add_volume(int number, const std::string& path, Deadline deadline) const {
  return expect(ask(socket_, *clock_, deadline,
                    about(number, Mode::device, Operation::add, volume_lun), "path=" + path),
                "offer " + path);
}

Result<void> TgtDaemon::allow(int number, const std::string& initiator, Deadline deadline) const {
  return expect(ask(socket_, *clock_, deadline, about(number, Mode::target, Operation::bind),
                    "initiator-name=" + initiator),
                "allow " + initiator, Status::acl_exists);
}

Result<void> TgtDaemon::forbid(int number, const std::string& initiator, Deadline deadline) const {
  return expect(ask(socket_, *clock_, deadline, about(number, Mode::target, Operation::unbind),
                    "initiator-name=" + initiator),
                "forbid " + initiator, Status::no_acl);
}

Result<void> TgtDaemon::remove_target(int number, Deadline deadline) const {
  return expect(ask(socket_, *clock_, deadline, about(number, Mode::target, Operation::remove), ""),
                fmt::format("remove target {}", number), Status::no_target);
}

}  // namespace volgrow::backend
