// SPDX-License-Identifier: Apache-2.0
// volgrow register and unregister: at attach the volume's identity is pinned, at detach forgotten.
#include <fmt/format.h>

#include <string>

#include "cli/command.h"
#include "cli/order.h"
#include "cli/views.h"
#include "core/json.h"
#include "core/target.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

class Register final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;

 private:
  std::string volume_id_;
  std::string connection_;
};

class Unregister final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;

 private:
  std::string volume_id_;
};

Result<void> check_volume_id(const std::string& text) {
  if (is_volume_id(text)) return {};
  return failure(
      ErrorCode::invalid_args,
      fmt::format("VOLUME_ID: {} is no volume id; it has at most 128 letters, digits, '.', '_' "
                  "and '-', the first a letter or digit",
                  cited(text)));
}

Syntax Register::syntax() {
  return {.name = "register",
          .summary = "Pin an attached volume's identity under its id",
          .arguments = {{.name = "VOLUME_ID",
                         .meaning = "The volume's id in Cinder",
                         .into = &volume_id_,
                         .required = true},
                        {.name = "--connection",
                         .value = "FILE|-",
                         .meaning = "Cinder's connection_info; - is standard input",
                         .into = &connection_,
                         .required = true}},
          .notes = "\nExamples:\n  volgrow register 7d3f9c1e --connection info.json"};
}

int registered(const Session& session, const std::string& id) {
  if (session.common.json) {
    session.out() << to_json(Value(Value::Object{{"registered", id}})) << '\n';
  } else if (!session.common.quiet) {
    session.out() << fmt::format("registered {}; 'volgrow status {}' shows it\n", printable(id),
                                 printable(id));
  }
  return 0;
}

Result<int> Register::run(const Session& session) {
  if (auto checked = check_volume_id(volume_id_); !checked) return std::unexpected(checked.error());
  const auto connection = read_connection(connection_, session.around.standard_input);
  if (!connection) return std::unexpected(connection.error());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  const auto id = (*client)->register_volume(volume_id_, to_json(*connection), {});
  if (!id) return std::unexpected(id.error());
  return registered(session, *id);
}

Syntax Unregister::syntax() {
  return {.name = "unregister",
          .summary = "Forget a volume that is detached",
          .arguments = {{.name = "VOLUME_ID",
                         .meaning = "The volume's id in Cinder",
                         .into = &volume_id_,
                         .required = true}},
          .notes = "\nExamples:\n  volgrow unregister 7d3f9c1e"};
}

int unregistered(const Session& session, const std::string& id) {
  if (session.common.json) {
    session.out() << to_json(Value(Value::Object{{"unregistered", id}})) << '\n';
  } else if (!session.common.quiet) {
    session.out() << fmt::format("unregistered {}\n", printable(id));
  }
  return 0;
}

Result<int> Unregister::run(const Session& session) {
  if (auto checked = check_volume_id(volume_id_); !checked) return std::unexpected(checked.error());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  if (auto done = (*client)->unregister_volume(volume_id_); !done)
    return std::unexpected(done.error());
  return unregistered(session, volume_id_);
}

}  // namespace

std::unique_ptr<Command> register_command() {
  return std::make_unique<Register>();
}

std::unique_ptr<Command> unregister_command() {
  return std::make_unique<Unregister>();
}

}  // namespace volgrow::cli
