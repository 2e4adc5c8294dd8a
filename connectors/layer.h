// SPDX-License-Identifier: Apache-2.0
// A layer of a volume's stack as the kernel shows it now, and what can be learnt of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"
#include "core/identity.h"
#include "core/result.h"
#include "core/wire.h"

namespace volgrow {

/// Device names are reused; this is not, within a boot.
struct DeviceIdentity {
  std::uint64_t number = 0;   ///< dev_t; 0 for a file or a hidden disk
  std::uint64_t diskseq = 0;  ///< 0 where the kernel has none
  bool operator==(const DeviceIdentity&) const = default;
};

/// How a layer comes to its new size.
enum class Growth : std::uint8_t {
  at_once,    ///< grow() returns when the kernel is done
  later,      ///< grow() only asks: the kernel follows some time after it has returned
  by_itself,  ///< with the layers below; there is nothing to ask
};

struct Layer {
  std::string connector;  ///< name() of the Connector that answers for it
  LayerKind kind = LayerKind::path;
  std::string device;  ///< kernel name ("sda"); for a file its path
  DeviceIdentity identity;
  std::string name;           ///< dm name, empty otherwise
  std::string address;        ///< H:C:T:L for SCSI, the controller for NVMe, else empty
  std::string transport;      ///< iscsi fc tcp … ; empty where there is none
  std::string endpoint;       ///< portal and target name, backing file …
  std::string state;          ///< the kernel's own word; "" where it has none
  std::optional<Bytes> size;  ///< what the kernel shows; none: not readable
  bool has_target = false;    ///< probe() can ask somebody who knows better than the kernel
  Growth growth = Growth::at_once;
  std::optional<Error> closed;     ///< why nothing must be sent to it now; none: usable
  Bytes overhead;                  ///< bytes this layer keeps for itself (a LUKS header)
  std::vector<std::string> below;  ///< `device` of each layer it is made of
  std::string lost_from;  ///< the map this path belongs to by identity and is no member of; or ""

  bool is_made_of(const std::string& other) const {
    return std::ranges::find(below, other) != below.end();
  }
  bool operator==(const Layer&) const = default;
};

/// What must be sure before anything is sent to a layer: which device it is, and why it is shut.
struct Standing {
  DeviceIdentity identity;
  std::optional<Error> closed;
  bool operator==(const Standing&) const = default;
};

/// What the target itself says.
struct Truth {
  Bytes size;
  std::optional<Wwid> identity;  ///< none: the target reports no designator we trust
  bool operator==(const Truth&) const = default;
};

/// What the kernel shows, read again. For the consumer's device by BLKGETSIZE64, not only by sysfs.
struct Measurement {
  Bytes size;
  DeviceIdentity identity;
  std::string state;
  bool operator==(const Measurement&) const = default;
};

template <class A, wire::SameAs<Bytes> V>
void fields(A& a, V& v) {
  auto count = v.count();
  a(count);
  if constexpr (!std::is_const_v<V>) v = Bytes(count);
}
template <class A, wire::SameAs<Error> V>
void fields(A& a, V& v) {
  a(v.code, v.message, v.device, v.error_number);
}
template <class A, wire::SameAs<Wwid> V>
void fields(A& a, V& v) {
  a(v.type, v.hex);
}
template <class A, wire::SameAs<DeviceIdentity> V>
void fields(A& a, V& v) {
  a(v.number, v.diskseq);
}
template <class A, wire::SameAs<Layer> V>
void fields(A& a, V& v) {
  a(v.connector, v.kind, v.device, v.identity, v.name, v.address, v.transport, v.endpoint, v.state,
    v.size, v.has_target, v.growth, v.closed, v.overhead, v.below, v.lost_from);
}
template <class A, wire::SameAs<Truth> V>
void fields(A& a, V& v) {
  a(v.size, v.identity);
}
template <class A, wire::SameAs<Measurement> V>
void fields(A& a, V& v) {
  a(v.size, v.identity, v.state);
}

}  // namespace volgrow
