// SPDX-License-Identifier: Apache-2.0
// TARGETs, WWIDs, sizes and times: what is understood is read back from what is written, and no
// target climbs out of where it points.
#include "core/identity.h"
#include "core/target.h"
#include "core/text.h"
#include "core/units.h"
#include "tests/fuzz/property.h"

namespace {

using volgrow::fuzz::holds;

void check_target(std::string_view text) {
  const auto target = volgrow::parse_target(text);
  if (!target) return;
  holds(to_text(*target) == text, "a target is written as it was typed");
  holds(volgrow::parse_target(to_text(*target)) == target, "a target is read back");
  holds(volgrow::printable(target->text) == target->text, "a target is printable");
  holds(("/" + target->text + "/").find("/../") == std::string::npos, "no target climbs");
}

void check_wwid(std::string_view text) {
  const auto wwid = volgrow::parse_wwid(text);
  if (!wwid) return;
  holds(volgrow::parse_wwid(to_string(*wwid)) == wwid, "a WWID is read back");
  holds(wwid->hex.find_first_not_of("0123456789abcdef") == std::string::npos, "a WWID is hex");
}

void check_units(std::string_view text) {
  if (const auto size = volgrow::parse_size(text)) {
    const auto count = std::to_string(size->count());
    holds(volgrow::parse_size(count) == size, "a size is read back as bytes");
    holds(human_size(*size).size() <= 11, "a size for people is short");
  }
  if (const auto time = volgrow::parse_utc_timestamp(text))
    holds(volgrow::utc_timestamp(*time) == text, "a timestamp is written as it was read");
  if (const auto span = volgrow::parse_duration(text))
    holds(*span >= volgrow::Duration::zero() && !volgrow::human_duration(*span).empty(),
          "a duration is not negative");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = volgrow::fuzz::text_of(data, size);
  check_target(text);
  check_wwid(text);
  check_units(text);
  const auto once = volgrow::printable(text);
  holds(volgrow::printable(once) == once, "printable text stays itself");
  return 0;
}
