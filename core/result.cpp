// SPDX-License-Identifier: Apache-2.0
// The one codec of results and reports (contracts §2; docs/result.schema.json). Member names and
// their order are fixed; what is unknown is null, what does not apply to a layer is left out.
#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "core/names.h"
#include "core/text.h"
#include "core/units.h"

namespace volgrow {
namespace {

constexpr std::string_view result_schema = "volgrow.result/1";
constexpr std::string_view report_schema = "volgrow.report/1";

constexpr std::array layer_kinds{
    Named{LayerKind::path, "path"},
    Named{LayerKind::nvme_namespace, "nvme-namespace"},
    Named{LayerKind::nvme_path, "nvme-path"},
    Named{LayerKind::multipath, "multipath"},
    Named{LayerKind::crypt, "crypt"},
    Named{LayerKind::loop, "loop"},
    Named{LayerKind::file, "file"},
    Named{LayerKind::partition, "partition"},
    Named{LayerKind::lvm, "lvm"},
    Named{LayerKind::md, "md"},
    Named{LayerKind::guest, "guest"},
};

constexpr std::array layer_actions{
    Named{LayerAction::none, "none"},         Named{LayerAction::rescanned, "rescanned"},
    Named{LayerAction::resized, "resized"},   Named{LayerAction::unchanged, "unchanged"},
    Named{LayerAction::evicted, "evicted"},   Named{LayerAction::readopted, "readopted"},
    Named{LayerAction::deferred, "deferred"}, Named{LayerAction::skipped, "skipped"},
    Named{LayerAction::refused, "refused"},   Named{LayerAction::failed, "failed"},
    Named{LayerAction::planned, "planned"},
};

constexpr std::array identity_proofs{
    Named{IdentityProof::unknown, "unknown"},
    Named{IdentityProof::pinned, "pinned"},
    Named{IdentityProof::first_sight, "first-sight"},
};

// ---- values to JSON ----

Value or_null(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Value or_null(const std::optional<Bytes>& size) {
  return size ? Value(size->count()) : Value();
}

Value or_null(const std::optional<Wwid>& wwid) {
  return wwid ? Value(to_string(*wwid)) : Value();
}

Value microseconds(Duration span) {
  return static_cast<std::uint64_t>(std::max(Duration::zero(), span).count());
}

void add_if_any(Value::Object& out, std::string_view key, const std::string& text) {
  if (!text.empty()) out.emplace_back(key, text);
}

void add_if_any(Value::Object& out, std::string_view key, const std::optional<Bytes>& size) {
  if (size) out.emplace_back(key, size->count());
}

Value to_value(const LayerResult& layer) {
  Value::Object out{{"kind", name_of(layer.kind)}, {"device", layer.device}};
  add_if_any(out, "name", layer.name);
  add_if_any(out, "address", layer.address);
  add_if_any(out, "transport", layer.transport);
  add_if_any(out, "endpoint", layer.endpoint);
  add_if_any(out, "state", layer.state);
  add_if_any(out, "target_bytes", layer.target_bytes);
  add_if_any(out, "before_bytes", layer.before_bytes);
  add_if_any(out, "after_bytes", layer.after_bytes);
  if (layer.action != LayerAction::none) out.emplace_back("action", name_of(layer.action));
  add_if_any(out, "reason", layer.reason);
  out.emplace_back("duration_us", microseconds(layer.duration));
  return out;
}

Value to_value(const std::vector<LayerResult>& layers) {
  Value::Array out;
  for (const auto& layer : layers)
    out.push_back(to_value(layer));
  return out;
}

Value to_value(const std::optional<Error>& error) {
  if (!error) return {};
  Value::Object out{{"name", name_of(error->code)}, {"message", error->message}};
  add_if_any(out, "device", error->device);
  return out;
}

Value to_value(const Diagnosis& diagnosis) {
  return Value::Object{
      {"device", diagnosis.device}, {"problem", diagnosis.problem}, {"fix", diagnosis.fix}};
}

// ---- JSON to values: one decoder a type, told the place for its message ----

std::unexpected<Error> surprise(std::string_view place, std::string_view expected) {
  return failure(ErrorCode::invalid_args,
                 fmt::format("{}: expected {}", place.empty() ? "the document" : place, expected));
}

Result<std::string> as_text(const Value& value, const std::string& place) {
  if (const auto* text = value.text()) return *text;
  return surprise(place, "text");
}

Result<void> expect_text(const Value& value, std::string_view key, std::string_view expected) {
  const auto* member = value.find(key);
  if (member != nullptr && member->text() != nullptr && *member->text() == expected) return {};
  return surprise(key, cited(expected));
}

/// A whole number from 0 to `most`.
template <class T, T most>
Result<T> as_count(const Value& value, const std::string& place) {
  // parse_json gives uint64; a Value made by a program may hold int64.
  const auto* small = std::get_if<std::int64_t>(&value.data);
  const auto* large = std::get_if<std::uint64_t>(&value.data);
  if (small != nullptr && std::cmp_less_equal(0, *small) && std::cmp_less_equal(*small, most))
    return static_cast<T>(*small);
  if (large != nullptr && std::cmp_less_equal(*large, most)) return static_cast<T>(*large);
  return surprise(place, fmt::format("a whole number from 0 to {}", most));
}

Result<Bytes> as_bytes(const Value& value, const std::string& place) {
  const auto count = as_count<std::uint64_t, UINT64_MAX>(value, place);
  if (!count) return std::unexpected(count.error());
  return Bytes(*count);
}

Result<Duration> as_microseconds(const Value& value, const std::string& place) {
  const auto count = as_count<std::int64_t, INT64_MAX>(value, place);
  if (!count) return std::unexpected(count.error());
  return Duration(*count);
}

/// A word that `named` knows.
template <auto named>
auto as_word(const Value& value, const std::string& place)
    -> Result<typename decltype(named(""))::value_type> {
  const auto* word = value.text();
  const auto known = word != nullptr ? named(*word) : std::nullopt;
  if (!known) return surprise(place, "a word that this version knows");
  return *known;
}

/// Text that `parse` reads.
template <auto parse>
auto as_parsed(const Value& value, const std::string& place) -> decltype(parse("")) {
  const auto text = as_text(value, place);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse(*text);
  if (!parsed) return std::unexpected(std::move(parsed).error().during(place));
  return parsed;
}

/// A list of what `decode` reads.
template <class T, Result<T> (*decode)(const Value&, const std::string&)>
Result<std::vector<T>> as_list(const Value& value, const std::string& place) {
  if (value.array() == nullptr) return surprise(place, "a list");
  std::vector<T> out;
  for (const auto& item : *value.array()) {
    auto decoded = decode(item, fmt::format("{}[{}]", place, out.size()));
    if (!decoded) return std::unexpected(std::move(decoded).error());
    out.push_back(*std::move(decoded));
  }
  return out;
}

/// The members of one object, read one by one. The first surprise is remembered, and with it
/// `finish` fails; what is read after it is of no use.
class Members {
 public:
  template <class T>
  using Decoder = Result<T> (*)(const Value&, const std::string& place);

  Members(const Value& object, std::string place) : object_(object), place_(std::move(place)) {
    if (object_.object() == nullptr) remember(surprise(place_, "an object").error());
  }

  template <class T>
  T required(std::string_view key, Decoder<T> decode) {
    const auto* member = present(key);
    return decoded(member, key, decode).value_or(T());
  }
  /// Present, and null when unknown.
  template <class T>
  std::optional<T> nullable(std::string_view key, Decoder<T> decode) {
    const auto* member = present(key);
    return decoded(member != nullptr && member->is_null() ? nullptr : member, key, decode);
  }
  /// Left out when it does not apply.
  template <class T>
  std::optional<T> optional(std::string_view key, Decoder<T> decode) {
    return decoded(object_.find(key), key, decode);
  }

  template <class T>
  Result<T> finish(T value) {
    if (problem_) return std::unexpected(*std::move(problem_));
    return value;
  }

 private:
  std::string place_of(std::string_view key) const {
    return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
  }
  const Value* present(std::string_view key) {
    const auto* member = object_.find(key);
    if (member == nullptr) remember(surprise(place_of(key), "this member").error());
    return member;
  }
  template <class T>
  std::optional<T> decoded(const Value* member, std::string_view key, Decoder<T> decode) {
    if (member == nullptr) return std::nullopt;
    auto value = decode(*member, place_of(key));
    if (value) return *std::move(value);
    remember(std::move(value).error());
    return std::nullopt;
  }
  void remember(Error problem) {
    if (!problem_) problem_ = std::move(problem);
  }

  const Value& object_;
  std::string place_;
  std::optional<Error> problem_;
};

Result<LayerResult> layer_from(const Value& value, const std::string& place) {
  Members in(value, place);
  LayerResult out;
  out.kind = in.required("kind", as_word<layer_kind_named>);
  out.device = in.required("device", as_text);
  out.name = in.optional("name", as_text).value_or("");
  out.address = in.optional("address", as_text).value_or("");
  out.transport = in.optional("transport", as_text).value_or("");
  out.endpoint = in.optional("endpoint", as_text).value_or("");
  out.state = in.optional("state", as_text).value_or("");
  out.target_bytes = in.optional("target_bytes", as_bytes);
  out.before_bytes = in.optional("before_bytes", as_bytes);
  out.after_bytes = in.optional("after_bytes", as_bytes);
  out.action = in.optional("action", as_word<layer_action_named>).value_or(LayerAction::none);
  out.reason = in.optional("reason", as_text).value_or("");
  out.duration = in.required("duration_us", as_microseconds);
  return in.finish(std::move(out));
}

Result<Error> error_from(const Value& value, const std::string& place) {
  Members in(value, place);
  Error out;
  out.code = in.required("name", as_word<error_code_named>);
  out.message = in.required("message", as_text);
  out.device = in.optional("device", as_text).value_or("");
  return in.finish(std::move(out));
}

Result<Diagnosis> diagnosis_from(const Value& value, const std::string& place) {
  Members in(value, place);
  Diagnosis out;
  out.device = in.required("device", as_text);
  out.problem = in.required("problem", as_text);
  out.fix = in.required("fix", as_text);
  return in.finish(std::move(out));
}

}  // namespace

Value to_value(const JobResult& result) {
  Value::Object out{{"schema", result_schema},
                    {"job", result.job},
                    {"operation", name_of(result.operation)},
                    {"volume_id", or_null(result.volume_id)},
                    {"state", name_of(result.state)},
                    {"identity", name_of(result.identity)},
                    {"expected_bytes", or_null(result.expected)},
                    {"previous_bytes", or_null(result.previous)},
                    {"volume_bytes", or_null(result.volume)},
                    {"size_bytes", or_null(result.size)},
                    {"device", or_null(result.device)},
                    {"wwid", or_null(result.wwid)},
                    {"layers", to_value(result.layers)},
                    {"error", to_value(result.error)}};
  if (result.diagnosis) out.emplace_back("diagnosis", to_value(*result.diagnosis));
  out.emplace_back("started_at", utc_timestamp(result.started_at));
  out.emplace_back("duration_us", microseconds(result.duration));
  return out;
}

Result<JobResult> job_result_from(const Value& value) {
  if (auto known = expect_text(value, "schema", result_schema); !known)
    return std::unexpected(std::move(known).error());
  Members in(value, {});
  JobResult out;
  out.job = in.required("job", as_count<std::uint32_t, UINT32_MAX>);
  out.operation = in.required("operation", as_word<operation_named>);
  out.volume_id = in.nullable("volume_id", as_text).value_or("");
  out.state = in.required("state", as_word<job_state_named>);
  out.identity = in.required("identity", as_word<identity_proof_named>);
  out.expected = in.nullable("expected_bytes", as_bytes);
  out.previous = in.nullable("previous_bytes", as_bytes);
  out.volume = in.nullable("volume_bytes", as_bytes);
  out.size = in.nullable("size_bytes", as_bytes);
  out.device = in.nullable("device", as_text).value_or("");
  out.wwid = in.nullable("wwid", as_parsed<parse_wwid>);
  out.layers = in.required("layers", as_list<LayerResult, layer_from>);
  out.error = in.nullable("error", error_from);
  out.diagnosis = in.optional("diagnosis", diagnosis_from);
  out.started_at = in.required("started_at", as_parsed<parse_utc_timestamp>);
  out.duration = in.required("duration_us", as_microseconds);
  return in.finish(std::move(out));
}

Value to_value(const Report& report) {
  return Value::Object{{"schema", report_schema},
                       {"host", report.host},
                       {"journal", report.journal},
                       {"sequence", report.sequence},
                       {"result", to_value(report.result)}};
}

Result<Report> report_from(const Value& value) {
  if (auto known = expect_text(value, "schema", report_schema); !known)
    return std::unexpected(std::move(known).error());
  Members in(value, {});
  Report out;
  out.host = in.required("host", as_text);
  out.journal = in.required("journal", as_text);
  out.sequence = in.required("sequence", as_count<std::uint64_t, UINT64_MAX>);
  const auto* result = value.find("result");
  if (result == nullptr) return failure(ErrorCode::invalid_args, "report: there is no 'result'");
  auto decoded = job_result_from(*result);
  if (!decoded) return std::unexpected(std::move(decoded.error()));
  out.result = std::move(*decoded);
  return in.finish(std::move(out));
}

std::string to_json(const JobResult& result) {
  return to_json(to_value(result));
}

std::string to_json(const Report& report) {
  return to_json(to_value(report));
}

Result<JobResult> parse_job_result(std::string_view json) {
  // A volume may have thousands of paths.
  const auto document = parse_json(json, {.size = 16_MiB, .depth = 8});
  if (!document) return std::unexpected(document.error());
  return job_result_from(*document);
}

std::string_view name_of(LayerKind kind) {
  return name_in(layer_kinds, kind);
}

std::string_view name_of(LayerAction action) {
  return name_in(layer_actions, action);
}

std::string_view name_of(IdentityProof proof) {
  return name_in(identity_proofs, proof);
}

std::optional<LayerKind> layer_kind_named(std::string_view name) {
  return value_in(layer_kinds, name);
}

std::optional<LayerAction> layer_action_named(std::string_view name) {
  return value_in(layer_actions, name);
}

std::optional<IdentityProof> identity_proof_named(std::string_view name) {
  return value_in(identity_proofs, name);
}

}  // namespace volgrow
