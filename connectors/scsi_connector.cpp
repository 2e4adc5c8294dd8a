// SPDX-License-Identifier: Apache-2.0
// SCSI disks of no transport that has a connector of its own: what is plugged into this machine, or
// into the machine that emulates it. Asked last, so it has what the others left.
#include "connectors/all.h"
#include "connectors/scsi_path.h"

namespace volgrow {
namespace {

class ScsiConnector final : public ScsiPath {
 public:
  std::string_view name() const override { return "scsi"; }

 protected:
  bool carries(const ScsiPlace&) const override { return true; }
  std::string transport(const Host&, const ScsiPlace&) const override { return "local"; }
  std::string endpoint(const Host&, const ScsiPlace&) const override { return ""; }
  std::optional<ScsiGate> gate(const Host&, const ScsiPlace&) const override {
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Connector> scsi_connector() {
  return std::make_unique<ScsiConnector>();
}

}  // namespace volgrow
