// SPDX-License-Identifier: Apache-2.0
// Results as another program might send them: what is understood is written in a form that is read
// back the same; what is not is named.
#include "core/result.h"
#include "core/text.h"
#include "tests/fuzz/property.h"

using volgrow::fuzz::holds;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = volgrow::parse_job_result(volgrow::fuzz::text_of(data, size));
  if (!result) {
    const auto& error = result.error();
    holds(error.code == volgrow::ErrorCode::invalid_args, "a refusal is InvalidArgs");
    holds(volgrow::printable(error.message) == error.message, "a refusal is printable");
    return 0;
  }
  const auto text = to_json(*result);
  holds(volgrow::parse_job_result(text) == result, "a result is read back from its text");
  holds(to_json(volgrow::parse_job_result(text).value()) == text, "the text does not change");
  holds(volgrow::job_result_from(to_value(*result)) == result, "a result is read from its value");
  return 0;
}
