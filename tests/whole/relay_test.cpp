// SPDX-License-Identifier: Apache-2.0
// The relay as a process without privileges, between a control server on loopback and a real agent
// on a private bus: from an event to an acknowledged report, and what happens when any of the four
// goes away meanwhile.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <regex>

#include "http/client.h"
#include "http/server.h"
#include "tests/fakes/agent_host.h"
#include "tests/fakes/certificate_authority.h"
#include "tests/fakes/running_program.h"

namespace volgrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Not a speed limit: how long a broken test may wait before it fails.
constexpr Duration patience = 60s;
constexpr Duration look_again = 10ms;
constexpr const char* relay_program = VOLGROW_BIN_DIR "/volgrow-relay";

/// Knows sizes, and stores the reports that it is told to store.
class AControl {
 public:
  AControl(EventLoop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}

  void start(const std::string& at, const std::optional<http::ServerTls>& tls = std::nullopt) {
    server_ = http::Server::listen(
                  loop_, clock_, {.listen = at, .tls = tls},
                  [this](auto request, auto answer) { serve(request, std::move(answer)); })
                  .value();
    endpoint_ = server_->endpoint();
    secure_ = tls.has_value();
  }
  void stop() { server_.reset(); }
  void start_again() { start(endpoint_); }
  std::string url() const { return fmt::format("http{}://{}", secure_ ? "s" : "", endpoint_); }

  std::map<std::string, int> gigabytes;  ///< by volume id
  bool silent = false;                   ///< keeps reports, and answers nothing
  std::vector<Value> stored;             ///< reports
  std::vector<http::Request> requests;

 private:
  void serve(const http::Request& request, http::Answer answer) {
    requests.push_back(request);
    const auto segments = http::path_segments(request.path);
    if (request.method == "POST") return store(request, std::move(answer));
    const auto size = gigabytes.find(segments.back());
    if (size == gigabytes.end()) return answer({.status = 404});
    answer({.body = fmt::format(R"({{"volume":{{"size":{}}}}})", size->second)});
  }
  void store(const http::Request& request, http::Answer answer) {
    const auto body = parse_json(request.body, {.size = 1_MiB}).value_or(Value());
    Value::Array accepted;
    for (const auto& report : *body.find("reports")->array()) {
      stored.push_back(report);
      accepted.push_back(*report.find("sequence"));
    }
    if (silent) return unanswered_.push_back(std::move(answer));
    answer({.body = to_json(Value(Value::Object{{"accepted", std::move(accepted)}}))});
  }

  EventLoop& loop_;
  const Clock& clock_;
  std::string endpoint_;
  bool secure_ = false;
  std::vector<http::Answer> unanswered_;
  std::unique_ptr<http::Server> server_;
};

class ARelayedHost : public AnAgentHost {
 protected:
  void SetUp() override {
    AnAgentHost::SetUp();
    control.start("127.0.0.1:0");
  }
  /// Lines of relay.toml beside what all tests share.
  struct Settings {
    std::string listen = "address = \"127.0.0.1:0\"";
    std::string reports{};
    std::string control{};
  };
  bool start_relay() { return start_relay(Settings{}); }
  bool start_relay(const Settings& settings) {
    const auto config = relay.write(
        "relay.toml",
        fmt::format("[listen]\n{}\n[control]\nurl = \"{}\"\nproject = \"p1\"\n{}\n"
                    "[reports]\nfirst_retry_ms = 50\nslowest_retry_ms = 50\nanswer_ms = 2000\n{}\n"
                    "[events]\nanswer_ms = 2000\n[agent]\nreconnect_ms = 50\n",
                    settings.listen, control.url(), settings.control, settings.reports));
    return relay.start({relay_program, "--config", config, "--bus-address",
                        "unix:path=" + bus.socket_path().string()});
  }
  /// Where its last life listens.
  std::string relay_endpoint() const {
    static const std::regex line("listens on ([0-9.:]+)");
    const auto log = relay.log();
    std::string found;
    for (std::sregex_iterator match(log.begin(), log.end(), line), end; match != end; ++match)
      found = (*match)[1];
    return found;
  }
  void registered_and_grown(const std::string& id) {
    grow_file(registered(id, 1_GiB), 2_GiB);
    control.gigabytes[id] = 2;
  }

  /// Turns the loop until the condition holds. What another process does wakes nobody here, so it
  /// is looked at now and then.
  void until(const std::function<bool()>& condition) {
    const auto end = clock.now() + patience;
    EventLoop::Watch next_look;
    const auto look = [&] {
      if (condition() || clock.now() > end) return loop->exit(0);
      next_look = loop->at(clock.now() + look_again, [] {}).value();
    };
    const auto before = loop->before_waiting(look);
    ASSERT_TRUE(loop->run());
    ASSERT_TRUE(condition()) << "it did not come to that; the relay says:\n" << relay.log();
  }
  static std::string events_for(const std::vector<std::string>& volumes) {
    std::string events;
    for (const auto& volume : volumes)
      events += fmt::format(R"({}{{"name":"volume-extended","tag":"{}",)"
                            R"("server_uuid":"aaaaaaaa-0000-4000-8000-000000000001"}})",
                            events.empty() ? "" : ",", volume);
    return fmt::format(R"({{"events":[{}]}})", events);
  }
  http::Outgoing request(std::string body, const std::string& token = {}) const {
    http::Outgoing out{
        .method = "POST",
        .url = fmt::format("http://{}/v2.1/os-server-external-events", relay_endpoint())};
    out.fields.add("OpenStack-API-Version", "compute 2.51");
    out.fields.add("Content-Type", "application/json");
    if (!token.empty()) out.fields.add("X-Auth-Token", token);
    out.body = std::move(body);
    return out;
  }
  Result<http::Response> answer_to(http::Outgoing out) {
    std::optional<Result<http::Response>> answer;
    const auto sending =
        http_client->send(std::move(out), within(patience, clock.now()),
                          [&](Result<http::Response> result) { answer = std::move(result); });
    until([&] { return answer.has_value(); });
    return answer.value_or(failure(ErrorCode::timed_out, "no answer"));
  }
  int status_of(http::Outgoing out) {
    const auto answer = answer_to(std::move(out));
    return answer ? answer->status : -1;
  }
  int announced(const std::string& volume) { return status_of(request(events_for({volume}))); }
  std::uint64_t size_in(const Value& report) {
    const auto* result = report.find("result");
    const auto* size = result ? result->find("volume_bytes") : nullptr;
    return size ? std::get<std::uint64_t>(size->data) : 0;
  }

  SystemClock clock;
  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  std::unique_ptr<http::Client> http_client = http::Client::create(*loop, clock, {}).value();
  AControl control{*loop, clock};
  testing::RunningProgram relay{{.account = testing::the_relay()}};
};

TEST_F(ARelayedHost, GrowsAVolumeByAnEventAndReportsItsBytes) {
  registered_and_grown("vol-1");
  ASSERT_TRUE(start_relay()) << relay.log();

  const auto answer = answer_to(request(events_for({"vol-1"})));
  until([&] { return !control.stored.empty(); });

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr(R"("status":"completed","code":200)"));
  EXPECT_EQ(client->volume("vol-1").value().size, 2_GiB);
  EXPECT_EQ(size_in(control.stored.front()), (2_GiB).count());
  until([&] { return outbox_as_relay().empty(); });
  EXPECT_THAT(control.stored, SizeIs(1));
}

TEST_F(ARelayedHost, ShowsControlWhoItIs) {
  registered_and_grown("vol-1");
  const auto token = relay.write("report.token", "of-this-host\n");
  ASSERT_TRUE(start_relay({.reports = fmt::format("token_file = \"{}\"", token)})) << relay.log();

  EXPECT_EQ(announced("vol-1"), 200);
  until([&] { return !control.stored.empty(); });

  EXPECT_EQ(control.requests.front().path, "/v3/p1/volumes/vol-1");
  EXPECT_EQ(*control.requests.front().fields.find("X-Auth-Token"), "admin:p1");
  EXPECT_EQ(control.requests.back().path, "/volgrow/v1/reports");
  EXPECT_EQ(*control.requests.back().fields.find("X-Auth-Token"), "of-this-host");
}

TEST_F(ARelayedHost, SaysWhichOfItsVolumesTheAgentKnows) {
  registered_and_grown("vol-1");
  control.gigabytes["vol-2"] = 2;
  ASSERT_TRUE(start_relay()) << relay.log();

  const auto answer = answer_to(request(events_for({"vol-2", "vol-1"})));

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 207);
  EXPECT_THAT(answer->body, AllOf(HasSubstr(R"("status":"failed","code":404)"),
                                  HasSubstr(R"("status":"completed","code":200)")));
}

TEST_F(ARelayedHost, TakesNoMoreThanItsLimitOfARequest) {
  ASSERT_TRUE(start_relay()) << relay.log();

  const auto answer = answer_to(request(std::string(200'000, ' ')));

  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
  EXPECT_THAT(answer->body, HasSubstr("overLimit"));
}

// ---- what goes away, and comes back

TEST_F(ARelayedHost, KeepsReportsUntilControlIsThere) {
  registered_and_grown("vol-1");
  ASSERT_TRUE(start_relay()) << relay.log();
  control.stop();
  EXPECT_EQ(announced("vol-1"), 503);
  EXPECT_EQ(end_of(client->volume_changed("vol-1", 2_GiB, {})).state, JobState::complete);
  until([&] { return relay.log().find("reports wait") != std::string::npos; });
  EXPECT_THAT(outbox_as_relay(), Not(IsEmpty()));

  control.start_again();
  until([&] { return !control.stored.empty(); });

  until([&] { return outbox_as_relay().empty(); });
  EXPECT_THAT(control.stored, SizeIs(1));
}

TEST_F(ARelayedHost, SendsAgainWhatWasNotAcknowledgedWhenItWasKilled) {
  registered_and_grown("vol-1");
  control.silent = true;
  ASSERT_TRUE(start_relay()) << relay.log();
  EXPECT_EQ(announced("vol-1"), 200);
  until([&] { return !control.stored.empty(); });

  relay.kill();
  control.silent = false;
  ASSERT_TRUE(start_relay()) << relay.log();
  until([&] { return outbox_as_relay().empty(); });

  ASSERT_THAT(control.stored, SizeIs(2));
  EXPECT_EQ(control.stored.at(0), control.stored.at(1));
}

TEST_F(ARelayedHost, OutlivesItsAgent) {
  registered_and_grown("vol-1");
  ASSERT_TRUE(start_relay()) << relay.log();
  daemon.kill();
  EXPECT_EQ(announced("vol-1"), 503);

  ASSERT_TRUE(daemon.start()) << daemon.log();
  client = connect();

  EXPECT_EQ(announced("vol-1"), 200);
  until([&] { return !control.stored.empty(); });
  until([&] { return outbox_as_relay().empty(); });
}

TEST_F(ARelayedHost, FetchesWhatAnAgentHadBeforeItCame) {
  registered_and_grown("vol-1");
  EXPECT_EQ(end_of(client->volume_changed("vol-1", 2_GiB, {})).state, JobState::complete);
  daemon.kill();
  ASSERT_TRUE(start_relay()) << relay.log();

  ASSERT_TRUE(daemon.start()) << daemon.log();
  until([&] { return !control.stored.empty(); });

  EXPECT_EQ(size_in(control.stored.front()), (2_GiB).count());
}

TEST_F(ARelayedHost, OutlivesItsBus) {
  control.gigabytes["vol-1"] = 2;
  ASSERT_TRUE(start_relay()) << relay.log();
  EXPECT_EQ(announced("vol-1"), 207);  // the agent does not know it

  bus.stop();
  daemon.wait();
  EXPECT_EQ(announced("vol-1"), 503);
  bus.restart();
  testing::RunningDaemon another({VOLGROW_BIN_DIR "/volgrowd", bus.address(), "", {}, {}});
  ASSERT_TRUE(another.start()) << another.log();

  int status = 503;
  while (status == 503)  // until the relay has found the new bus
    status = announced("vol-1");
  EXPECT_EQ(status, 207);
}

// ---- who may come in

TEST_F(ARelayedHost, ServesOnlyWhoShowsItsToken) {
  registered_and_grown("vol-1");
  const auto token = relay.write("event.token", "right\n");
  ASSERT_TRUE(
      start_relay({.listen = fmt::format("address = \"127.0.0.1:0\"\ntoken_file = \"{}\"", token)}))
      << relay.log();
  const auto body = events_for({"vol-1"});

  EXPECT_EQ(status_of(request(body)), 401);
  EXPECT_EQ(status_of(request(body, "wrong")), 401);
  EXPECT_EQ(status_of(request(body, "right")), 200);

  EXPECT_THAT(relay.log(), Not(HasSubstr("right")));
  EXPECT_THAT(relay.log(), Not(HasSubstr("wrong")));
}

TEST_F(ARelayedHost, TakesANewTokenWhenItIsReloaded) {
  registered_and_grown("vol-1");
  const auto token = relay.write("event.token", "old\n");
  ASSERT_TRUE(
      start_relay({.listen = fmt::format("address = \"127.0.0.1:0\"\ntoken_file = \"{}\"", token)}))
      << relay.log();

  relay.write("event.token", "new\n");
  ::kill(relay.pid(), SIGHUP);
  until([&] { return relay.log().find("are read again") != std::string::npos; });

  EXPECT_EQ(status_of(request(events_for({"vol-1"}), "old")), 401);
  EXPECT_EQ(status_of(request(events_for({"vol-1"}), "new")), 200);
}

TEST_F(ARelayedHost, KeepsItsTokenWhenTheNewOneIsWrong) {
  registered_and_grown("vol-1");
  const auto token = relay.write("event.token", "old\n");
  ASSERT_TRUE(
      start_relay({.listen = fmt::format("address = \"127.0.0.1:0\"\ntoken_file = \"{}\"", token)}))
      << relay.log();

  relay.write("event.token", "\n");
  ::kill(relay.pid(), SIGHUP);
  until([&] { return relay.log().find("the old tokens and passwords stay") != std::string::npos; });

  EXPECT_EQ(status_of(request(events_for({"vol-1"}), "old")), 200);
}

TEST_F(ARelayedHost, DoesNotOpenADoorToTheNetworkUnguarded) {
  EXPECT_FALSE(start_relay({.listen = "address = \"0.0.0.0:0\""}));

  EXPECT_THAT(relay.log(), HasSubstr("can be reached from other hosts"));
}

TEST_F(ARelayedHost, EndsWhenItIsTold) {
  ASSERT_TRUE(start_relay()) << relay.log();

  EXPECT_EQ(relay.stop(), 0);
}

class ARelayWithCertificates : public ARelayedHost {
 protected:
  void SetUp() override {
    ARelayedHost::SetUp();
    control.stop();
    const auto identity = authority.issue("control");
    control.start("127.0.0.1:0",
                  http::ServerTls{identity.certificate, identity.key, authority.certificate()});
  }
  /// A copy that the relay's user may read.
  std::string copied(const std::string& name, const std::string& file) {
    return relay.write(name, read_text_file(file, 1_MiB).value());
  }
  bool start_with_certificates() {
    const auto identity = authority.issue("node1");
    const auto ca = copied("ca.pem", authority.certificate());
    const auto own =
        fmt::format("certificate = \"{}\"\nkey = \"{}\"", copied("own.pem", identity.certificate),
                    copied("own.key", identity.key));
    return start_relay(
        {.listen = fmt::format("address = \"127.0.0.1:0\"\n{}\nclient_ca = \"{}\"", own, ca),
         .control = fmt::format("{}\nca = \"{}\"", own, ca)});
  }
  http::Outgoing request_by(const CertificateAuthority::Identity& identity) {
    auto out = request(events_for({"vol-1"}));
    out.url.replace(0, 4, "https");
    out.tls = {authority.certificate(), identity.certificate, identity.key};
    return out;
  }

  CertificateAuthority authority{"volgrow test"};
};

TEST_F(ARelayWithCertificates, ServesWhoHasOne) {
  registered_and_grown("vol-1");
  ASSERT_TRUE(start_with_certificates()) << relay.log();

  EXPECT_EQ(status_of(request_by(authority.issue("a-control"))), 200) << relay.log();
  until([&] { return !control.stored.empty(); });

  ASSERT_TRUE(control.requests.back().certificate);
  EXPECT_EQ(control.requests.back().certificate->common_name, "node1");
}

TEST_F(ARelayWithCertificates, ServesNobodyElse) {
  ASSERT_TRUE(start_with_certificates()) << relay.log();
  CertificateAuthority stranger("stranger");

  EXPECT_FALSE(answer_to(request_by(stranger.issue("a-control"))));
  EXPECT_FALSE(answer_to(request_by({})));

  EXPECT_THAT(control.requests, IsEmpty());
}

}  // namespace
}  // namespace volgrow
