// SPDX-License-Identifier: Apache-2.0
// One function per connector file: what all_connectors() registers, and what a test can take alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"

namespace volgrow {

/// loopN: a window into a file or device.
std::unique_ptr<Connector> loop_connector();
/// sdX below an iSCSI session; speaks `iscsi` and `iser`.
std::unique_ptr<Connector> iscsi_connector();
/// sdX behind a remote port of Fibre Channel; speaks `fibre_channel`.
std::unique_ptr<Connector> fc_connector();
/// sdX of no other transport: claims every SCSI disk, so it is asked after the others.
std::unique_ptr<Connector> scsi_connector();
/// nvmeXnY and nvmeXcYnZ: NVMe namespaces and the paths to them; speaks `nvmeof`.
std::unique_ptr<Connector> nvme_connector();
/// dm-N with a uuid of multipath's: a map over paths to one volume.
std::unique_ptr<Connector> multipath_connector();
/// A regular file; speaks the connections that name a path (`local`) or a mount (`nfs`). `roots`:
/// canonical directories, see all_connectors().
std::unique_ptr<Connector> file_connector(std::vector<std::string> roots);

}  // namespace volgrow
