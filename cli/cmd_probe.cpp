// SPDX-License-Identifier: Apache-2.0
// volgrow probe: asks an iSCSI target itself how big a volume is and whose, without any device of
// this host.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "cli/order.h"
#include "cli/secret_input.h"
#include "connectors/iscsi_probe.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "core/units.h"

namespace volgrow::cli {
namespace {

constexpr int interrupted_status = 130;

constexpr const char* notes =
    "\nURL is iscsi://[user@]host[:port]/target-iqn/lun; an IPv6 address stands in brackets, and "
    "the LUN is\n"
    "counted as the kernel does (16384 more in flat space). With a user the target wants CHAP: the "
    "secret\n"
    "comes from --secret-file, or is asked for on the terminal; it never stands in the URL.\n\n"
    "Examples:\n"
    "  volgrow probe iscsi://192.0.2.7/iqn.2026-01.org.example:vol1/1\n"
    "  volgrow probe 'iscsi://host7@[2001:db8::7]:3260/iqn.2026-01.org.example:vol1/1' \\\n"
    "    --secret-file chap.txt --json";

class Probe final : public Command {
 public:
  Syntax syntax() override;
  bool works_directly() const override { return true; }  // there is no other way
  Result<int> run(const Session& session) override;

 private:
  Result<std::optional<Secret>> secret(const IscsiUrl& url) const;
  Result<std::string> initiator(const std::filesystem::path& root) const;

  std::string url_;
  std::string secret_file_;
  std::string initiator_;
  std::string timeout_ = "10s";
};

Syntax Probe::syntax() {
  return {.name = "probe",
          .summary = "Ask an iSCSI target itself for a volume's size and identity",
          .arguments = {{.name = "URL",
                         .meaning = "iscsi://[user@]host[:port]/target-iqn/lun",
                         .into = &url_,
                         .required = true},
                        {.name = "--secret-file",
                         .value = "FILE",
                         .meaning = "File with the user's CHAP secret",
                         .into = &secret_file_},
                        {.name = "--initiator-name",
                         .value = "IQN",
                         .meaning = "Name to log in with (that of /etc/iscsi/initiatorname.iscsi)",
                         .into = &initiator_},
                        {.name = "--timeout",
                         .value = "TIME",
                         .meaning = "When to give up: 500ms, 10s, 2min (10s)",
                         .into = &timeout_}},
          .notes = notes};
}

/// The name in open-iscsi's file: the one the target's access list knows this host by.
std::optional<std::string> name_of_host(const std::filesystem::path& root) {
  constexpr std::string_view key = "InitiatorName=";
  const auto text = read_text_file(root / "etc/iscsi/initiatorname.iscsi", 64_KiB);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = trimmed(rest.substr(0, end));
    if (line.starts_with(key)) return std::string(trimmed(line.substr(key.size())));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

Result<std::string> Probe::initiator(const std::filesystem::path& root) const {
  constexpr std::size_t longest = 223;
  const auto name = initiator_.empty()
                        ? name_of_host(root).value_or("iqn.2026-01.org.volgrow:probe")
                        : initiator_;
  const bool is_name =
      name.size() <= longest && printable(name) == name &&
      (name.starts_with("iqn.") || name.starts_with("eui.") || name.starts_with("naa."));
  if (is_name) return name;
  return failure(ErrorCode::invalid_args,
                 fmt::format("--initiator-name: {} is no iSCSI name; it begins with iqn., eui. or "
                             "naa.",
                             cited(name)));
}

Result<std::optional<Secret>> Probe::secret(const IscsiUrl& url) const {
  if (url.user.empty() && secret_file_.empty()) return std::nullopt;
  if (url.user.empty())
    return failure(ErrorCode::invalid_args,
                   "--secret-file: is of no use without a user in the URL (iscsi://user@host/…)");
  auto secret = secret_file_.empty() ? ask_for_secret(fmt::format("CHAP secret of {}: ", url.user))
                                     : read_secret_file(secret_file_);
  if (!secret) return std::unexpected(std::move(secret.error()));
  return std::optional(*std::move(secret));
}

void print(const Session& session, const IscsiUrl& url, const IscsiAnswer& answer) {
  const auto wwid = answer.identity ? std::optional(to_string(*answer.identity)) : std::nullopt;
  if (session.common.json) {
    session.out() << to_json(Value(Value::Object{
                         {"schema", "volgrow.probe/1"},
                         {"portal", answer.portal},
                         {"target", url.target},
                         {"lun", unsigned{url.lun}},
                         {"size_bytes", answer.size.count()},
                         {"block_bytes", answer.block_length.count()},
                         {"wwid", wwid ? Value(*wwid) : Value()},
                     }))
                  << '\n';
    return;
  }
  session.out() << fmt::format("{}  {}, in blocks of {}\n", wwid.value_or("(no identity)"),
                               exact_size(answer.size), human_size(answer.block_length));
  session.out() << fmt::format("LUN {} of {} at {}\n", url.lun, url.target, answer.portal);
}

Result<int> Probe::run(const Session& session) {
  const auto url = parse_iscsi_url(url_);
  if (!url) return std::unexpected(url.error());
  const auto timeout = read_timeout(timeout_);
  if (!timeout) return std::unexpected(timeout.error());
  const auto name = initiator(session.around.root_directory);
  if (!name) return std::unexpected(name.error());
  auto chap = secret(*url);
  if (!chap && chap.error().code == ErrorCode::cancelled) return interrupted_status;
  if (!chap) return std::unexpected(std::move(chap.error()));
  const auto& clock = session.around.clock;
  const auto answer =
      probe_iscsi({*url, *name, *chap ? &**chap : nullptr}, within(*timeout, clock.now()), clock);
  if (!answer) return std::unexpected(answer.error());
  print(session, *url, *answer);
  return 0;
}

}  // namespace

std::unique_ptr<Command> probe_command() {
  return std::make_unique<Probe>();
}

}  // namespace volgrow::cli
