// SPDX-License-Identifier: Apache-2.0
// The API against cinder/*.jsonl: what Debian's Cinder 21.3.1 answered, request by request, from an
// empty cloud on. In them {P} is the project, {Z} an id of nobody, other {…} what an earlier answer
// had at `keep`; ids, times and request ids that nobody kept are UUID, TIME and REQ. Where this
// service answers otherwise and has a reason, the exchange is not recorded.
#include <cctype>
#include <fstream>
#include <map>

#include "control/rest/microversion.h"
#include "control/rest/words.h"
#include "tests/control/rest_api.h"

namespace volgrow::control::rest {
namespace {

const std::string nobody = "00000000-0000-0000-0000-000000000000";

/// "hhhh-99": h is a hex digit, 9 a digit, all else itself.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool fits = shape[i] == 'h'   ? std::isxdigit(c) != 0
                      : shape[i] == '9' ? std::isdigit(c) != 0
                                        : shape[i] == text[i];
    if (!fits) return false;
  }
  return true;
}

constexpr std::string_view uuid_shape = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
constexpr std::string_view time_shape = "9999-99-99T99:99:99";
constexpr std::string_view fraction_shape = ".999999";

/// How many bytes at the front are something that is different every time, and its name.
std::pair<std::size_t, std::string_view> changing_part(std::string_view text) {
  if (text.starts_with("req-") && has_shape(text.substr(4), uuid_shape))
    return {4 + uuid_shape.size(), "REQ"};
  if (has_shape(text, uuid_shape) && !text.starts_with(nobody)) return {uuid_shape.size(), "UUID"};
  if (!has_shape(text, time_shape)) return {0, ""};
  const bool fraction = has_shape(text.substr(time_shape.size()), fraction_shape);
  return {time_shape.size() + (fraction ? fraction_shape.size() : 0), "TIME"};
}

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// One after the other, as a client would.
class Replay {
 public:
  std::string filled(std::string text) const {
    text = replace_all(std::move(text), "{P}", some_project);
    text = replace_all(std::move(text), "{Z}", nobody);
    for (const auto& [name, value] : kept_)
      text = replace_all(std::move(text), "{" + name + "}", value);
    return replace_all(std::move(text), " ", "%20");
  }
  std::string in_body(std::string text) const {
    text = replace_all(std::move(text), "{P}", some_project);
    text = replace_all(std::move(text), "{Z}", nobody);
    for (const auto& [name, value] : kept_)
      text = replace_all(std::move(text), "{" + name + "}", value);
    return text;
  }
  std::string normal(std::string text) const {
    for (const auto& [name, value] : kept_)
      text = replace_all(std::move(text), value, "{" + name + "}");
    std::string out;
    for (std::string_view rest = text; !rest.empty();) {
      const auto [length, name] = changing_part(rest);
      out.append(length > 0 ? name : rest.substr(0, 1));
      rest.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return replace_all(std::move(out), to_text(last_version), "3.70");
  }
  void keep(const std::string& name, const std::string& value) { kept_[name] = value; }

 private:
  std::map<std::string, std::string> kept_;
};

/// Members have no order.
Value sorted(Value value) {
  if (auto* members = std::get_if<Value::Object>(&value.data)) {
    for (auto& [name, member] : *members)
      member = sorted(std::move(member));
    std::ranges::sort(*members, {}, &std::pair<std::string, Value>::first);
  } else if (auto* items = std::get_if<Value::Array>(&value.data)) {
    for (auto& item : *items)
      item = sorted(std::move(item));
  }
  return value;
}

/// "volumes.0.id".
const Value* value_at(const Value& body, std::string_view path) {
  const auto* at = &body;
  for (const auto step : words::split(path, '.')) {
    if (at == nullptr) return nullptr;
    const bool index = std::isdigit(static_cast<unsigned char>(step.front())) != 0;
    at = index ? &at->array()->at(std::stoul(std::string(step))) : at->find(step);
  }
  return at;
}

std::string text_of(const Value& row, std::string_view key, std::string otherwise = "") {
  const auto* value = row.find(key);
  return value == nullptr || value->text() == nullptr ? std::move(otherwise) : *value->text();
}

class ARecordedCinder : public RestApi {
 protected:
  http::Request request_in(const Value& row) const {
    auto request = request_for(text_of(row, "method"), replay.filled(text_of(row, "path")));
    request.body = replay.in_body(text_of(row, "body"));
    const auto* token = row.find("token");
    if (token == nullptr || !token->is_null())
      request.fields.add("X-Auth-Token",
                         replay.in_body(text_of(row, "token", "admin:" + some_project)));
    const auto* fields = row.find("fields");
    bool has_type = false;
    if (fields != nullptr)
      for (const auto& [name, value] : *fields->object()) {
        has_type = has_type || name == "Content-Type";
        if (value.text() != nullptr) request.fields.add(name, *value.text());
      }
    if (row.find("body") != nullptr && !has_type)
      request.fields.add("Content-Type", "application/json");
    if (const auto version = text_of(row, "version"); !version.empty())
      request.fields.add("OpenStack-API-Version", "volume " + version);
    return request;
  }

  static std::map<std::string, std::string> expected_fields(const Value& row) {
    const auto* fields = row.find("answer_fields");
    if (fields == nullptr)
      return {{"content-type", "application/json"},
              {"openstack-api-version", "volume " + text_of(row, "version", "3.0")},
              {"vary", "OpenStack-API-Version"},
              {"x-compute-request-id", "REQ"}};
    std::map<std::string, std::string> expected;
    for (const auto& [name, value] : *fields->object())
      expected[name] = *value.text();
    return expected;
  }
  std::map<std::string, std::string> fields_of(const http::Response& response) const {
    std::map<std::string, std::string> shown;
    for (const auto* name :
         {"content-type", "openstack-api-version", "vary", "retry-after", "location",
          "x-auth-token", "x-compute-request-id", "x-server-management-url"})
      if (const auto* value = response.fields.find(name)) shown[name] = replay.normal(*value);
    return shown;
  }
  /// JSON in one form; any other text as it is.
  std::string answer_in(const http::Response& response) const {
    const auto text = replay.normal(response.body);
    const auto value = parse_json(text, {.depth = 64});
    return value ? to_json(sorted(*value)) : text;
  }
  static std::string expected_answer(const Value& row) {
    const auto* answer = row.find("answer");
    if (answer == nullptr) return "";
    return answer->text() != nullptr ? *answer->text() : to_json(sorted(*answer));
  }
  void keep_from(const Value& row, const http::Response& response) {
    const auto* keep = row.find("keep");
    if (keep == nullptr) return;
    const auto body = body_of(response);
    const auto* value = value_at(body, text_of(*keep, "at"));
    ASSERT_NE(value, nullptr) << response.body;
    ASSERT_NE(value->text(), nullptr) << response.body;
    replay.keep(text_of(*keep, "as"), *value->text());
  }

  /// How many exchanges there were.
  std::size_t compare_with(const std::string& file) {
    std::ifstream recorded(VOLGROW_SOURCE_DIR "/tests/control/cinder/" + file);
    std::size_t compared = 0;
    for (std::string line; std::getline(recorded, line); ++compared) {
      const auto row = parse_json(line, {.depth = 64}).value();
      const auto response = answer_to(request_in(row));
      keep_from(row, response);
      const auto status = static_cast<int>(std::get<std::uint64_t>(row.find("status")->data));
      EXPECT_EQ(response.status, status) << line;
      const bool shown = text_of(row, "method") != "HEAD";  // the server leaves its body out
      EXPECT_EQ(shown ? answer_in(response) : "", expected_answer(row)) << line;
      EXPECT_EQ(fields_of(response), expected_fields(row)) << line;
      loop.advance(std::chrono::milliseconds(1));
    }
    return compared;
  }

  Replay replay;
};

TEST_F(ARecordedCinder, AnswersRequestsOfEveryKindAsThisDoes) {
  EXPECT_EQ(compare_with("requests.jsonl"), 275U);
}

TEST_F(ARecordedCinder, MakesChangesAndDeletesVolumesAsThisDoes) {
  EXPECT_EQ(compare_with("volumes.jsonl"), 282U);
}

TEST_F(ARecordedCinder, FiltersSortsAndPagesVolumesAsThisDoes) {
  EXPECT_EQ(compare_with("lists.jsonl"), 179U);
}

TEST_F(ARecordedCinder, ShowsTypesQuotasAndWhatThereIsElseAsThisDoes) {
  EXPECT_EQ(compare_with("administration.jsonl"), 346U);
}

/// Before anybody reads what the client accepts; nearly all of them want JSON.
TEST(ABodyThatIsTooLong, IsRefusedAsByCindersSizeLimit) {
  const auto response = refusal({413, "The body of the request is too long."});

  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(parse_json(response.body).value(),
            (Value::Object{{"message",
                            "Request is too large. Larger than max_request_body_size "
                            "(114688).<br /><br />\n\n\n"},
                           {"code", "413 Request Entity Too Large"},
                           {"title", "Request Entity Too Large"}}));
  EXPECT_EQ(response.fields.find("Retry-After"), nullptr);
}

}  // namespace
}  // namespace volgrow::control::rest
