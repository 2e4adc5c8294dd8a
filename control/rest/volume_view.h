// SPDX-License-Identifier: Apache-2.0
// A volume as Cinder's API shows it, by microversion and by who looks
// (cinder/api/v3/views/volumes.py and the extensions of its answers).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/model.h"
#include "control/rest/call.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

/// Shows volumes for one call; what several have in common is read once.
class VolumeView {
 public:
  VolumeView(const Workplace& work, const Call& call) : work_(work), call_(call) {}

  /// id, name and links.
  Value summary(const Volume& volume) const;
  /// Everything but what extensions add to show and detail: what create and update answer.
  Outcome<Value> plain(const Volume& volume);
  Outcome<Value> detail(const Volume& volume);

 private:
  Outcome<std::vector<Attachment>> attachments_of(const Volume& volume) const;
  Outcome<std::string> type_name(const std::string& id);
  Value attachment(const Attachment& attachment) const;
  void add_by_version(Value::Object& shown, const Volume& volume) const;
  void add_extensions(Value::Object& shown, const Volume& volume) const;
  Outcome<Value::Object> shown(const Volume& volume);

  const Workplace& work_;
  const Call& call_;
  std::map<std::string, std::string> type_names_;
};

/// What clients see of a status: some of Cinder's are others to them.
std::string_view shown_status(VolumeStatus status);

}  // namespace volgrow::control::rest
