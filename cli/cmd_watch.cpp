// SPDX-License-Identifier: Apache-2.0
// volgrow watch: a line for everything that happens on the daemon, until interrupted. Ctrl-C keeps
// its plain meaning: nothing is started here that could be left undone.
#include "cli/command.h"
#include "cli/views.h"
#include "core/json.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

using Event = bus::Client::Event;

class Watch final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;
};

Syntax Watch::syntax() {
  return {.name = "watch",
          .summary = "Print jobs and size changes as they happen",
          .notes =
              "\nExamples:\n"
              "  volgrow watch\n"
              "  volgrow watch --json | jq 'select(.event == \"volume-resized\")'"};
}

/// Nobody sends signals when there is no daemon, and a caller whom the bus keeps away gets none:
/// both would wait for ever.
Result<void> check_there_is_something_to_watch(bus::Client& client) {
  if (auto version = client.daemon_version(); !version) return std::unexpected(version.error());
  if (auto volumes = client.volumes(); !volumes) return std::unexpected(volumes.error());
  return {};
}

/// False when this was the last event there can be.
bool print_event(const Session& session, const Event& event) {
  const auto line = session.common.json ? to_json(to_value(event)) : printable(to_line(event));
  session.out() << line << std::endl;  // a reader at the other end of a pipe waits for it
  return event.kind != Event::Kind::daemon_gone && session.out().good();
}

Result<int> Watch::run(const Session& session) {
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  if (auto subscribed = (*client)->subscribe(); !subscribed)
    return std::unexpected(subscribed.error());
  if (auto checked = check_there_is_something_to_watch(**client); !checked)
    return std::unexpected(checked.error());
  bool gone = false;
  const auto on_event = [&](const Event& event) {
    gone = event.kind == Event::Kind::daemon_gone;
    return print_event(session, event);
  };
  if (auto followed = (*client)->follow(on_event, std::nullopt); !followed)
    return std::unexpected(followed.error());
  if (gone) return failure(ErrorCode::unreachable, "volgrowd went away: systemctl status volgrowd");
  return 0;
}

}  // namespace

std::unique_ptr<Command> watch_command() {
  return std::make_unique<Watch>();
}

}  // namespace volgrow::cli
