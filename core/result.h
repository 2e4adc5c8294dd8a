// SPDX-License-Identifier: Apache-2.0
// What became of a job, layer by layer, in measured bytes; and the report that carries it away. The
// JSON here is the product's one result format (docs/result.schema.json).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/identity.h"
#include "core/request.h"
#include "core/value.h"

namespace volgrow {

enum class LayerKind : std::uint8_t {
  path,
  nvme_namespace,
  nvme_path,
  multipath,
  crypt,
  loop,
  file,
  partition,
  lvm,
  md,
  guest,
};

enum class LayerAction : std::uint8_t {
  none,  ///< looked at, nothing decided (explain)
  rescanned,
  resized,
  unchanged,
  evicted,
  readopted,
  deferred,
  skipped,
  refused,
  failed,
  planned,
};

/// One layer of the stack, as a job found and left it. Absent sizes were not measured.
struct LayerResult {
  LayerKind kind = LayerKind::path;
  std::string device;     ///< kernel name; for a file its path
  std::string name;       ///< dm name, empty otherwise
  std::string address;    ///< H:C:T:L for SCSI, the controller for NVMe
  std::string transport;  ///< iscsi fc tcp rdma local …
  std::string endpoint;   ///< portal and target name, or backing file
  std::string state;      ///< the kernel's own word: running, offline, live …
  std::optional<Bytes> target_bytes;
  std::optional<Bytes> before_bytes;
  std::optional<Bytes> after_bytes;
  LayerAction action = LayerAction::none;
  std::string reason;  ///< why this action, for people
  Duration duration{};

  bool operator==(const LayerResult&) const = default;
};

/// The first layer that is wrong, in one sentence, and what mends it (explain).
struct Diagnosis {
  std::string device;
  std::string problem;
  std::string fix;

  bool operator==(const Diagnosis&) const = default;
};

enum class IdentityProof : std::uint8_t { unknown, pinned, first_sight };

struct JobResult {
  std::uint32_t job = 0;  ///< 0 outside the daemon
  Operation operation = Operation::extend;
  std::string volume_id;
  JobState state = JobState::running;
  IdentityProof identity = IdentityProof::unknown;
  std::optional<Bytes> expected;
  std::optional<Bytes> previous;  ///< top device before
  std::optional<Bytes> volume;    ///< the volume itself: what the target says and the kernel shows
  std::optional<Bytes> size;      ///< top device now: what the consumer sees
  std::string device;             ///< "/dev/…" of the top device, empty when unresolved
  std::optional<Wwid> wwid;
  std::vector<LayerResult> layers;  ///< bottom to top
  std::optional<Error> error;
  std::optional<Diagnosis> diagnosis;  ///< only from explain
  WallTime started_at{};
  Duration duration{};

  bool operator==(const JobResult&) const = default;
};

/// A result on its way to the control plane. Its key is (host, journal, sequence).
struct Report {
  std::string host;
  std::string journal;  ///< UUID made with the journal's database
  std::uint64_t sequence = 0;
  JobResult result;

  bool operator==(const Report&) const = default;
};

Value to_value(const JobResult& result);
/// Errors: InvalidArgs that names the member.
Result<JobResult> job_result_from(const Value& value);
Value to_value(const Report& report);
/// Errors: InvalidArgs that names the member.
Result<Report> report_from(const Value& value);
std::string to_json(const JobResult& result);
std::string to_json(const Report& report);
Result<JobResult> parse_job_result(std::string_view json);

std::string_view name_of(LayerKind kind);
std::string_view name_of(LayerAction action);
std::string_view name_of(IdentityProof proof);
std::optional<LayerKind> layer_kind_named(std::string_view name);
std::optional<LayerAction> layer_action_named(std::string_view name);
std::optional<IdentityProof> identity_proof_named(std::string_view name);

}  // namespace volgrow
