// SPDX-License-Identifier: Apache-2.0
// The two books the server keeps about its callers.
#include "dbus/callers.h"

#include <fmt/format.h>

#include <utility>

namespace volgrow::bus {

void Callers::identify(const std::string& name, Call call) {
  if (const auto known = entries_.find(name); known != entries_.end()) {
    if (const auto caller = known->second.caller) return call(*caller);
    known->second.waiting.push_back(std::move(call));
    return;
  }
  // Watched before it is asked about: a name that leaves in between is then reported, not missed.
  if (auto watched = daemon_.watch(name); !watched) return call(std::unexpected(watched.error()));
  entries_[name].waiting.push_back(std::move(call));
  daemon_.ask_credentials(name);
}

void Callers::identified(const std::string& name, const Result<Caller>& caller) {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return;
  auto waiting = std::exchange(entry->second.waiting, {});
  if (caller) {
    entry->second.caller = std::make_shared<const Result<Caller>>(caller);
  } else {
    entries_.erase(entry);
    daemon_.stop_watching(name);
  }
  for (auto& call : waiting)
    call(caller);
}

void Callers::left(const std::string& name) {
  daemon_.stop_watching(name);
  entries_.erase(name);
}

Result<std::uint64_t> OpenCalls::open(const std::string& caller, std::shared_ptr<void> answer) {
  auto& count = count_[caller];
  if (count >= per_caller)
    return failure(ErrorCode::limits_exceeded,
                   fmt::format("{} calls of this connection wait for their answer already; "
                               "wait for some of them",
                               count));
  ++count;
  calls_.emplace(++last_number_, Entry{caller, std::move(answer)});
  return last_number_;
}

void OpenCalls::close(std::uint64_t number) {
  const auto call = calls_.find(number);
  if (call == calls_.end()) return;
  if (const auto count = count_.find(call->second.caller); --count->second == 0)
    count_.erase(count);
  calls_.erase(call);
}

void OpenCalls::drop(const std::string& caller) {
  count_.erase(caller);
  std::erase_if(calls_, [&](const auto& call) { return call.second.caller == caller; });
}

}  // namespace volgrow::bus
