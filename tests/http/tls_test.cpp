// SPDX-License-Identifier: Apache-2.0
// Server and client over TLS, each with whom it trusts and whom it does not.
#include <gmock/gmock.h>

#include <fstream>

#include "http/client.h"
#include "http/server.h"
#include "tests/fakes/certificate_authority.h"
#include "tests/http/a_client.h"
#include "tests/http/a_server.h"

namespace volgrow {
namespace {

using http::ClientCertificate;
using http::ClientTls;
using http::Outgoing;
using http::Response;
using http::ServerTls;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pointee;
using ::testing::SizeIs;

class AServerWithTls : public AServer {
 protected:
  AServerWithTls() {
    const auto identity = authority.issue("server");
    options.tls = ServerTls{.certificate = identity.certificate, .key = identity.key};
  }
  std::unique_ptr<Outcome> asked(const std::string& path, ClientTls tls, std::string body = {}) {
    return sent(*http_client,
                {.method = "POST",
                 .url = "https://" + server().endpoint() + path,
                 .body = std::move(body),
                 .tls = std::move(tls)},
                within(seconds(10), loop.clock().now()));
  }
  /// The same, and it has ended.
  std::unique_ptr<Outcome> got(const std::string& path, ClientTls tls, std::string body = {}) {
    auto outcome = asked(path, std::move(tls), std::move(body));
    run_until([&] { return outcome->is_there(); });
    return outcome;
  }
  ClientTls trust() const { return {.ca = authority.certificate()}; }
  static ClientTls showing(ClientTls tls, const CertificateAuthority::Identity& identity) {
    tls.certificate = identity.certificate;
    tls.key = identity.key;
    return tls;
  }

  CertificateAuthority authority{"authority"};
  CertificateAuthority stranger{"stranger"};
  std::unique_ptr<http::Client> http_client = http::Client::create(loop, loop.clock(), {}).value();
};

TEST_F(AServerWithTls, ServesWhoTrustsItsAuthority) {
  response = {.status = 202, .body = std::string(1'000'000, 'x')};

  const auto outcome = got("/v3", trust(), std::string(100'000, 'y'));

  EXPECT_THAT(outcome, Pointee(AnswersWith(response)));
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].body, std::string(100'000, 'y'));
  EXPECT_EQ(requests[0].certificate, std::nullopt);
}

TEST_F(AServerWithTls, AnswersOneRequestAfterTheOtherOnOneConnection) {
  got("/1", trust());
  got("/2", trust());

  EXPECT_THAT(requests, SizeIs(2));
  EXPECT_EQ(server().connections(), 1U);
}

TEST_F(AServerWithTls, IsUnreachableForWhoTrustsAnotherAuthority) {
  const auto outcome = got("/v3", {.ca = stranger.certificate()});

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "certificate")));
  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(AServerWithTls, IsUnreachableForWhoTrustsOnlyTheHostsAuthorities) {
  const auto outcome = got("/v3", {});

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "certificate")));
}

TEST_F(AServerWithTls, IsUnreachableWhenItsCertificateHasExpired) {
  const auto old = authority.issue("old", -seconds(60));
  options.tls = ServerTls{.certificate = old.certificate, .key = old.key};

  const auto outcome = got("/v3", trust());

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "expired")));
}

TEST_F(AServerWithTls, EndsAClientThatSpeaksPlainHttp) {
  auto plain = client();
  plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  expect_end(plain);

  EXPECT_THAT(requests, IsEmpty());
  EXPECT_THAT(got("/v3", trust()), Pointee(AnswersWith(response)));
}

TEST_F(AServerWithTls, CutsAClientThatDoesNotFinishItsHandshake) {
  auto slow = client();
  slow.send(std::string_view("\x16\x03\x01\x02\0\x01", 6));
  EXPECT_THAT(got("/v3", trust()), Pointee(AnswersWith(response)));

  loop.advance(options.limits.receiving);
  expect_end(slow);
}

// Whoever writes to a connection that is gone gets SIGPIPE, which ends the program, unless told not
// to.
TEST_F(AServerWithTls, SurvivesAClientThatLeavesInTheMiddleOfAnAnswer) {
  response.body = std::string(10'000'000, 'x');
  const auto leaving = asked("/v3", trust());
  run_until([&] { return !requests.empty(); });
  leaving->pending.reset();

  response.body = "short";
  EXPECT_THAT(got("/v3", trust()), Pointee(AnswersWith(response)));
}

TEST_F(AServerWithTls, MayLeaveInTheMiddleOfARequest) {
  options.limits.body = 20_MiB;
  const auto outcome = asked("/v3", trust(), std::string(10'000'000, 'x'));
  run_until([&] { return server().connections() == 1; });

  end_server();
  run_until([&] { return outcome->is_there(); });

  EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, "POST https://")));
}

TEST_F(AServerWithTls, DoesNotStartWithoutItsCertificate) {
  for (const auto& tls :
       {ServerTls{.certificate = "/nonexistent", .key = options.tls->key},
        ServerTls{.certificate = options.tls->certificate, .key = "/dev/null"},
        ServerTls{.certificate = options.tls->certificate, .key = stranger.issue("other").key}}) {
    options.tls = tls;

    EXPECT_FALSE(listening()) << tls.certificate << " " << tls.key;
  }
}

TEST_F(AServerWithTls, SaysWhichFileItCannotRead) {
  options.tls->key = "/nonexistent/server.key";

  const auto started = listening();

  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("/nonexistent/server.key"));
}

class AServerWithMutualTls : public AServerWithTls {
 protected:
  AServerWithMutualTls() { options.tls->client_ca = authority.certificate(); }
};

TEST_F(AServerWithMutualTls, TellsTheApplicationWhoAsks) {
  const auto outcome = got("/v3", showing(trust(), authority.issue("node7")));

  EXPECT_THAT(outcome, Pointee(AnswersWith(response)));
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].certificate,
            (ClientCertificate{.subject = "CN=node7,O=volgrow", .common_name = "node7"}));
}

TEST_F(AServerWithMutualTls, KeepsTwoClientsApart) {
  got("/1", showing(trust(), authority.issue("node7")));
  got("/2", showing(trust(), authority.issue("node8")));
  got("/3", showing(trust(), authority.issue("node7")));

  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_EQ(requests[1].certificate->common_name, "node8");
  EXPECT_EQ(requests[2].certificate->common_name, "node7");
}

TEST_F(AServerWithMutualTls, EndsClientsItDoesNotKnowInTheHandshake) {
  for (const auto& tls : {trust(), showing(trust(), stranger.issue("node7")),
                          showing(trust(), authority.issue("old", -seconds(60)))}) {
    const auto outcome = got("/v3", tls);

    EXPECT_THAT(outcome, Pointee(FailsWith(ErrorCode::unreachable, ""))) << tls.certificate;
  }

  EXPECT_THAT(requests, IsEmpty());
}

TEST_F(AServerWithMutualTls, DoesNotStartWithAnAuthorityThatIsNone) {
  options.tls->client_ca = "/dev/null";

  EXPECT_FALSE(listening());
}

}  // namespace
}  // namespace volgrow
