// SPDX-License-Identifier: Apache-2.0
// Which object path stands for which volume or job, and back. Volume ids are escaped as
// sd_bus_path_encode(3) does, so that anybody with libsystemd can compute a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/model.h"

namespace volgrow::bus {

inline constexpr std::string_view volumes_path = "/org/volgrow/Agent1/volumes";
inline constexpr std::string_view jobs_path = "/org/volgrow/Agent1/jobs";

/// One element of an object path: [A-Za-z0-9] stay (a leading digit does not), all else is _xx.
std::string encode_label(std::string_view text);
/// nullopt when `label` is nothing that encode_label makes.
std::optional<std::string> decode_label(std::string_view label);

std::optional<std::string> volume_at(std::string_view path);
std::optional<JobId> job_at(std::string_view path);

}  // namespace volgrow::bus
