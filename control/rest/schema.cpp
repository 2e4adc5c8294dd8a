// SPDX-License-Identifier: Apache-2.0
// The check: the first violation ends it, as `validate` of jsonschema 4.10 does with Draft 4 and
// Cinder's own minimum and maximum (cinder/api/validation/validators.py).
#include "control/rest/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "control/rest/words.h"
#include "core/python_repr.h"

namespace volgrow::control::rest {
namespace {

using keyword::Type;

/// What is wrong, and with which part of the body.
struct Violation {
  std::string message;
  const Value* value;                ///< of the body
  std::optional<std::string> field;  ///< the last step of the way to it; none at the top
  std::optional<Fault> fault;        ///< what a Format wants answered instead
};
using Verdict = std::optional<Violation>;

Verdict wrong(const Value& value, std::string message) {
  return Violation{std::move(message), &value, std::nullopt, std::nullopt};
}

/// A violation met one step further down.
Verdict beneath(std::string_view field, Verdict inner) {
  if (inner && !inner->field) inner->field = field;
  return inner;
}

Verdict verdict_on(const Value& value, const Schema& schema);

// ---- types ----

std::string_view name_of(Type type) {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "integer";
    case Type::string:
      return "string";
    case Type::object:
      return "object";
    case Type::array:
      return "array";
  }
  return "?";
}

bool is_of(const Value& value, Type type) {
  switch (type) {
    case Type::null:
      return value.is_null();
    case Type::boolean:
      return value.boolean() != nullptr;
    case Type::integer:
      return std::holds_alternative<std::int64_t>(value.data) ||
             std::holds_alternative<std::uint64_t>(value.data);
    case Type::string:
      return value.text() != nullptr;
    case Type::object:
      return value.object() != nullptr;
    case Type::array:
      return value.array() != nullptr;
  }
  return false;
}

// ---- numbers, also in texts ----

struct Number {
  double size;  ///< exact where it is compared with what fits 32 bits
  std::string text;
};

/// int(text), which knows no limit; the pattern before it lets nothing but digits through.
Number number_of_digits(std::string_view digits) {
  const auto zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.remove_prefix(zeros);
  if (digits.empty()) return {0, "0"};
  double size = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), size);
  // 4300 digits are the most that int() takes; then it is float(), which is infinite.
  if (digits.size() > 4300) return {HUGE_VAL, "inf"};
  return {digits.size() > 308 ? HUGE_VAL : size, std::string(digits)};
}

std::optional<Number> number_in(const Value& value) {
  if (const auto* text = value.text()) {
    const auto digits = words::stripped(*text);
    const bool whole = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    return whole && !digits.empty() ? std::optional(number_of_digits(digits)) : std::nullopt;
  }
  if (const auto* positive = std::get_if<std::uint64_t>(&value.data))
    return Number{static_cast<double>(*positive), python_repr(value)};
  if (const auto* negative = std::get_if<std::int64_t>(&value.data))
    return Number{static_cast<double>(*negative), python_repr(value)};
  return std::nullopt;
}

// ---- keywords ----

struct Check {
  const Value& value;
  const Schema& schema;  ///< the whole of which the keyword is a part

  Verdict operator()(const keyword::Types& types) const {
    const auto fits = [&](Type type) { return is_of(value, type); };
    if (std::ranges::any_of(types.any, fits)) return std::nullopt;
    std::vector<std::string> names;
    for (const auto type : types.any)
      names.push_back(python_repr(name_of(type)));
    return wrong(value,
                 fmt::format("{} is not of type {}", python_repr(value), fmt::join(names, ", ")));
  }
  Verdict operator()(const keyword::Properties& properties) const {
    if (value.object() == nullptr) return std::nullopt;
    for (const auto& [name, inner] : properties.each)
      if (const auto* member = value.find(name))
        if (auto verdict = beneath(name, verdict_on(*member, inner))) return verdict;
    return std::nullopt;
  }
  Verdict operator()(const keyword::Required& required) const {
    if (value.object() == nullptr) return std::nullopt;
    for (const auto& name : required.names)
      if (value.find(name) == nullptr)
        return wrong(value, fmt::format("{} is a required property", python_repr(name)));
    return std::nullopt;
  }
  Verdict operator()(const keyword::NoOthers& none) const;
  Verdict operator()(const keyword::PatternProperty& some) const {
    if (value.object() == nullptr) return std::nullopt;
    for (const auto& [name, member] : *value.object())
      if (some.pattern.matches(name))
        if (auto verdict = beneath(name, verdict_on(member, some.schema.front()))) return verdict;
    return std::nullopt;
  }
  Verdict operator()(const keyword::Matches& matches) const {
    const auto* text = value.text();
    if (text == nullptr || matches.pattern.matches(*text)) return std::nullopt;
    return wrong(value, fmt::format("{} does not match {}", python_repr(*text),
                                    python_repr(matches.pattern.text())));
  }
  Verdict operator()(const keyword::OneOfValues& allowed) const {
    if (std::ranges::find(allowed.values, value) != allowed.values.end()) return std::nullopt;
    return wrong(value, fmt::format("{} is not one of {}", python_repr(value),
                                    python_repr(Value(allowed.values))));
  }
  Verdict operator()(const keyword::Minimum& minimum) const {
    const auto number = number_in(value);
    if (!number || number->size >= static_cast<double>(minimum.least)) return std::nullopt;
    return wrong(value,
                 fmt::format("{} is less than the minimum of {}", number->text, minimum.least));
  }
  Verdict operator()(const keyword::Maximum& maximum) const {
    const auto number = number_in(value);
    if (!number || number->size <= static_cast<double>(maximum.most)) return std::nullopt;
    return wrong(value,
                 fmt::format("{} is greater than the maximum of {}", number->text, maximum.most));
  }
  Verdict operator()(const keyword::MinLength& shortest) const {
    const auto* text = value.text();
    if (text == nullptr || words::length(*text) >= shortest.least) return std::nullopt;
    return wrong(value, fmt::format("{} is too short", python_repr(*text)));
  }
  Verdict operator()(const keyword::MaxLength& longest) const {
    const auto* text = value.text();
    if (text == nullptr || words::length(*text) <= longest.most) return std::nullopt;
    return wrong(value, fmt::format("{} is too long", python_repr(*text)));
  }
  Verdict operator()(const keyword::MinProperties& fewest) const {
    if (value.object() == nullptr || value.object()->size() >= fewest.least) return std::nullopt;
    return wrong(value, fmt::format("{} does not have enough properties", python_repr(value)));
  }
  Verdict operator()(const keyword::MaxProperties& most) const {
    if (value.object() == nullptr || value.object()->size() <= most.most) return std::nullopt;
    return wrong(value, fmt::format("{} has too many properties", python_repr(value)));
  }
  Verdict operator()(const keyword::AnyOf& any) const {
    for (const auto& alternative : any.alternatives)
      if (!verdict_on(value, alternative)) return std::nullopt;
    return wrong(value,
                 fmt::format("{} is not valid under any of the given schemas", python_repr(value)));
  }
  Verdict operator()(const keyword::Format& format) const {
    auto fits = format.fits(value);
    if (!fits) return Violation{{}, &value, std::nullopt, std::move(fits.error())};
    if (*fits) return std::nullopt;
    return wrong(value,
                 fmt::format("{} is not a {}", python_repr(value), python_repr(format.name)));
  }
};

// ---- additionalProperties: False ----

template <class T>
const T* keyword_of(const Schema& schema) {
  for (const auto& keyword : schema.keywords())
    if (const auto* found = std::get_if<T>(&keyword)) return found;
  return nullptr;
}

bool is_known(std::string_view name, const Schema& schema) {
  if (const auto* known = keyword_of<keyword::Properties>(schema))
    if (std::ranges::find(known->each, name, &keyword::Property::name) != known->each.end())
      return true;
  const auto* some = keyword_of<keyword::PatternProperty>(schema);
  return some != nullptr && some->pattern.matches(name);
}

Verdict Check::operator()(const keyword::NoOthers& /*none*/) const {
  if (value.object() == nullptr) return std::nullopt;
  std::vector<std::string_view> others;
  for (const auto& [name, member] : *value.object())
    if (!is_known(name, schema)) others.emplace_back(name);
  if (others.empty()) return std::nullopt;
  std::ranges::sort(others);
  std::vector<std::string> cited;
  for (const auto name : others)
    cited.push_back(python_repr(name));
  const bool one = others.size() == 1;
  const auto names = fmt::format("{}", fmt::join(cited, ", "));
  if (const auto* some = keyword_of<keyword::PatternProperty>(schema))
    return wrong(value, fmt::format("{} {} not match any of the regexes: {}", names,
                                    one ? "does" : "do", python_repr(some->pattern.text())));
  return wrong(value, fmt::format("Additional properties are not allowed ({} {} unexpected)", names,
                                  one ? "was" : "were"));
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the schema, which is ours
Verdict verdict_on(const Value& value, const Schema& schema) {
  for (const auto& keyword : schema.keywords())
    if (auto verdict = std::visit(Check{value, schema}, keyword)) return verdict;
  return std::nullopt;
}

}  // namespace

// ---- patterns ----

Pattern::Pattern(std::string_view text) : text_(text) {
  const auto end = text.rfind(']');
  read_class(text.substr(2, end - 2));
  read_count(text.substr(end + 1, text.size() - end - 2));
}

void Pattern::read_class(std::string_view members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i] == '\\') ++i;
    const bool range = i + 2 < members.size() && members[i + 1] == '-';
    const char last = range ? members[i + 2] : members[i];
    for (char c = members[i]; c <= last; ++c)
      allowed_.at(static_cast<unsigned char>(c)) = true;
    if (range) i += 2;
  }
}

void Pattern::read_count(std::string_view count) {
  if (count == "*") return;
  least_ = 1;
  if (count == "{1,255}") most_ = 255;
}

bool Pattern::matches(std::string_view subject) const {
  if (subject.ends_with('\n')) subject.remove_suffix(1);
  const auto fits = [this](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < allowed_.size() && allowed_.at(byte);
  };
  return subject.size() >= least_ && subject.size() <= most_ && std::ranges::all_of(subject, fits);
}

// ---- how schemas are written ----

Schema::Schema(std::initializer_list<Keyword> keywords) : keywords_(keywords) {}

Schema::Schema(std::vector<Keyword> keywords) : keywords_(std::move(keywords)) {}

Schema Schema::with(Keyword keyword) const {
  auto longer = *this;
  longer.keywords_.push_back(std::move(keyword));
  return longer;
}

Keyword type(std::initializer_list<Type> any) {
  return keyword::Types{any};
}
Keyword type(Type only) {
  return keyword::Types{{only}};
}
Keyword properties(std::vector<keyword::Property> each) {
  return keyword::Properties{std::move(each)};
}
Keyword required(std::vector<std::string> names) {
  return keyword::Required{std::move(names)};
}
Keyword no_others() {
  return keyword::NoOthers{};
}
Keyword pattern_properties(std::string_view pattern, Schema schema) {
  return keyword::PatternProperty{Pattern(pattern), {std::move(schema)}};
}
Keyword pattern(std::string_view pattern) {
  return keyword::Matches{Pattern(pattern)};
}
Keyword one_of_values(Value::Array values) {
  return keyword::OneOfValues{std::move(values)};
}
Keyword minimum(std::int64_t least) {
  return keyword::Minimum{least};
}
Keyword maximum(std::int64_t most) {
  return keyword::Maximum{most};
}
Keyword min_length(std::size_t least) {
  return keyword::MinLength{least};
}
Keyword max_length(std::size_t most) {
  return keyword::MaxLength{most};
}
Keyword min_properties(std::size_t least) {
  return keyword::MinProperties{least};
}
Keyword max_properties(std::size_t most) {
  return keyword::MaxProperties{most};
}
Keyword any_of(std::vector<Schema> alternatives) {
  return keyword::AnyOf{std::move(alternatives)};
}
Keyword format(std::string name, Outcome<bool> (*fits)(const Value& value)) {
  return keyword::Format{std::move(name), fits};
}

Outcome<void> check(const Schema& schema, const std::optional<Value>& body) {
  if (!body) return bad_request(std::string(words::malformed));
  auto verdict = verdict_on(*body, schema);
  if (!verdict) return {};
  if (verdict->fault) return std::unexpected(std::move(*verdict->fault));
  if (!verdict->field) return bad_request(std::move(verdict->message));
  return bad_request(fmt::format("Invalid input for field/attribute {}. Value: {}. {}",
                                 *verdict->field, python_str(*verdict->value), verdict->message));
}

}  // namespace volgrow::control::rest
