// SPDX-License-Identifier: Apache-2.0
// NVMe as bytes: what Identify answers mean (NVM Express base specification, Identify; NVM command
// set, Identify Namespace), and how sysfs names things. Pure; who asks is not known here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/error.h"
#include "core/identity.h"

namespace volgrow::nvme {

/// Every Identify data structure is one page.
inline constexpr std::size_t identify_size = 4096;
inline constexpr std::uint8_t identify_opcode = 0x06;

/// CNS: which data structure Identify is to return.
enum class Structure : std::uint8_t { of_namespace = 0x00, descriptors = 0x03 };

struct Capacity {
  Bytes size;
  Bytes block_length;
  bool operator==(const Capacity&) const = default;
};

/// Of an Identify Namespace answer. Errors: NoSuchDevice when it is all zeros, which is how a
/// controller says that the namespace is not there; NoUsablePath (short, no block format, more
/// bytes than 64 bits can count).
Result<Capacity> parse_capacity(std::string_view reply);

/// NGUID, then EUI-64, of an Identify Namespace answer: for controllers without descriptors.
std::optional<Wwid> parse_namespace_identity(std::string_view reply);

/// The best of an Identify Namespace Identification Descriptor list: UUID, then NGUID, then EUI-64;
/// nullopt when there is none. Errors: NoUsablePath when the list is malformed.
Result<std::optional<Wwid>> parse_descriptors(std::string_view reply);

/// Whether a command's status says that the controller does not know this data structure.
bool is_unsupported(int status);
/// Why a command that ended with `status` (as NVME_IOCTL_ADMIN_CMD returns it) says the path, or
/// the volume, is of no use. Errors by design: NoSuchDevice for an invalid namespace, NoUsablePath
/// for all else.
Error refusal(int status, std::string_view device);

/// A namespace's kernel name in its parts: "nvme0n1", and "nvme0c1n1" for a path to it.
struct DiskName {
  std::uint32_t instance = 0;  ///< of the subsystem with native multipath, else of the controller
  std::optional<std::uint32_t> controller;
  std::uint32_t number = 0;

  bool is_path_of(const DiskName& head) const {
    return controller && !head.controller && instance == head.instance && number == head.number;
  }
  bool operator==(const DiskName&) const = default;
};
/// nullopt for any other name, a partition's too.
std::optional<DiskName> parse_disk_name(std::string_view name);
/// "nvme0" and no more.
bool is_controller_name(std::string_view name);

/// "10.0.0.1:4420" of a controller's `address`, which has keys that differ between kernels:
/// "traddr=10.0.0.1,trsvcid=4420,src_addr=10.0.0.9". As it is where it has none (a PCI address).
std::string portal_of(std::string_view address);

}  // namespace volgrow::nvme
