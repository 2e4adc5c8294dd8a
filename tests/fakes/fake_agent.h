// SPDX-License-Identifier: Apache-2.0
// volgrowd as a client with an event loop sees it, without a bus: it writes down what it is asked,
// keeps an outbox, and answers at once or when the test says so.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dbus/async_client.h"

namespace volgrow {

class FakeAgent final : public bus::AsyncClient {
 public:
  // What came.
  std::vector<std::pair<std::string, Bytes>> changes;
  std::vector<std::uint32_t> lists;  ///< the most that was asked for
  std::vector<std::vector<std::uint64_t>> acknowledgements;
  std::vector<Deadline> deadlines;

  // What to answer.
  std::map<std::string, Error> refusals;  ///< by volume id
  std::optional<Error> error;             ///< to every call
  std::optional<Error> acknowledgement_error;
  bool holds = false;  ///< answers wait for release()
  std::vector<bus::OutboxEntry> outbox;

  void release() {
    for (auto& answer : std::exchange(held_, {}))
      answer();
  }

  void volume_changed(const std::string& volume_id, Bytes expected, Deadline deadline,
                      bus::Reply<JobId> reply) override {
    changes.emplace_back(volume_id, expected);
    const auto refusal = refusals.find(volume_id);
    auto result = refusal == refusals.end() ? Result<JobId>(static_cast<JobId>(changes.size()))
                                            : std::unexpected(refusal->second);
    answer(std::move(reply), std::move(result), deadline);
  }
  void list_outbox(std::uint32_t max, Deadline deadline,
                   bus::Reply<std::vector<bus::OutboxEntry>> reply) override {
    lists.push_back(max);
    auto entries = outbox;
    if (entries.size() > max) entries.resize(max);
    answer(std::move(reply), Result<std::vector<bus::OutboxEntry>>(std::move(entries)), deadline);
  }
  void acknowledge(const std::vector<std::uint64_t>& sequences, Deadline deadline,
                   bus::Reply<void> reply) override {
    acknowledgements.push_back(sequences);
    const auto refused = error ? error : acknowledgement_error;
    if (!refused)
      std::erase_if(outbox, [&](const auto& entry) {
        return std::find(sequences.begin(), sequences.end(), entry.first) != sequences.end();
      });
    auto result = refused ? Result<void>(std::unexpected(*refused)) : Result<void>();
    answer(std::move(reply), std::move(result), deadline);
  }

 private:
  template <class T>
  void answer(bus::Reply<T> reply, Result<T> result, Deadline deadline) {
    deadlines.push_back(deadline);
    if (error) result = std::unexpected(*error);
    if (!holds) return reply(std::move(result));
    held_.push_back([reply = std::move(reply), result = std::move(result)]() mutable {
      reply(std::move(result));
    });
  }

  std::vector<std::move_only_function<void()>> held_;
};

}  // namespace volgrow
