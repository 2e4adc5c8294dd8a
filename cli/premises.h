// SPDX-License-Identifier: Apache-2.0
// What the checks of volgrow doctor look at, and how they say what they found.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/doctor.h"

namespace volgrow::cli {

Finding ok(std::string what);
Finding warn(std::string what, std::string fix);
Finding fail(std::string what, std::string fix);

/// `path` is relative to the host's root.
bool there(const Premises& premises, std::string_view path);
/// Names in a directory, sorted; none when it is not there or not ours to read.
std::vector<std::string> names_in(const Premises& premises, std::string_view directory);
/// A small file's text; "" when it cannot be read.
std::string text_of(const Premises& premises, const std::filesystem::path& path);

/// What storage needs of the host, in the order of the table.
Finding look_at_udev(const Premises& premises);
Finding look_at_loop(const Premises& premises);
Finding look_at_sg(const Premises& premises);
Finding look_at_unit_attention_rules(const Premises& premises);
Finding look_at_iscsi_timeouts(const Premises& premises);
Finding look_at_fc_timeouts(const Premises& premises);
Finding look_at_multipathd(const Premises& premises);
Finding look_at_multipathd_version(const Premises& premises);
Finding look_at_auto_resize(const Premises& premises);

}  // namespace volgrow::cli
