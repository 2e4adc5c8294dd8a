// SPDX-License-Identifier: Apache-2.0
// Just enough reading of answers to know when one is whole.
#include "tests/http/a_server.h"

#include <cstdlib>

namespace volgrow {

std::size_t AServer::whole_answers(std::string_view text) {
  constexpr std::string_view length = "Content-Length: ";
  std::size_t count = 0;
  for (;; ++count) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return count;
    const auto head = text.substr(0, end);
    const auto at = head.find(length);
    const auto body =
        at == std::string_view::npos ? 0 : std::atoi(head.data() + at + length.size());
    if (text.size() < end + 4 + static_cast<std::size_t>(body)) return count;
    text.remove_prefix(end + 4 + static_cast<std::size_t>(body));
  }
}

std::string AServer::without_date(std::string text) {
  for (auto at = text.find("Date: "); at != std::string::npos; at = text.find("Date: "))
    text.erase(at, text.find("\r\n", at) + 2 - at);
  return text;
}

}  // namespace volgrow
