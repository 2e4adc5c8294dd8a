// SPDX-License-Identifier: Apache-2.0
// The list of what there is; each resource has a file.
#include "control/rest/face.h"

#include "control/rest/absent.h"
#include "control/rest/messages.h"
#include "control/rest/quotas.h"
#include "control/rest/services.h"
#include "control/rest/types.h"
#include "control/rest/versions.h"
#include "control/rest/volume_metadata.h"
#include "control/rest/volumes.h"

namespace volgrow::control::rest {

void add_face(Api& api, const Workplace& work) {
  add_versions(api);
  add_volumes(api, work);
  add_volume_metadata(api, work);
  add_types(api, work);
  add_extra_specs(api, work);
  add_quotas(api, work);
  add_pools(api, work);
  add_services(api, work);
  add_extensions(api, work);
  add_messages(api, work);
  add_absent(api, work);
}

}  // namespace volgrow::control::rest
