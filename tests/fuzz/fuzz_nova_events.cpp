// SPDX-License-Identifier: Apache-2.0
// A request with events: what is refused is told so in JSON, what is taken is answered event by
// event. The first line stands for the version's field, the rest is the body.
#include <algorithm>

#include "core/json.h"
#include "relay/nova_events.h"
#include "tests/fuzz/property.h"

using volgrow::fuzz::holds;
namespace relay = volgrow::relay;

namespace {

constexpr volgrow::JsonLimits any_size{.size = volgrow::Bytes(UINT64_MAX), .depth = 20};

void is_answered(std::vector<relay::Event> events) {
  const auto count = events.size();
  const auto answer =
      relay::answer_of(std::move(events), std::vector(count, relay::EventVerdict{}));
  const auto body = volgrow::parse_json(answer.body, any_size);
  const auto* answered = body ? body->find("events") : nullptr;
  holds(answer.status == 200, "what is taken is answered with 200");
  holds(answered && answered->array() && answered->array()->size() == count,
        "each event has its answer");
}

void is_refused(const relay::NovaFault& fault) {
  holds(fault.status == 400 || fault.status == 406, "a refusal is the client's fault");
  holds(volgrow::parse_json(relay::answer_of(fault).body, any_size).has_value(),
        "a refusal is JSON");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = volgrow::fuzz::text_of(data, size);
  const auto line = std::min(text.find('\n'), text.size());
  const auto body = text.substr(std::min(line + 1, text.size()));
  const auto version =
      relay::version_asked({{"OpenStack-API-Version", std::string(text.substr(0, line))}});
  if (!version) {
    is_refused(version.error().fault);
    return 0;
  }
  const auto again = relay::version_asked({{"X-OpenStack-Nova-API-Version", to_text(*version)}});
  holds(again && *again == *version, "a version is read back from its text");
  auto events = relay::parse_events(body, *version);
  if (events)
    is_answered(std::move(*events));
  else
    is_refused(events.error());
  return 0;
}
