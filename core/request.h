// SPDX-License-Identifier: Apache-2.0
// What somebody asks of a volume, as values: the same for D-Bus, the CLI's --direct and the
// journal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/connection_info.h"
#include "core/identity.h"
#include "core/target.h"

namespace volgrow {

enum class Operation : std::uint8_t { extend, rescan, plan, explain, registration };
enum class Mode : std::uint8_t { at_least, exact };
enum class DeadPaths : std::uint8_t { evict, wait };
/// Who set a growth in motion; the last argument of VolumeResized.
enum class Origin : std::uint8_t { event, call, cli, straggler, spontaneous };

/// Cinder's connection_info, or a TARGET.
using Subject = std::variant<ConnectionInfo, Target>;

struct Request {
  Operation operation = Operation::extend;
  Subject subject;
  std::string volume_id;          ///< empty when nobody named one
  std::optional<Wwid> pinned;     ///< the identity the volume must have; none: first sight
  bool pin_required = false;      ///< `require_identity`: refuse a first sight
  std::optional<Bytes> expected;  ///< of the volume itself, the layer below crypt
  Mode mode = Mode::at_least;
  DeadPaths dead_paths = DeadPaths::evict;
  bool dry_run = false;
  Origin origin = Origin::call;

  bool operator==(const Request&) const = default;
};

/// Whether what is asked must change nothing on the host.
bool only_looks(const Request& request);

/// The deadline of a job for which nobody set one (contracts §1, deadline-ms).
inline constexpr Duration usual_deadline = std::chrono::seconds(30);

/// Options of a D-Bus method or of a command line, already typed.
struct RequestOptions {
  Mode mode = Mode::at_least;
  std::optional<Duration> deadline;  ///< from now; none: the daemon's default
  std::string idempotency_key;
  std::string volume_id;
  std::optional<Wwid> wwid;
  std::optional<DeadPaths> dead_paths;  ///< none: the daemon's policy
  bool dry_run = false;
  bool has_passphrase = false;

  bool operator==(const RequestOptions&) const = default;
};

/// connection_info when `text` begins with "{", else a TARGET. Errors: BadConnectionInfo,
/// InvalidArgs.
Result<Subject> parse_subject(std::string_view text);
/// The text `parse_subject` reads back, secrets gone.
std::string to_text(const Subject& subject);

std::string_view name_of(Operation operation);
std::string_view name_of(Mode mode);
std::string_view name_of(DeadPaths policy);
std::string_view name_of(Origin origin);
std::optional<Operation> operation_named(std::string_view name);
std::optional<Mode> mode_named(std::string_view name);
std::optional<DeadPaths> dead_paths_named(std::string_view name);
std::optional<Origin> origin_named(std::string_view name);

}  // namespace volgrow
