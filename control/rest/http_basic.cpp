// SPDX-License-Identifier: Apache-2.0
// oslo_middleware/basic_auth.py, with its answers; other than there, a password that was right is
// remembered, and a user that does not exist takes as long as one with another password.
#include <fmt/format.h>
#include <gnutls/crypto.h>
#include <sys/random.h>

#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "control/rest/auth.h"
#include "control/rest/faults.h"
#include "control/rest/password_lane.h"
#include "control/rest/words.h"
#include "core/json.h"

namespace volgrow::control::rest {
namespace {

constexpr std::string_view not_verified =
    "This server could not verify that you are authorized to access the document you requested. "
    "Either you supplied the wrong credentials (e.g., bad password), or your browser does not "
    "understand how to supply the credentials required.";

http::Response unauthorized(std::string_view message) {
  const Value body = Value::Object{{"error", Value::Object{{"message", message}, {"code", 401}}}};
  return {.status = 401,
          .fields = {{"Content-Type", "application/json"},
                     {"WWW-Authenticate", "Basic realm=\"OpenStack\""}},
          .body = to_json(body)};
}

// ---- the field ----

struct Credentials {
  std::string user;
  std::string password;
};

std::optional<unsigned> sextet(char c) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = alphabet.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(at));
}

/// Base64 with its padding and nothing else (RFC 4648 §4).
std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
    text.remove_suffix(1);
  std::string bytes;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto value = sextet(c);
    if (!value) return std::nullopt;
    held = (held << 6 | *value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(held >> bits & 0xff));
  }
  return bytes;
}

/// What an Authorization field says. The error is oslo's sentence.
std::expected<Credentials, std::string> credentials_in(std::string_view field) {
  const auto text = words::stripped(field);
  const auto end = text.find_first_of(" \t");
  if (end == std::string_view::npos) return std::unexpected("Could not parse Authorization header");
  const auto scheme = text.substr(0, end);
  if (words::lower(scheme) != "basic")
    return std::unexpected(fmt::format("Unsupported authorization type \"{}\"", scheme));
  const auto pair = base64_decoded(words::stripped(text.substr(end)));
  const auto colon = pair ? pair->find(':') : std::string::npos;
  // bcrypt ends at a NUL, so whatever follows one would be as good as nothing.
  const bool is_text = colon != std::string::npos && words::is_utf8(pair->substr(0, colon)) &&
                       pair->find('\0') == std::string::npos;
  if (!is_text) return std::unexpected("Could not decode authorization token");
  return Credentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

// ---- the file ----

/// A hash that nothing matches, at the cost of a real one: an unknown user is found out as slowly
/// as a wrong password.
std::string nobody_like(std::string_view hash) {
  constexpr std::string_view settings = "$2y$10$";
  return fmt::format("{}abcdefghijklmnopqrstuuVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV",
                     hash.size() > settings.size() ? hash.substr(0, settings.size()) : settings);
}

class PasswordFile {
 public:
  explicit PasswordFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// Reads it again when it is another one than before. Errors: InvalidArgs.
  Result<void> refresh() {
    std::error_code error;
    const auto changed = std::filesystem::last_write_time(path_, error);
    if (error)
      return failure(ErrorCode::invalid_args,
                     fmt::format("{}: {}", path_.string(), error.message()));
    if (changed == read_at_) return {};
    auto users = read();
    if (!users) return std::unexpected(std::move(users.error()));
    users_ = std::move(*users);
    read_at_ = changed;
    return {};
  }
  std::string hash_of(const std::string& user) const {
    const auto found = users_.find(user);
    if (found != users_.end()) return found->second;
    return nobody_like(users_.empty() ? "" : users_.begin()->second);
  }

 private:
  using Users = std::map<std::string, std::string>;

  Result<Users> read() const {
    std::ifstream file(path_);
    Users users;
    for (std::string line; std::getline(file, line);) {
      const auto entry = words::stripped(line);
      const auto colon = entry.find(':');
      if (colon == std::string_view::npos) continue;
      const auto hash = entry.substr(colon + 1);
      const auto kind = hash.substr(0, 4);
      const std::string user(entry.substr(0, colon));
      if (kind != "$2y$" && kind != "$2a$" && kind != "$2b$")
        return failure(ErrorCode::invalid_args,
                       fmt::format("{}: only bcrypt passwords are supported, for {} too; make them "
                                   "with htpasswd -B",
                                   path_.string(), user));
      users.emplace(user, hash);
    }
    if (!file.is_open() || file.bad())
      return failure(ErrorCode::invalid_args, fmt::format("{}: cannot be read", path_.string()));
    return users;
  }

  std::filesystem::path path_;
  std::optional<std::filesystem::file_time_type> read_at_;
  Users users_;
};

// ---- what was right before ----

/// Pairs of user, password and hash that matched, as keyed digests (HMAC-SHA-256): not the
/// password, and of no use to anybody without the key, which only this process has.
class Remembered {
 public:
  using Digest = std::array<char, 32>;

  Remembered() {
    while (::getrandom(key_.data(), key_.size(), 0) != static_cast<ssize_t>(key_.size())) {
    }
  }
  Digest digest_of(const Credentials& credentials, const std::string& hash) const {
    const auto text = fmt::format("{}:{}:{}{}", credentials.user.size(), credentials.user, hash,
                                  credentials.password);
    Digest digest{};
    ::gnutls_hmac_fast(GNUTLS_MAC_SHA256, key_.data(), key_.size(), text.data(), text.size(),
                       digest.data());
    return digest;
  }
  bool has(const Digest& digest) const { return known_.contains(digest); }
  void add(const Digest& digest) {
    if (known_.size() >= most) known_.clear();  // they are checked once more
    known_.insert(digest);
  }

 private:
  static constexpr std::size_t most = 4096;

  std::array<char, 32> key_{};
  std::set<Digest> known_;
};

// ---- both ----

Caller caller_from(const Unidentified& asking, const std::string& user) {
  const auto* project = asking.request.fields.find("X-Project-Id");
  if (project != nullptr) return {user, *project, true, {}};
  return {user, asking.project.value_or(user), true, {}};
}

class BasicAuthentication final : public Authentication {
 public:
  BasicAuthentication(PasswordFile file, std::unique_ptr<PasswordLane> lane)
      : file_(std::move(file)), lane_(std::move(lane)) {}

  void identify(const Unidentified& asking, Then then) override;

 private:
  struct Waiting {
    Caller caller;
    Then then;
  };

  void checked(const Remembered::Digest& digest, bool matches);

  PasswordFile file_;
  Remembered remembered_;
  /// By what is being checked: many requests with the same credentials are one check.
  std::map<Remembered::Digest, std::vector<Waiting>> waiting_;
  std::unique_ptr<PasswordLane> lane_;  ///< last: it calls back
};

void BasicAuthentication::identify(const Unidentified& asking, Then then) {
  const auto* field = asking.request.fields.find("Authorization");
  if (field == nullptr) return then(std::unexpected(unauthorized(not_verified)));
  const auto credentials = credentials_in(*field);
  if (!credentials) return then(std::unexpected(unauthorized(credentials.error())));
  if (!file_.refresh()) return then(std::unexpected(unauthorized("Problem reading auth file")));
  auto caller = caller_from(asking, credentials->user);
  auto hash = file_.hash_of(credentials->user);
  const auto digest = remembered_.digest_of(*credentials, hash);
  if (remembered_.has(digest)) return then(std::move(caller));
  const auto same = waiting_.find(digest);
  if (same != waiting_.end()) return same->second.push_back({std::move(caller), std::move(then)});
  const auto when_checked = [this, digest](bool matches) { checked(digest, matches); };
  if (!lane_->check(credentials->password, std::move(hash), when_checked))
    return then(std::unexpected(answer_of({503, "Too many passwords are being checked.", 1})));
  waiting_[digest].push_back({std::move(caller), std::move(then)});
}

void BasicAuthentication::checked(const Remembered::Digest& digest, bool matches) {
  if (matches) remembered_.add(digest);
  auto waiting = waiting_.extract(digest);
  for (auto& [caller, then] : waiting.mapped()) {
    if (matches)
      then(std::move(caller));
    else
      then(std::unexpected(unauthorized(not_verified)));
  }
}

}  // namespace

Result<std::unique_ptr<Authentication>> http_basic(EventLoop& loop, std::filesystem::path path) {
  PasswordFile file(std::move(path));
  if (auto read = file.refresh(); !read) return std::unexpected(std::move(read.error()));
  auto lane = PasswordLane::start(loop);
  if (!lane) return std::unexpected(std::move(lane.error()));
  return std::make_unique<BasicAuthentication>(std::move(file), std::move(*lane));
}

}  // namespace volgrow::control::rest
