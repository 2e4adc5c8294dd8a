// SPDX-License-Identifier: Apache-2.0
// The sg_io_hdr of a command, its way to the kernel and back, and the words for what went wrong
// between host and target. Status and sense of the target itself are handed on as they are.
#include "connectors/sg_command.h"

#include <fmt/format.h>
#include <poll.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <vector>

namespace volgrow {
namespace {

constexpr std::size_t sense_size = 64;

/// One command and the buffers the kernel fills; stays where it is while the kernel has it.
struct Command {
  std::string device;
  std::vector<std::uint8_t> cdb;
  std::string reply;
  std::array<char, sense_size> sense{};
  sg_io_hdr_t header{};

  Command(std::string_view name, std::span<const std::uint8_t> bytes, std::size_t reply_size)
      : device(name), cdb(bytes.begin(), bytes.end()), reply(reply_size, '\0') {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
};

std::chrono::milliseconds time_left(Deadline deadline, const Clock& clock) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining(clock.now()));
}

std::unexpected<Error> timed_out(const Command& command) {
  return failure(ErrorCode::timed_out,
                 fmt::format("{} did not answer within the time allowed", command.device),
                 command.device);
}

/// False when no time is left to send it.
bool prepare(Command& command, Deadline deadline, const Clock& clock) {
  const auto left = time_left(deadline, clock).count();
  if (left <= 0) return false;
  constexpr auto most = std::numeric_limits<int>::max();
  auto& header = command.header;
  header.interface_id = 'S';
  header.dxfer_direction = SG_DXFER_FROM_DEV;
  header.cmd_len = static_cast<unsigned char>(command.cdb.size());
  header.cmdp = command.cdb.data();
  header.mx_sb_len = sense_size;
  header.sbp = reinterpret_cast<unsigned char*>(command.sense.data());
  header.dxfer_len = static_cast<unsigned>(command.reply.size());
  header.dxferp = command.reply.data();
  header.timeout = static_cast<unsigned>(std::min<decltype(left)>(left, most));
  return true;
}

struct Words {
  unsigned code;
  std::string_view text;
};

/// include/scsi/scsi_status.h, enum scsi_host_status.
constexpr std::array host_words{
    Words{0x01, "no connection to the target (DID_NO_CONNECT)"},
    Words{0x02, "the bus stayed busy (DID_BUS_BUSY)"},
    Words{0x03, "the command timed out (DID_TIME_OUT)"},
    Words{0x04, "bad target (DID_BAD_TARGET)"},
    Words{0x05, "the command was aborted (DID_ABORT)"},
    Words{0x07, "internal error (DID_ERROR)"},
    Words{0x08, "reset (DID_RESET)"},
    Words{0x0b, "soft error (DID_SOFT_ERROR)"},
    Words{0x0d, "requeued (DID_REQUEUE)"},
    Words{0x0e, "the transport was disrupted (DID_TRANSPORT_DISRUPTED)"},
    Words{0x0f, "the transport gave up (DID_TRANSPORT_FAILFAST)"},
    Words{0x10, "target failure (DID_TARGET_FAILURE)"},
    Words{0x11, "nexus failure (DID_NEXUS_FAILURE)"},
    Words{0x14, "the transport is marginal (DID_TRANSPORT_MARGINAL)"},
};
constexpr unsigned host_timed_out = 0x03;

std::string_view host_word(unsigned code) {
  const auto found = std::ranges::find(host_words, code, &Words::code);
  return found == host_words.end() ? "unknown" : found->text;
}

/// DRIVER_SENSE only says that sense data is there; older kernels set it with CHECK CONDITION.
constexpr unsigned driver_mask = 0x0f;
constexpr unsigned driver_sense = 0x08;
constexpr unsigned driver_timed_out = 0x06;

Result<ScsiAnswer> answer_of(Command& command) {
  const auto& header = command.header;
  const unsigned driver = header.driver_status & driver_mask;
  if (header.host_status == host_timed_out || driver == driver_timed_out) return timed_out(command);
  if (header.host_status != 0)
    return failure(ErrorCode::no_usable_path,
                   fmt::format("{}: SCSI host error {:#04x}, {}", command.device,
                               header.host_status, host_word(header.host_status)),
                   command.device);
  if (driver != 0 && driver != driver_sense)
    return failure(ErrorCode::no_usable_path,
                   fmt::format("{}: SCSI driver error {:#04x}", command.device, driver),
                   command.device);
  const auto missing = std::clamp<long>(header.resid, 0, static_cast<long>(command.reply.size()));
  command.reply.resize(command.reply.size() - static_cast<std::size_t>(missing));
  const auto written = std::min<std::size_t>(header.sb_len_wr, sense_size);
  return ScsiAnswer{header.status, std::move(command.reply),
                    std::string(command.sense.data(), written)};
}

/// What the kernel says when it will not even take the command.
std::unexpected<Error> not_taken(const Command& command, int error_number) {
  const bool gone = error_number == ENODEV || error_number == ENXIO;
  auto failed = system_failure(error_number, "SCSI command to " + command.device, command.device);
  auto error = std::move(failed).error();
  if (gone) error.code = ErrorCode::no_usable_path;
  return std::unexpected(std::move(error));
}

/// Zero when there is something to read, otherwise the errno, ETIME at the deadline.
int wait_for_answer(int fd, Deadline deadline, const Clock& clock) {
  while (true) {
    const auto left = time_left(deadline, clock).count();
    if (left <= 0) return ETIME;
    pollfd waiting{fd, POLLIN, 0};
    const auto wait = std::min<decltype(left)>(left, std::numeric_limits<int>::max());
    const int ready = ::poll(&waiting, 1, static_cast<int>(wait));
    if (ready > 0) return (waiting.revents & POLLIN) != 0 ? 0 : ENODEV;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

}  // namespace

Result<ScsiAnswer> sg_command(int sg_node, std::string_view device,
                              std::span<const std::uint8_t> cdb, std::size_t reply_size,
                              Deadline deadline, const Clock& clock) {
  Command command(device, cdb, reply_size);
  if (!prepare(command, deadline, clock)) return timed_out(command);
  if (::write(sg_node, &command.header, sizeof command.header) < 0)
    return not_taken(command, errno);
  // At the deadline the descriptor is closed by its owner and sg drops the late answer: with
  // indirect I/O the buffers above are written by read() only.
  const int failed = wait_for_answer(sg_node, deadline, clock);
  if (failed == ETIME) return timed_out(command);
  if (failed != 0) return not_taken(command, failed);
  if (::read(sg_node, &command.header, sizeof command.header) < 0) return not_taken(command, errno);
  return answer_of(command);
}

Result<ScsiAnswer> sg_io_command(int block_node, std::string_view device,
                                 std::span<const std::uint8_t> cdb, std::size_t reply_size,
                                 Deadline deadline, const Clock& clock) {
  Command command(device, cdb, reply_size);
  if (!prepare(command, deadline, clock)) return timed_out(command);
  if (::ioctl(block_node, SG_IO, &command.header) < 0) return not_taken(command, errno);
  return answer_of(command);
}

}  // namespace volgrow
