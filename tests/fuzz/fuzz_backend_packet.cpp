// SPDX-License-Identifier: Apache-2.0
// A packet to or from volgrow-backend: what is read is written as a packet that reads as the same,
// and names no path.
#include "backend/protocol.h"
#include "tests/fuzz/property.h"

namespace {

using namespace volgrow::backend;
using volgrow::fuzz::holds;

template <class T, class Read>
void check(const T& first, Read read) {
  const auto packet = to_packet(first);
  holds(packet.size() <= volgrow::backend::longest_packet.count(), "what is read fits a packet");
  const auto second = read(packet);
  holds(second.has_value(), "what was written is read");
  holds(*second == first, "it reads as the same");
}

void expect_harmless(const Call& call) {
  for (const auto text : {std::string_view(backend_of(call)), volume_of(call)})
    holds(text.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos,
          "no name is a path");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = volgrow::fuzz::text_of(data, size);
  if (const auto request = request_from(packet)) {
    expect_harmless(request->call);
    check(*request, request_from);
    holds(id_in(packet) == request->id, "its id is found");
  }
  // An answer may grow when it is written: 1e5 becomes 100000.0, and then says that it is too long.
  if (const auto answer = answer_from(packet); answer && packet.size() < 4096)
    check(*answer, answer_from);
  return 0;
}
