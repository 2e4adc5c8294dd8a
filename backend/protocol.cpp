// SPDX-License-Identifier: Apache-2.0
// One function a type lists its members, for writing and for reading; the tables of words follow
// from the types themselves.
#include "backend/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/target.h"
#include "core/text.h"

namespace volgrow::backend {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view error_word = "error";

// ---- what a text may hold ----

struct Rule {
  bool (*holds)(std::string_view);
  std::string_view words;
};

bool is_made_of(std::string_view text, std::size_t longest, std::string_view marks) {
  const auto fits = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.contains(c);
  };
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, fits);
}

constexpr Rule name_rule{is_volume_id,
                         "a name of letters, digits, '.', '_' and '-', 128 at most, that begins "
                         "with a letter or digit"};
constexpr Rule host_rule{[](std::string_view text) { return is_made_of(text, 255, "._-"); },
                         "the name of a host"};
/// Strict, because it becomes part of what a target is told.
constexpr Rule initiator_rule{[](std::string_view text) { return is_made_of(text, 223, ".:_-"); },
                              "an iSCSI name"};
constexpr Rule text_rule{[](std::string_view) { return true; }, "text"};

// ---- the two archives ----

class Writer {
 public:
  explicit Writer(Value::Object out) : out_(std::move(out)) {}

  void text(std::string_view key, const std::string& text, const Rule&) {
    out_.emplace_back(key, text);
  }
  void text(std::string_view key, const std::optional<std::string>& text, const Rule&) {
    if (text) out_.emplace_back(key, *text);
  }
  void size(std::string_view key, Bytes size) { out_.emplace_back(key, size.count()); }
  void volume_size(std::string_view key, Bytes size) { out_.emplace_back(key, size.count()); }
  void count(std::string_view key, std::uint32_t count) { out_.emplace_back(key, count); }
  void flag(std::string_view key, bool flag) { out_.emplace_back(key, flag); }
  void object(std::string_view key, const Value& value) { out_.emplace_back(key, value); }

  std::string packet() && { return to_json(Value(std::move(out_))); }

 private:
  Value::Object out_;
};

/// Remembers its first surprise, with which finish() fails; what is read after it is of no use.
class Reader {
 public:
  explicit Reader(const Value& document) : document_(document) {
    if (document_.object() == nullptr) surprise("the packet", "an object");
  }

  void text(std::string_view key, std::string& text, const Rule& rule) {
    const auto* found = take(key);
    const auto* given = found != nullptr ? found->text() : nullptr;
    if (given == nullptr || !rule.holds(*given)) return surprise(key, rule.words);
    text = *given;
  }
  void text(std::string_view key, std::optional<std::string>& out, const Rule& rule) {
    if (document_.find(key) != nullptr) text(key, out.emplace(), rule);
  }
  void number(std::string_view key, std::uint64_t& number, std::uint64_t most) {
    const auto* found = take(key);
    const auto* given = found != nullptr ? std::get_if<std::uint64_t>(&found->data) : nullptr;
    if (given == nullptr || *given > most)
      return surprise(key, fmt::format("a whole number from 0 to {}", most));
    number = *given;
  }
  void size(std::string_view key, Bytes& size) {
    std::uint64_t count = 0;
    number(key, count, INT64_MAX);  // off_t
    size = Bytes(count);
  }
  void volume_size(std::string_view key, Bytes& size) {
    std::uint64_t count = 0;
    number(key, count, INT64_MAX);
    if (count == 0 || count % volume_unit.count() != 0)
      return surprise(key, fmt::format("a multiple of {}, not 0", volume_unit.count()));
    size = Bytes(count);
  }
  void count(std::string_view key, std::uint32_t& count) {
    std::uint64_t wide = 0;
    number(key, wide, UINT32_MAX);
    count = static_cast<std::uint32_t>(wide);
  }
  void flag(std::string_view key, bool& flag) {
    const auto* found = take(key);
    const auto* given = found != nullptr ? found->boolean() : nullptr;
    if (given == nullptr) return surprise(key, "true or false");
    flag = *given;
  }
  void object(std::string_view key, Value& value) {
    const auto* found = take(key);
    if (found == nullptr || found->object() == nullptr) return surprise(key, "an object");
    value = *found;
  }
  void surprise(std::string_view key, std::string_view expected) {
    if (!problem_) problem_ = fmt::format("{}: expected {}", key, expected);
  }

  /// Every member was asked for: one that is not known may mean something.
  template <class T>
  Result<T> finish(T value) {
    if (!problem_ && document_.object()->size() != taken_.size()) problem_ = unknown_member();
    if (problem_) return failure(ErrorCode::invalid_args, *std::move(problem_));
    return value;
  }

 private:
  const Value* take(std::string_view key) {
    taken_.push_back(key);
    return document_.find(key);
  }
  std::string unknown_member() const {
    const auto unknown = std::ranges::find_if(*document_.object(), [this](const auto& member) {
      return std::ranges::find(taken_, member.first) == taken_.end();
    });
    return fmt::format("{}: this member is not known here", cited(unknown->first));
  }

  const Value& document_;
  std::vector<std::string_view> taken_;
  std::optional<std::string> problem_;
};

// ---- the members of each type ----

template <class V, class T>
concept SameAs = std::same_as<std::remove_const_t<V>, T>;

template <class Archive, SameAs<VolumeName> V>
void members(Archive& a, V& volume) {
  a.text("backend", volume.backend, name_rule);
  a.text("volume", volume.id, name_rule);
}
template <class Archive, SameAs<Attachment> V>
void members(Archive& a, V& attachment) {
  a.text("host", attachment.host, host_rule);
  a.text("initiator", attachment.initiator, initiator_rule);
}

template <class Archive, SameAs<GetCapabilities> V>
void members(Archive& a, V& call) {
  a.text("backend", call.backend, name_rule);
}
template <class Archive, class V>
requires SameAs<V, Create> || SameAs<V, Extend>
void members(Archive& a, V& call) {
  members(a, call.volume);
  a.volume_size("size_bytes", call.size);
}
template <class Archive, class V>
requires SameAs<V, GetSize> || SameAs<V, Remove>
void members(Archive& a, V& call) {
  members(a, call.volume);
}
template <class Archive, SameAs<Export> V>
void members(Archive& a, V& call) {
  members(a, call.volume);
  members(a, call.to);
}
template <class Archive, SameAs<Unexport> V>
void members(Archive& a, V& call) {
  members(a, call.volume);
  members(a, call.from);
}

template <class Archive, SameAs<Capabilities> V>
void members(Archive& a, V& answer) {
  a.text("driver", answer.driver, text_rule);
  a.text("protocol", answer.protocol, text_rule);
  a.flag("in_use_extend", answer.in_use_extend);
  a.size("total_bytes", answer.total);
  a.size("free_bytes", answer.free);
  a.count("max_over_subscription_ratio", answer.max_over_subscription_ratio);
}
template <class Archive, SameAs<Measured> V>
void members(Archive& a, V& answer) {
  a.size("size_bytes", answer.size);
}
template <class Archive, SameAs<Connection> V>
void members(Archive& a, V& answer) {
  a.object("connection_info", answer.info);
}
template <class Archive, SameAs<Unexported> V>
void members(Archive& a, V& answer) {
  a.text("still_open", answer.still_open, text_rule);
}
template <class Archive, SameAs<Removed> V>
void members(Archive&, V&) {}

// ---- one of several types, by its word ----

template <class... T>
std::string_view word_of(const std::variant<T...>& choice) {
  return std::visit([](const auto& value) { return value.word; }, choice);
}

template <class T, class Choice>
bool read_if(std::string_view word, Reader& in, Choice& choice) {
  if (word != T::word) return false;
  members(in, choice.template emplace<T>());
  return true;
}

template <class... T>
void read_one(std::string_view key, Reader& in, std::variant<T...>& choice) {
  std::string word;
  in.text(key, word, text_rule);
  if (!(read_if<T>(word, in, choice) || ...)) in.surprise(key, "a word that this version knows");
}

// ---- packets ----

Value::Object header(std::uint64_t id) {
  return {{"version", protocol_version}, {"id", id}};
}

void read_header(Reader& in, std::uint64_t& id) {
  std::uint64_t version = 0;
  in.number("version", version, UINT64_MAX);
  if (version != protocol_version)
    in.surprise("version", fmt::format("{}; volgrow-control and volgrow-backend must be of one "
                                       "release",
                                       protocol_version));
  in.number("id", id, UINT64_MAX);
}

/// A packet is shallow but for Cinder's connection_info, which is not deep either.
Result<Value> document_in(std::string_view packet) {
  return parse_json(packet, JsonLimits{longest_packet, 8});
}

std::string error_packet(std::uint64_t id, const Error& error) {
  Writer out(header(id));
  out.text("answer", std::string(error_word), text_rule);
  out.text("code", std::string(name_of(error.code)), text_rule);
  out.text("message", error.message, text_rule);
  if (!error.device.empty()) out.text("device", error.device, text_rule);
  if (error.error_number > 0) out.count("errno", static_cast<std::uint32_t>(error.error_number));
  return std::move(out).packet();
}

std::string outcome_packet(std::uint64_t id, const Outcome& outcome) {
  Writer out(header(id));
  out.text("answer", std::string(word_of(outcome)), text_rule);
  std::visit([&](const auto& value) { members(out, value); }, outcome);
  return std::move(out).packet();
}

Error read_error(Reader& in, const Value& document) {
  Error error;
  std::string code;
  in.text("code", code, text_rule);
  if (const auto known = error_code_named(code)) error.code = *known;
  in.text("message", error.message, text_rule);
  if (document.find("device") != nullptr) in.text("device", error.device, text_rule);
  if (document.find("errno") != nullptr) {
    std::uint64_t number = 0;
    in.number("errno", number, 4095);  // what the kernel can return at all (MAX_ERRNO)
    error.error_number = static_cast<int>(number);
  }
  return error;
}

bool is_error(const Value& document) {
  const auto* word = document.find("answer");
  return word != nullptr && word->text() != nullptr && *word->text() == error_word;
}

}  // namespace

std::string to_packet(const Request& request) {
  Writer out(header(request.id));
  out.text("verb", std::string(word_of(request.call)), text_rule);
  const auto limit = std::chrono::ceil<milliseconds>(request.limit).count();
  out.size("limit_ms", Bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 0))));
  std::visit([&](const auto& call) { members(out, call); }, request.call);
  return std::move(out).packet();
}

Result<Request> request_from(std::string_view packet) {
  const auto document = document_in(packet);
  if (!document) return std::unexpected(document.error());
  Reader in(*document);
  Request request;
  read_header(in, request.id);
  std::uint64_t limit = 0;
  in.number("limit_ms", limit, UINT64_MAX);
  const auto longest = std::chrono::duration_cast<milliseconds>(longest_limit).count();
  request.limit = milliseconds(std::min(limit, static_cast<std::uint64_t>(longest)));
  read_one("verb", in, request.call);
  return in.finish(std::move(request));
}

std::string to_packet(const Answer& answer) {
  auto packet = answer.outcome ? outcome_packet(answer.id, *answer.outcome)
                               : error_packet(answer.id, answer.outcome.error());
  if (packet.size() <= longest_packet.count()) return packet;
  return error_packet(answer.id,
                      Error{ErrorCode::limits_exceeded,
                            fmt::format("the answer takes {} bytes, and a packet at most "
                                        "{}",
                                        packet.size(), longest_packet.count()),
                            {},
                            0});
}

Result<Answer> answer_from(std::string_view packet) {
  const auto document = document_in(packet);
  if (!document) return std::unexpected(document.error());
  Reader in(*document);
  Answer answer;
  read_header(in, answer.id);
  if (is_error(*document)) {
    std::string word;
    in.text("answer", word, text_rule);
    answer.outcome = std::unexpected(read_error(in, *document));
  } else {
    read_one("answer", in, answer.outcome.emplace());
  }
  return in.finish(std::move(answer));
}

std::optional<std::uint64_t> id_in(std::string_view packet) {
  const auto document = document_in(packet);
  const auto* id = document ? document->find("id") : nullptr;
  const auto* number = id != nullptr ? std::get_if<std::uint64_t>(&id->data) : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

const std::string& backend_of(const Call& call) {
  return std::visit(
      [](const auto& asked) -> const std::string& {
        if constexpr (requires { asked.volume; })
          return asked.volume.backend;
        else
          return asked.backend;
      },
      call);
}

std::string_view volume_of(const Call& call) {
  return std::visit(
      [](const auto& asked) -> std::string_view {
        if constexpr (requires { asked.volume; })
          return asked.volume.id;
        else
          return {};
      },
      call);
}

std::string to_text(const Call& call) {
  const auto volume = volume_of(call);
  if (volume.empty()) return fmt::format("{} of {}", word_of(call), backend_of(call));
  return fmt::format("{} of volume {} on {}", word_of(call), volume, backend_of(call));
}

}  // namespace volgrow::backend
