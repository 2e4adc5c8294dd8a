// SPDX-License-Identifier: Apache-2.0
// tgtd's listing, in which initiators choose some of the words: whatever it says is read.
#include "backend/tgt_daemon.h"
#include "tests/fuzz/property.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& target : volgrow::backend::parse_targets(volgrow::fuzz::text_of(data, size)))
    volgrow::fuzz::holds(!target.name.empty(), "a target has a name");
  return 0;
}
