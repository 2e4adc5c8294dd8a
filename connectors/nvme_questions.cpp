// SPDX-License-Identifier: Apache-2.0
// Identify as a passthrough command on a controller's own node: with native multipath a namespace's
// node would ask whichever controller the kernel chooses.
#include "connectors/nvme_questions.h"

#include <fmt/format.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>
#include <utility>

namespace volgrow::nvme {
namespace {

std::unexpected<Error> about(std::string_view device, Error error) {
  error.device = device;
  return std::unexpected(std::move(error).during(fmt::format("Identify of {}", device)));
}

/// EINTR: the kernel gave the command up with its controller (core.c, nvme_execute_rq); EAGAIN and
/// the like: the controller is not live. What we may not do stays what it is.
Error about_path(Error error) {
  const bool forbidden = error.error_number == EPERM || error.error_number == EACCES;
  const bool unknown = error.error_number == ENOTTY || error.error_number == EINVAL;
  if (error.code == ErrorCode::internal && !forbidden && !unknown)
    error.code = ErrorCode::no_usable_path;
  return error;
}

struct Answer {
  int status = 0;
  std::string data;
};

/// The kernel's own time-out holds (admin_timeout, 60 s): when a command's time is over, the kernel
/// resets the controller under all its namespaces (tcp.c, nvme_tcp_timeout), and a probe must not
/// do that to a controller that is only slow. Whoever is out of patience gives up the worker.
Result<Answer> identify(OpenNode& controller, std::uint32_t nsid, Structure structure) {
  Answer answer{0, std::string(identify_size, '\0')};
  nvme_admin_cmd command{};
  command.opcode = identify_opcode;
  command.nsid = nsid;
  command.addr = reinterpret_cast<std::uintptr_t>(answer.data.data());
  command.data_len = static_cast<std::uint32_t>(answer.data.size());
  command.cdw10 = static_cast<std::uint32_t>(structure);
  auto status = controller.control(NVME_IOCTL_ADMIN_CMD, &command);
  if (!status) return std::unexpected(about_path(std::move(status.error())));
  answer.status = *status;
  return answer;
}

}  // namespace

Result<Capacity> ask_capacity(OpenNode& controller, std::uint32_t nsid, std::string_view device) {
  auto answer = identify(controller, nsid, Structure::of_namespace);
  if (!answer) return about(device, std::move(answer.error()));
  if (answer->status != 0) return about(device, refusal(answer->status, device));
  auto capacity = parse_capacity(answer->data);
  if (!capacity) return about(device, std::move(capacity.error()));
  return capacity;
}

Result<std::optional<Wwid>> ask_identity(OpenNode& controller, std::uint32_t nsid,
                                         std::string_view device) {
  auto answer = identify(controller, nsid, Structure::descriptors);
  if (!answer) return about(device, std::move(answer.error()));
  if (is_unsupported(answer->status)) {  // before NVMe 1.3
    answer = identify(controller, nsid, Structure::of_namespace);
    if (!answer) return about(device, std::move(answer.error()));
    if (answer->status == 0) return parse_namespace_identity(answer->data);
  }
  if (answer->status != 0) return about(device, refusal(answer->status, device));
  auto identity = parse_descriptors(answer->data);
  if (!identity) return about(device, std::move(identity.error()));
  return identity;
}

}  // namespace volgrow::nvme
