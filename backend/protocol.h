// SPDX-License-Identifier: Apache-2.0
// What volgrow-control asks of its privileged hands, and what they answer: values with their one
// codec. On the socket (AF_UNIX, SOCK_SEQPACKET) one packet is one JSON document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/value.h"

namespace volgrow::backend {

/// A packet says which version it is written in; another one is refused, never guessed.
inline constexpr std::uint64_t protocol_version = 1;
inline constexpr Bytes longest_packet{std::uint64_t{64} << 10};
/// A volume is a whole number of these: every block device is.
inline constexpr Bytes volume_unit{512};
/// The longest a call may take; what a caller allows beyond it is cut.
inline constexpr Duration longest_limit = std::chrono::hours(1);

/// `backend` is the name of a [[backend]]; both match ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$.
struct VolumeName {
  std::string backend;
  std::string id;

  bool operator==(const VolumeName&) const = default;
};

/// Who a volume is shown to: what Cinder calls the connector, as far as a back end reads it.
struct Attachment {
  std::string host;
  std::optional<std::string> initiator;  ///< iSCSI name of the host; drivers of iSCSI require it

  bool operator==(const Attachment&) const = default;
};

// ---- answers ----

struct Capabilities {
  static constexpr std::string_view word = "capabilities";
  std::string driver;    ///< "file", "tgt"
  std::string protocol;  ///< Cinder's storage_protocol: "local", "iSCSI"
  bool in_use_extend = false;
  Bytes total;
  Bytes free;
  std::uint32_t max_over_subscription_ratio = 1;  ///< growth up to free × this is accepted

  bool operator==(const Capabilities&) const = default;
};

/// The size that the storage has, measured after the call did its work.
struct Measured {
  static constexpr std::string_view word = "measured";
  Bytes size;

  bool operator==(const Measured&) const = default;
};

/// Cinder's connection_info, complete: {"driver_volume_type": …, "data": {…}}.
struct Connection {
  static constexpr std::string_view word = "connection";
  Value info;

  bool operator==(const Connection&) const = default;
};

struct Unexported {
  static constexpr std::string_view word = "unexported";
  /// The device that somebody still has open, and that the kernel takes away when they close it.
  std::optional<std::string> still_open;

  bool operator==(const Unexported&) const = default;
};

struct Removed {
  static constexpr std::string_view word = "removed";

  bool operator==(const Removed&) const = default;
};

using Outcome = std::variant<Capabilities, Measured, Connection, Unexported, Removed>;

// ---- calls: each may be repeated; what is done already is success ----
//
// Errors of all: NotInitialised (no such back end here, its directory or its target is missing),
// Busy (in use; or another call is at work on the volume), TimedOut (it may still finish: ask for
// the size), InvalidArgs, Unreachable, LimitsExceeded, Internal.

struct GetCapabilities {
  static constexpr std::string_view word = "capabilities";
  using Answer = Capabilities;
  std::string backend;

  bool operator==(const GetCapabilities&) const = default;
};

/// Errors: NoSpace; SizeMismatch when the volume is there with another size.
struct Create {
  static constexpr std::string_view word = "create";
  using Answer = Measured;
  VolumeName volume;
  Bytes size;

  bool operator==(const Create&) const = default;
};

/// Errors: NoSuchVolume.
struct GetSize {
  static constexpr std::string_view word = "size";
  using Answer = Measured;
  VolumeName volume;

  bool operator==(const GetSize&) const = default;
};

/// Errors: NoSuchVolume, NoSpace, WouldShrink; Busy when it is exported by a driver that cannot
/// extend in use.
struct Extend {
  static constexpr std::string_view word = "extend";
  using Answer = Measured;
  VolumeName volume;
  Bytes size;

  bool operator==(const Extend&) const = default;
};

/// An export of its own for each host; the same one when it has one already. Errors: NoSuchVolume.
struct Export {
  static constexpr std::string_view word = "export";
  using Answer = Connection;
  VolumeName volume;
  Attachment to;

  bool operator==(const Export&) const = default;
};

/// Success also where nothing is exported. Errors: Busy when the host still has a session.
struct Unexport {
  static constexpr std::string_view word = "unexport";
  using Answer = Unexported;
  VolumeName volume;
  Attachment from;

  bool operator==(const Unexport&) const = default;
};

/// Success also where no such volume is. Errors: Busy while it is exported to anybody.
struct Remove {
  static constexpr std::string_view word = "remove";
  using Answer = Removed;
  VolumeName volume;

  bool operator==(const Remove&) const = default;
};

using Call = std::variant<GetCapabilities, Create, GetSize, Extend, Export, Unexport, Remove>;

/// "extend of volume 7f… on fast", for messages.
std::string to_text(const Call& call);
const std::string& backend_of(const Call& call);
/// Empty for a call about a back end as a whole.
std::string_view volume_of(const Call& call);

// ---- packets ----

struct Request {
  std::uint64_t id = 0;  ///< the caller's, not 0; answers carry it, and come in any order
  Duration limit{};      ///< how long the caller waits from now, in whole milliseconds
  Call call;

  bool operator==(const Request&) const = default;
};

struct Answer {
  std::uint64_t id = 0;  ///< 0: about the connection as a whole, which ends with it
  Result<Outcome> outcome;

  bool operator==(const Answer&) const = default;
};

std::string to_packet(const Request& request);
/// A sentence or connection_info too long for a packet becomes an answer that says so.
std::string to_packet(const Answer& answer);

/// Errors: InvalidArgs that names the member, also one that is not known here.
Result<Request> request_from(std::string_view packet);
Result<Answer> answer_from(std::string_view packet);

/// Whom to refuse: the id of a packet that is no request. nullopt: not even that can be read.
std::optional<std::uint64_t> id_in(std::string_view packet);

}  // namespace volgrow::backend
