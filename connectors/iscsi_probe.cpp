// SPDX-License-Identifier: Apache-2.0
// libiscsi's callbacks end here: each step starts something and turns the loop until it is over or
// the deadline has come. Its blocking calls know no deadline and reconnect for ever.
#include "connectors/iscsi_probe.h"

#include <fmt/format.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <limits>
#include <memory>
#include <vector>

#include "connectors/name_lookup.h"
#include "connectors/scsi_questions.h"
#include "core/text.h"

namespace volgrow {
namespace {

/// A target that redirects in circles is of no use.
constexpr int most_redirections = 4;

/// libiscsi writes to its socket without MSG_NOSIGNAL: a target that hangs up must not end this
/// program. For this thread only, and a signal that came meanwhile is taken away again.
class BrokenPipesIgnored {
 public:
  BrokenPipesIgnored() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  BrokenPipesIgnored(const BrokenPipesIgnored&) = delete;
  BrokenPipesIgnored& operator=(const BrokenPipesIgnored&) = delete;
  ~BrokenPipesIgnored() {
    constexpr timespec at_once{};
    while (sigismember(&before_, SIGPIPE) == 0 && sigtimedwait(&pipe_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

struct ContextCloser {
  void operator()(iscsi_context* context) const {
    // strncpy fills with zeros to the end: this wipes libiscsi's copy of the secret.
    iscsi_set_initiator_username_pwd(context, "", "");
    iscsi_destroy_context(context);
  }
};

struct TaskCloser {
  void operator()(scsi_task* task) const { scsi_free_scsi_task(task); }
};

/// What libiscsi says went wrong, without what our sentence says already.
std::string reason_of(iscsi_context* context) {
  constexpr std::array<std::string_view, 2> beginnings{"iscsi_service: ",
                                                       "Failed to log in to target. Status: "};
  std::string_view text = trimmed(iscsi_get_error(context));
  for (const auto beginning : beginnings)
    if (text.starts_with(beginning)) text.remove_prefix(beginning.size());
  return printable(text);
}

/// How one step of a session ended.
struct Ending {
  bool over = false;
  int status = SCSI_STATUS_ERROR;
  std::string reason;  ///< why not well, as it was then: what fails later has another
};

void note_ending(iscsi_context* context, int status, void*, void* ending) {
  *static_cast<Ending*>(ending) = {true, status, reason_of(context)};
}

std::string text_of(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

ScsiAnswer answer_of(int status, const scsi_task& task) {
  const auto size = static_cast<std::size_t>(std::max(task.datain.size, 0));
  const auto bytes = task.datain.data == nullptr ? std::string() : text_of(task.datain.data, size);
  if (status != SCSI_STATUS_CHECK_CONDITION) return {static_cast<std::uint8_t>(status), bytes, ""};
  constexpr std::size_t length_field = 2;  // RFC 7143 11.4.7: the sense data follows its length
  return {scsi::check_condition, "", bytes.size() < length_field ? "" : bytes.substr(length_field)};
}

/// What the target answered to a login, when libiscsi's sentence ends in its number.
std::optional<unsigned> login_status(std::string_view message) {
  const auto open = message.rfind('(');
  if (open == std::string_view::npos || !message.ends_with(')')) return std::nullopt;
  unsigned status = 0;
  const auto* end = message.data() + message.size() - 1;
  const auto [rest, failed] = std::from_chars(message.data() + open + 1, end, status);
  return failed == std::errc() && rest == end ? std::optional(status) : std::nullopt;
}

/// RFC 7143 11.13.5: class and detail.
constexpr unsigned moved_for_good = 0x0102;

ErrorCode code_of_login(std::optional<unsigned> status) {
  constexpr unsigned authentication = 0x0201, authorization = 0x0202;
  constexpr unsigned not_found = 0x0203, removed = 0x0204;
  if (status == authentication || status == authorization) return ErrorCode::not_authorized;
  if (status == not_found || status == removed) return ErrorCode::no_such_device;
  return ErrorCode::no_usable_path;
}

/// What somebody can do about a login that was refused.
std::string advice_for(ErrorCode code, const std::string& initiator) {
  if (code == ErrorCode::not_authorized)
    return fmt::format("; check the user, the secret, and whether it lets {} in", initiator);
  if (code == ErrorCode::no_such_device)
    return fmt::format("; it is not there, or hidden from {}", initiator);
  return "";
}

/// One connection to one portal. Every method is called once, in the order in which they stand.
class IscsiSession {
 public:
  IscsiSession(const IscsiProbe& probe, std::string portal, Deadline deadline, const Clock& clock)
      : probe_(probe),
        portal_(std::move(portal)),
        deadline_(deadline),
        clock_(clock),
        context_(iscsi_create_context(probe.initiator.c_str())) {}

  Result<void> connect();
  /// The address to which the target sends its initiators, when this one does.
  Result<std::optional<std::string>> log_in();
  Result<IscsiAnswer> ask();
  /// A target keeps a session that does not say good-bye until it finds out by itself.
  void log_out();

 private:
  void prepare();
  Result<void> finish(const Ending& ending, std::string_view action);
  Result<ScsiAnswer> send(scsi::Cdb cdb, std::size_t reply_size);
  /// The step did not end, or did not even begin.
  std::unexpected<Error> failed(ErrorCode code, std::string_view action) const {
    return failure(code, fmt::format("{} {}: {}", action, portal_, reason_of(context_.get())));
  }
  std::unexpected<Error> ended_badly(ErrorCode code, std::string_view action,
                                     const Ending& ending) const {
    return failure(code, fmt::format("{} {}: {}", action, portal_, ending.reason));
  }
  std::unexpected<Error> late(std::string_view action) const {
    return failure(ErrorCode::timed_out,
                   fmt::format("{} {}: no answer within the time allowed", action, portal_));
  }

  const IscsiProbe& probe_;
  std::string portal_;
  Deadline deadline_;
  const Clock& clock_;
  // Endings and tasks outlive the context, which still calls back while it is destroyed.
  Ending connected_, logged_in_, logged_out_, answered_;
  std::vector<std::unique_ptr<scsi_task, TaskCloser>> tasks_;
  std::unique_ptr<iscsi_context, ContextCloser> context_;
};

Result<void> IscsiSession::finish(const Ending& ending, std::string_view action) {
  while (!ending.over) {
    const auto left = deadline_.remaining(clock_.now());
    if (left <= Duration::zero()) return late(action);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    constexpr decltype(wait) longest = std::numeric_limits<int>::max();
    pollfd socket{iscsi_get_fd(context_.get()),
                  static_cast<short>(iscsi_which_events(context_.get())), 0};
    if (socket.fd < 0) return failed(ErrorCode::unreachable, action);
    const int ready = ::poll(&socket, 1, static_cast<int>(std::min(wait, longest)));
    if (ready < 0 && errno != EINTR) return system_failure(errno, action);
    if (ready <= 0) continue;
    const bool broken = iscsi_service(context_.get(), socket.revents) != 0;
    if (broken && !ending.over) return failed(ErrorCode::unreachable, action);
  }
  return {};
}

void IscsiSession::prepare() {
  auto* context = context_.get();
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE_CRC32C);
  iscsi_set_targetname(context, probe_.url.target.c_str());
  if (probe_.secret != nullptr)
    iscsi_set_initiator_username_pwd(context, probe_.url.user.c_str(), probe_.secret->text());
}

Result<void> IscsiSession::connect() {
  constexpr std::string_view action = "no connection to";
  if (context_ == nullptr) return failure(ErrorCode::internal, "libiscsi made no context");
  prepare();
  const int refused =
      iscsi_connect_async(context_.get(), portal_.c_str(), note_ending, &connected_);
  if (refused != 0) return failed(ErrorCode::unreachable, action);
  if (auto done = finish(connected_, action); !done) return done;
  if (connected_.status == SCSI_STATUS_GOOD) return {};
  return ended_badly(ErrorCode::unreachable, action, connected_);
}

Result<std::optional<std::string>> IscsiSession::log_in() {
  constexpr std::string_view action = "no login at";
  if (iscsi_login_async(context_.get(), note_ending, &logged_in_) != 0)
    return failed(ErrorCode::no_usable_path, action);
  if (auto done = finish(logged_in_, action); !done)
    return std::unexpected(std::move(done.error()));
  if (logged_in_.status == SCSI_STATUS_GOOD) return std::nullopt;
  const auto status = login_status(logged_in_.reason);
  const std::string elsewhere = iscsi_get_target_address(context_.get());
  // libiscsi knows the temporary redirection only; the permanent one it takes for a refusal.
  const bool moved = logged_in_.status == SCSI_STATUS_REDIRECT || status == moved_for_good;
  if (moved && !elsewhere.empty()) return elsewhere;
  const auto code = code_of_login(status);
  logged_in_.reason += advice_for(code, probe_.initiator);
  return ended_badly(code, action, logged_in_);
}

Result<ScsiAnswer> IscsiSession::send(scsi::Cdb cdb, std::size_t reply_size) {
  constexpr std::string_view action = "no answer from";
  std::vector<unsigned char> bytes(cdb.begin(), cdb.end());
  tasks_.emplace_back(scsi_create_task(static_cast<int>(bytes.size()), bytes.data(), SCSI_XFER_READ,
                                       static_cast<int>(reply_size)));
  auto* task = tasks_.back().get();
  answered_ = {};
  const bool sent =
      task != nullptr && iscsi_scsi_command_async(context_.get(), probe_.url.lun, task, note_ending,
                                                  nullptr, &answered_) == 0;
  if (!sent) return failed(ErrorCode::no_usable_path, action);
  if (auto done = finish(answered_, action); !done) return std::unexpected(std::move(done.error()));
  constexpr int largest_scsi_status = 0xff;
  if (answered_.status > largest_scsi_status)
    return ended_badly(ErrorCode::unreachable, action, answered_);
  return answer_of(answered_.status, *task);
}

Result<IscsiAnswer> IscsiSession::ask() {
  const auto carry = [this](scsi::Cdb cdb, std::size_t size) { return send(cdb, size); };
  const auto name = fmt::format("LUN {}", probe_.url.lun);
  const auto about_target = [this](Error error) {
    error.device.clear();  // it is no device of this host
    return std::unexpected(
        std::move(error).during(fmt::format("{} at {}", probe_.url.target, portal_)));
  };
  auto capacity = scsi::ask_capacity(carry, name);
  if (!capacity) return about_target(std::move(capacity.error()));
  auto identity = scsi::ask_identity(carry, name);
  if (!identity) return about_target(std::move(identity.error()));
  return IscsiAnswer{portal_, capacity->size, capacity->block_length, *std::move(identity)};
}

void IscsiSession::log_out() {
  if (iscsi_logout_async(context_.get(), note_ending, &logged_out_) != 0) return;
  // The answer is there already; how the session ends is nothing the caller can do about.
  static_cast<void>(finish(logged_out_, "log out"));
}

struct Asked {
  std::optional<IscsiAnswer> answer;
  std::string redirected_to;
};

Result<Asked> ask_at(const IscsiProbe& probe, const std::string& portal, Deadline deadline,
                     const Clock& clock) {
  IscsiSession session(probe, portal, deadline, clock);
  if (auto done = session.connect(); !done) return std::unexpected(std::move(done.error()));
  auto redirected = session.log_in();
  if (!redirected) return std::unexpected(std::move(redirected.error()));
  if (*redirected) return Asked{std::nullopt, **redirected};
  auto answer = session.ask();
  session.log_out();
  if (!answer) return std::unexpected(std::move(answer.error()));
  return Asked{*std::move(answer), ""};
}

Result<IscsiAnswer> ask_following(const IscsiProbe& probe, std::string portal, Deadline deadline,
                                  const Clock& clock) {
  for (int hop = 0; hop < most_redirections; ++hop) {
    auto asked = ask_at(probe, portal, deadline, clock);
    if (!asked) return std::unexpected(std::move(asked.error()));
    if (asked->answer) return *std::move(asked->answer);
    const auto next = parse_iscsi_portal(asked->redirected_to);
    if (!next)
      return failure(ErrorCode::no_usable_path,
                     fmt::format("{} redirects to {}, which is no portal", portal,
                                 cited(asked->redirected_to)));
    portal = to_string(*next);
  }
  return failure(ErrorCode::no_usable_path,
                 fmt::format("the target redirects again and again, at last to {}", portal));
}

}  // namespace

Result<IscsiAnswer> probe_iscsi(const IscsiProbe& probe, Deadline deadline, const Clock& clock) {
  const BrokenPipesIgnored until_done;
  const auto addresses = addresses_of(probe.url.host, deadline, clock);
  if (!addresses) return std::unexpected(addresses.error());
  Result<IscsiAnswer> answer =
      failure(ErrorCode::unreachable, fmt::format("{} has no address", cited(probe.url.host)));
  for (const auto& address : *addresses) {
    answer = ask_following(probe, portal_text(address, probe.url.port), deadline, clock);
    if (answer || answer.error().code != ErrorCode::unreachable) return answer;
  }
  return answer;
}

}  // namespace volgrow
