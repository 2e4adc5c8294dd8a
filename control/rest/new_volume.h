// SPDX-License-Identifier: Apache-2.0
// What a request to create a volume makes: the checks of cinder/api/v3/volumes.py (create) and of
// cinder/volume/flows/api/create_volume.py, in their order, up to a row that can be stored.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "control/model.h"
#include "control/rest/call.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

/// A volume that is `creating`. Faults: 400, 403, 404, 413; 501 for what we cannot make one from.
Outcome<Volume> new_volume(const Workplace& work, const Call& call);

/// A text without the white space around it; nothing for null.
std::optional<std::string> text_in(const Value& value);
/// An object whose members are texts.
std::map<std::string, std::string> pairs_in(const Value& object);

/// The type of that name or id. Faults: 404.
Outcome<VolumeType> find_type(const Workplace& work, const std::string& name_or_id);
/// What a volume without a type gets. Faults: 500, as Cinder's, when it is not there.
Outcome<VolumeType> default_type(const Workplace& work);
inline constexpr const char* default_type_name = "__DEFAULT__";

}  // namespace volgrow::control::rest
