// SPDX-License-Identifier: Apache-2.0
// The part of control.toml that volgrow-control and volgrow-backend both read: [[backend]] and
// [backend_helper]. All other sections are control's and are not looked at here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace volgrow::backend {

enum class DriverKind : std::uint8_t { file, tgt };
enum class Completion : std::uint8_t { immediate, deferred };

/// One [[backend]].
struct BackEnd {
  std::string name;  ///< as volume ids: ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$; unique
  DriverKind driver = DriverKind::file;
  std::filesystem::path path;  ///< the directory of its volumes; absolute; no two share one
  bool in_use_extend = true;   ///< not given: true for file, false for tgt
  Completion completion = Completion::immediate;  ///< control's business
  /// How much growth is accepted: free bytes × this. Volumes are sparse, so promises may exceed
  /// what is there; Cinder's option of the same name and default.
  std::uint32_t max_over_subscription_ratio = 20;
  // driver "tgt" only
  std::string portal = "127.0.0.1:3260";  ///< where hosts reach tgtd
  std::filesystem::path control_socket = "/run/tgtd/socket.0";

  bool operator==(const BackEnd&) const = default;
};

struct Settings {
  std::vector<BackEnd> backends;  ///< in the order of the file
  // [backend_helper]
  std::filesystem::path socket = "/run/volgrow/backend.sock";
  std::string user = "volgrow-control";  ///< whom volgrow-backend answers, beside root; or a uid

  bool operator==(const Settings&) const = default;
};

inline constexpr const char* default_settings_file = "/etc/volgrow/control.toml";

std::string_view name_of(DriverKind driver);
std::string_view name_of(Completion completion);

/// Errors: InvalidArgs "control.toml:12: unknown key 'backend.in_use_extnd'; did you mean …".
Result<Settings> read_settings(const std::filesystem::path& path);
Result<Settings> parse_settings(std::string_view toml, std::string_view source_name);

}  // namespace volgrow::backend
