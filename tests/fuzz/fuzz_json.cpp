// SPDX-License-Identifier: Apache-2.0
// JSON text: what parses is written on one line that parses to the same value; what does not is
// told so in a short, printable sentence.
#include "core/json.h"
#include "core/text.h"
#include "tests/fuzz/property.h"

using volgrow::fuzz::holds;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = volgrow::parse_json(volgrow::fuzz::text_of(data, size));
  if (!value) {
    const auto& message = value.error().message;
    holds(value.error().code == volgrow::ErrorCode::invalid_args, "a refusal is InvalidArgs");
    holds(message.size() < 500, "a refusal is short");
    holds(volgrow::printable(message) == message, "a refusal is printable");
    return 0;
  }
  const auto text = to_json(*value);
  holds(text.find('\n') == std::string::npos, "JSON is written on one line");
  holds(volgrow::parse_json(text, {.size = volgrow::Bytes(UINT64_MAX)}) == value,
        "a value is read back from its text");
  return 0;
}
