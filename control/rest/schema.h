// SPDX-License-Identifier: Apache-2.0
// Bodies checked against a schema that reads like Cinder's own (cinder/api/schemas), by the
// keywords that those use, in the order in which they stand, and refused in jsonschema's words. The
// time a check takes grows with the body's length and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/fault.h"
#include "core/value.h"

namespace volgrow::control::rest {

/// A pattern of Cinder's: one class of ASCII characters, repeated, from end to end:
/// "^[a-zA-Z0-9-_:. /]{1,255}$". "$" is also in front of a last line end, as in Python.
class Pattern {
 public:
  explicit Pattern(std::string_view text);

  bool matches(std::string_view subject) const;
  const std::string& text() const { return text_; }

 private:
  void read_class(std::string_view members);
  void read_count(std::string_view count);

  std::string text_;
  std::array<bool, 128> allowed_{};
  std::size_t least_ = 0;
  std::size_t most_ = SIZE_MAX;
};

class Schema;

/// The keywords, each with what a check of it needs.
namespace keyword {

enum class Type : std::uint8_t { null, boolean, integer, string, object, array };

struct Types {
  std::vector<Type> any;
};
struct Property;
struct Properties {
  std::vector<Property> each;
};
struct Required {
  std::vector<std::string> names;
};
/// additionalProperties: False.
struct NoOthers {};
struct PatternProperty {
  Pattern pattern;
  std::vector<Schema> schema;  ///< exactly one; a vector, because Schema is not complete here
};
struct Matches {
  Pattern pattern;
};
struct OneOfValues {
  Value::Array values;
};
struct Minimum {
  std::int64_t least;
};
struct Maximum {
  std::int64_t most;
};
struct MinLength {
  std::size_t least;
};
struct MaxLength {
  std::size_t most;
};
struct MinProperties {
  std::size_t least;
};
struct MaxProperties {
  std::size_t most;
};
/// Also oneOf: no two alternatives of Cinder's fit the same value.
struct AnyOf {
  std::vector<Schema> alternatives;
};
/// A check of its own. True: it fits. False: "… is not a 'name'". A fault is answered as it is.
struct Format {
  std::string name;
  Outcome<bool> (*fits)(const Value& value);
};

}  // namespace keyword

using Keyword =
    std::variant<keyword::Types, keyword::Properties, keyword::Required, keyword::NoOthers,
                 keyword::PatternProperty, keyword::Matches, keyword::OneOfValues, keyword::Minimum,
                 keyword::Maximum, keyword::MinLength, keyword::MaxLength, keyword::MinProperties,
                 keyword::MaxProperties, keyword::AnyOf, keyword::Format>;

class Schema {
 public:
  Schema() = default;
  // Not inline: copying a keyword takes Property, which takes this class.
  Schema(std::initializer_list<Keyword> keywords);
  explicit Schema(std::vector<Keyword> keywords);

  const std::vector<Keyword>& keywords() const { return keywords_; }
  /// This one with a keyword more, at the end.
  Schema with(Keyword keyword) const;

 private:
  std::vector<Keyword> keywords_;
};

struct keyword::Property {
  std::string name;
  Schema schema;
};

// ---- how schemas are written ----

Keyword type(std::initializer_list<keyword::Type> any);
Keyword type(keyword::Type only);
Keyword properties(std::vector<keyword::Property> each);
Keyword required(std::vector<std::string> names);
Keyword no_others();
Keyword pattern_properties(std::string_view pattern, Schema schema);
Keyword pattern(std::string_view pattern);
Keyword one_of_values(Value::Array values);
Keyword minimum(std::int64_t least);
Keyword maximum(std::int64_t most);
Keyword min_length(std::size_t least);
Keyword max_length(std::size_t most);
Keyword min_properties(std::size_t least);
Keyword max_properties(std::size_t most);
Keyword any_of(std::vector<Schema> alternatives);
Keyword format(std::string name, Outcome<bool> (*fits)(const Value& value));

/// Faults: 400 with the first thing that is wrong, or what a Format says; also when there is no
/// body at all.
Outcome<void> check(const Schema& schema, const std::optional<Value>& body);

}  // namespace volgrow::control::rest
