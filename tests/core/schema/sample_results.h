// SPDX-License-Identifier: Apache-2.0
// Results of every kind, made by hand: for the codec's round trip and for the JSON schemas.
#pragma once

#include <chrono>
#include <vector>

#include "core/result.h"

namespace volgrow::samples {

/// All members present.
inline LayerResult full_layer() {
  return {.kind = LayerKind::path,
          .device = "sda",
          .name = "mpatha",
          .address = "1:0:0:1",
          .transport = "iscsi",
          .endpoint = "10.0.0.1:3260,iqn.2026-01.org.example:a",
          .state = "running",
          .target_bytes = 20_GiB,
          .before_bytes = 10_GiB,
          .after_bytes = 20_GiB,
          .action = LayerAction::rescanned,
          .reason = "the target says 20 GiB",
          .duration = std::chrono::microseconds(4120)};
}

/// Only the members that are always there.
inline LayerResult bare_layer() {
  LayerResult layer;
  layer.kind = LayerKind::multipath;
  layer.device = "dm-3";
  return layer;
}

/// All members present.
inline JobResult full_result() {
  return {.job = 17,
          .operation = Operation::extend,
          .volume_id = "5ea5b1f8-6a05-4b5c-8c6f-0123456789ab",
          .state = JobState::degraded,
          .identity = IdentityProof::pinned,
          .expected = 20_GiB,
          .previous = 10_GiB,
          .volume = 20_GiB,
          .size = 20_GiB,
          .device = "/dev/dm-3",
          .wwid = Wwid{WwidType::naa, "6001405abcdef0123456789abcdef012"},
          .layers = {full_layer(), bare_layer()},
          .error = Error{ErrorCode::path_hung, "sdb does not answer", "sdb", 0},
          .diagnosis = Diagnosis{"sdb", "transport-offline", "bring its session back"},
          .started_at = WallTime(std::chrono::seconds(1'767'225'600)),
          .duration = std::chrono::microseconds(18233)};
}

inline constexpr std::uint8_t layer_kinds = 11;
inline constexpr std::uint8_t layer_actions = 11;
inline constexpr std::uint8_t job_states = 8;
inline constexpr std::uint8_t error_codes = 24;
inline constexpr std::uint8_t operations = 5;
inline constexpr std::uint8_t identity_proofs = 3;
inline constexpr std::uint8_t wwid_types = 6;

/// `full_result` once with each value of the enum that `change` sets.
template <class E, class Change>
void add_each(std::vector<JobResult>& out, std::uint8_t count, Change change) {
  for (std::uint8_t i = 0; i < count; ++i) {
    out.push_back(full_result());
    change(out.back(), static_cast<E>(i));
  }
}

/// Every word that any member can hold, and a result with nothing known.
inline std::vector<JobResult> all_results() {
  std::vector<JobResult> out{full_result(), {}};
  add_each<Operation>(out, operations, [](auto& r, auto word) { r.operation = word; });
  add_each<JobState>(out, job_states, [](auto& r, auto word) { r.state = word; });
  add_each<IdentityProof>(out, identity_proofs, [](auto& r, auto word) { r.identity = word; });
  add_each<ErrorCode>(out, error_codes, [](auto& r, auto word) {
    r.error = Error{word, "why", "", 0};
  });
  add_each<LayerKind>(out, layer_kinds, [](auto& r, auto word) { r.layers[0].kind = word; });
  add_each<LayerAction>(out, layer_actions, [](auto& r, auto word) { r.layers[0].action = word; });
  add_each<WwidType>(out, wwid_types, [](auto& r, auto word) { r.wwid->type = word; });
  return out;
}

inline Report report_of(JobResult result) {
  return {.host = "compute-1",
          .journal = "0f8fad5b-d9cb-469f-a165-70867728950e",
          .sequence = 12,
          .result = std::move(result)};
}

}  // namespace volgrow::samples
