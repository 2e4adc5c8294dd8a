// SPDX-License-Identifier: Apache-2.0
// A worker's bytes, should a worker go mad: what decodes is encoded in a form that decodes and
// encodes to itself.
#include "stack/step.h"
#include "tests/fuzz/property.h"

namespace {

using volgrow::fuzz::holds;

template <class Decode>
void check(std::string_view bytes, Decode decode) {
  const auto first = decode(bytes);
  if (!first) return;
  // Not compared with `bytes`: any byte but 0 is read as true.
  const auto written = encode(*first);
  const auto second = decode(written);
  holds(second.has_value(), "what was encoded decodes");
  holds(encode(*second) == written, "it encodes to itself");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = volgrow::fuzz::text_of(data, size);
  check(bytes, volgrow::decode_step);
  check(bytes, volgrow::decode_step_result);
  return 0;
}
