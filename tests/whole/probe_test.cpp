// SPDX-License-Identifier: Apache-2.0
// volgrow probe against a real target: the program that operators run, tgtd, and loopback between
// them. Whole processes, because a secret must not be seen in any of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "core/identity.h"
#include "core/json.h"
#include "tests/fakes/iscsi_target.h"
#include "tests/fakes/ran_program.h"

namespace volgrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using testing::IscsiTarget;
using testing::RanProgram;

const std::string program = VOLGROW_BIN_DIR "/volgrow";
const std::string open_name = "iqn.2026-01.org.volgrow:open";
const std::string chap_name = "iqn.2026-01.org.volgrow:chap";
const std::string closed_name = "iqn.2026-01.org.volgrow:closed";
const std::string moved_name = "iqn.2026-01.org.volgrow:moved";
const std::string secret = "hush-hush-hush";

std::string url_of(const std::string& portal, const std::string& target, int lun,
                   const std::string& user = "") {
  return fmt::format("iscsi://{}{}/{}/{}", user.empty() ? "" : user + "@", portal, target, lun);
}

RanProgram probe(std::vector<std::string> words) {
  words.insert(words.begin(), {program, "probe"});
  return testing::run_program(words);
}

class ARealTarget : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    target = std::make_unique<IscsiTarget>();
    unusable = target->start();
    if (!unusable.empty()) return;
    target->add_target(1, open_name);
    target->add_lun(1, 1, 64_MiB);
    target->add_lun(1, 2, 96_MiB, 4096);
    target->add_target(2, chap_name);
    target->add_lun(2, 1, 32_MiB);
    target->protect(2, "host7", secret);
    target->add_target(3, closed_name);
    target->allow_only(3, "iqn.2026-01.org.volgrow:friend");
    target->add_lun(3, 1, 16_MiB);
    target->add_target(4, moved_name);
  }
  static void TearDownTestSuite() { target.reset(); }
  void SetUp() override {
    if (!unusable.empty()) GTEST_SKIP() << unusable;
  }

  std::string secret_file(const std::string& text) const {
    std::ofstream(folder / "chap") << text;
    return folder / "chap";
  }
  static std::string url(const std::string& name, int lun, const std::string& user = "") {
    return url_of(target->portal(), name, lun, user);
  }

  inline static std::unique_ptr<IscsiTarget> target;
  inline static std::string unusable;
  TemporaryDirectory folder;
};

TEST_F(ARealTarget, SaysHowBigAVolumeIsAndWhose) {
  const auto ran = probe({url(open_name, 1)});

  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(StartsWith("naa."), HasSubstr("64 MiB (67108864 bytes)"),
                    HasSubstr("in blocks of 512 B\n"),
                    HasSubstr(fmt::format("LUN 1 of {} at {}\n", open_name, target->portal()))));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(ARealTarget, SaysItAsJsonOfItsSchema) {
  const auto ran = probe({"--json", url(open_name, 2)});

  ASSERT_EQ(ran.status, 0) << ran.err;
  auto document = parse_json(ran.out);
  ASSERT_TRUE(document) << ran.out;
  const auto* wwid = document->find("wwid");
  ASSERT_NE(wwid, nullptr);
  EXPECT_TRUE(parse_wwid(*wwid->text()));
  EXPECT_EQ(*document, Value(Value::Object{{"schema", "volgrow.probe/1"},
                                           {"portal", target->portal()},
                                           {"target", open_name},
                                           {"lun", 2U},
                                           {"size_bytes", std::uint64_t{96} << 20},
                                           {"block_bytes", 4096U},
                                           {"wwid", *wwid}}));
}

TEST_F(ARealTarget, IsJudgedByTheSchemaThatIsDocumented) {
  const auto judged = [&](const std::string& text) {
    std::ofstream(folder / "answer") << text;
    return testing::run_program({"python3", "-W", "ignore",
                                 VOLGROW_SOURCE_DIR "/tests/core/schema/validate.py",
                                 folder / "answer"});
  };
  auto json = probe({"--json", url(open_name, 1)}).out;

  EXPECT_EQ(judged(json).status, 0) << judged(json).err;
  json.replace(json.find("67108864"), 8, "\"64 MiB\"");
  EXPECT_EQ(judged(json).status, 1);
}

TEST_F(ARealTarget, IsAskedOverIpv6) {
  if (!std::filesystem::exists("/proc/sys/net/ipv6/conf/lo")) GTEST_SKIP() << "no IPv6 here";
  const auto portal = fmt::format("[::1]:{}", target->port());

  const auto ran = probe({url_of(portal, open_name, 1)});

  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("at " + portal));
}

TEST_F(ARealTarget, IsFoundByItsHostName) {
  const auto ran = probe({url_of(fmt::format("localhost:{}", target->port()), open_name, 1)});

  EXPECT_EQ(ran.status, 0) << ran.err;
}

TEST_F(ARealTarget, WithoutThisLunIsNoSuchDevice) {
  const auto ran = probe({url(open_name, 9)});

  EXPECT_EQ(ran.status, 4);
  EXPECT_THAT(ran.err, AllOf(HasSubstr(open_name), HasSubstr("LUN 9"), HasSubstr("NoSuchDevice")));
}

TEST_F(ARealTarget, WithoutThisNameIsNoSuchDevice) {
  const auto ran = probe({url("iqn.2026-01.org.volgrow:nobody", 1)});

  EXPECT_EQ(ran.status, 4);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("Target not found"), HasSubstr("NoSuchDevice")));
}

TEST_F(ARealTarget, LetsAUserInByTheSecretOfAFile) {
  const auto ran = probe({url(chap_name, 1, "host7"), "--secret-file", secret_file(secret + "\n")});

  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("32 MiB"));
}

TEST_F(ARealTarget, RefusesAWrongSecretWhichNobodyRepeats) {
  const auto ran =
      probe({url(chap_name, 1, "host7"), "--secret-file", secret_file("wrong-hush-hush")});

  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("Authentication failure"), HasSubstr("NotAuthorized")));
  EXPECT_THAT(ran.err + ran.out, Not(HasSubstr("hush")));
}

TEST_F(ARealTarget, RefusesAStrangerWhereItWantsAUser) {
  const auto ran = probe({url(chap_name, 1)});

  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, HasSubstr("NotAuthorized"));
}

TEST_F(ARealTarget, TellsInitiatorsApartByTheirName) {
  EXPECT_EQ(probe({url(closed_name, 1), "--initiator-name", "iqn.2026-01.org.volgrow:foe"}).status,
            4);  // tgtd hides what an initiator may not see
  EXPECT_EQ(
      probe({url(closed_name, 1), "--initiator-name", "iqn.2026-01.org.volgrow:friend"}).status, 0);
}

TEST_F(ARealTarget, AsksForTheSecretOnTheTerminalAndShowsNothingOfIt) {
  const auto ran = testing::run_on_terminal({program, "probe", url(chap_name, 1, "host7")},
                                            "CHAP secret of host7: ", secret + "\n");

  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_THAT(ran.out, AllOf(StartsWith("CHAP secret of host7: "), HasSubstr("32 MiB")));
  EXPECT_THAT(ran.out, Not(HasSubstr("hush")));
}

TEST_F(ARealTarget, IsNotAskedWhenTheQuestionForTheSecretIsInterrupted) {
  const auto ran = testing::run_on_terminal({program, "probe", url(chap_name, 1, "host7")},
                                            "CHAP secret of host7: ", "hu\x03");

  EXPECT_EQ(ran.status, 130) << ran.out;
}

TEST_F(ARealTarget, IsFollowedToThePortalThatAnswersButNotInCircles) {
  IscsiTarget other;
  ASSERT_EQ(other.start(), "");
  other.add_target(1, moved_name);
  other.add_lun(1, 1, 48_MiB);

  for (const auto* reason : {"Temporary", "Permanent"}) {
    target->redirect(4, "127.0.0.2", other.port(), reason);
    const auto followed = probe({url(moved_name, 1)});
    EXPECT_EQ(followed.status, 0) << followed.err;
    EXPECT_THAT(followed.out, AllOf(HasSubstr("48 MiB"), HasSubstr("at " + other.other_portal())));
  }

  other.redirect(1, "127.0.0.2", target->port());
  const auto circling = probe({url(moved_name, 1)});
  EXPECT_EQ(circling.status, 6) << circling.out;
  EXPECT_THAT(circling.err, HasSubstr("redirects again and again"));
}

/// Listens, and says nothing or hangs up.
class AStrangeServer : public ::testing::Test {
 protected:
  AStrangeServer() : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener.get(), 4), 0);
    EXPECT_EQ(::getsockname(listener.get(), generic, &size), 0);
    url = url_of(fmt::format("127.0.0.1:{}", ntohs(address.sin_port)), open_name, 1);
  }

  Fd listener;
  std::string url;
};

TEST_F(AStrangeServer, ThatSaysNothingIsLeftAtTheTimeLimit) {
  const auto ran = probe({url, "--timeout", "300ms"});

  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr("no answer within the time allowed"), HasSubstr("TimedOut")));
}

TEST_F(AStrangeServer, ThatHangsUpIsUnreachable) {
  const std::jthread server(
      [this] { const Fd accepted(::accept(listener.get(), nullptr, nullptr)); });

  const auto ran = probe({url});

  EXPECT_EQ(ran.status, 7) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("Unreachable"));
}

TEST(APortalThatNobodyListensOn, IsUnreachable) {
  const auto portal = fmt::format("127.0.0.1:{}", testing::free_port());

  const auto ran = probe({url_of(portal, open_name, 1)});

  EXPECT_EQ(ran.status, 7);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("no connection to " + portal), HasSubstr("refused"),
                             HasSubstr("Unreachable")));
}

TEST(APasswordInTheUrl, IsAUsageErrorThatDoesNotRepeatIt) {
  const auto ran = probe({"iscsi://host7%hush-hush@127.0.0.1/iqn.a/1"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--secret-file"));
  EXPECT_THAT(ran.err + ran.out, Not(HasSubstr("hush")));
}

TEST(AUserWithoutASecret, IsAUsageErrorWhereThereIsNoTerminal) {
  const auto ran = probe({"iscsi://host7@127.0.0.1/iqn.a/1"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("--secret-file: is missing, and there is no terminal"));
}

class ASecretFile : public ::testing::Test {
 protected:
  RanProgram probe_with(const std::string& text) {
    std::ofstream(folder / "chap") << text;
    return probe({"iscsi://host7@127.0.0.1:1/iqn.a/1", "--secret-file", folder / "chap"});
  }

  TemporaryDirectory folder;
};

TEST_F(ASecretFile, ThatHoldsNoSecretIsAUsageError) {
  for (const auto& text : {std::string(), std::string("\n"), std::string("hush\nhush\n"),
                           std::string("hush\0hush", 9), std::string(256, 'h')}) {
    const auto ran = probe_with(text);

    EXPECT_EQ(ran.status, 2) << text;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("--secret-file: "), Not(HasSubstr("hush"))));
  }
}

TEST_F(ASecretFile, ThatIsNotThereIsAUsageError) {
  const auto ran = probe({"iscsi://host7@127.0.0.1:1/iqn.a/1", "--secret-file", folder / "none"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("No such file"));
}

TEST_F(ASecretFile, WithoutAUserIsAUsageError) {
  std::ofstream(folder / "chap") << "hush-hush-hush";

  const auto ran = probe({"iscsi://127.0.0.1:1/iqn.a/1", "--secret-file", folder / "chap"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("of no use without a user"));
}

}  // namespace
}  // namespace volgrow
