// SPDX-License-Identifier: Apache-2.0
// Clients that lie, flood, hoard and never read. They get an error that names the field, or
// nothing; everybody else gets served.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/dbus/raw_client.h"
#include "tests/dbus/serving.h"

namespace volgrow::bus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::string invalid_args = "org.freedesktop.DBus.Error.InvalidArgs";
const std::string job_interface = "org.volgrow.Agent1.Job";
const std::string subject = "dev:sda";
constexpr std::uint64_t any_growth = 0;
const RawClient::Properties no_options;

class AHostileClient : public ::testing::Test {
 protected:
  AHostileClient() {
    serving.on_loop([](Server& server, ScriptedAgent&) {
      JobView job;
      job.id = 17;
      server.show(job);
    });
  }

  template <class... Arguments>
  std::pair<std::string, std::string> manager(const std::string& method,
                                              const Arguments&... arguments) {
    return hostile.error_of(root_path, manager_interface, method, arguments...);
  }
  std::pair<std::string, std::string> extend_with(const std::string& key, sdbus::Variant value) {
    return manager("Extend", subject, any_growth, RawClient::Properties{{key, std::move(value)}});
  }
  std::vector<std::string> calls() {
    std::vector<std::string> seen;
    serving.on_loop([&](Server&, ScriptedAgent& agent) { seen = agent.calls; });
    return seen;
  }

  Serving serving;
  RawClient hostile{serving.address()};
};

// ---- arguments ----------------------------------------------------------------------------------

TEST_F(AHostileClient, IsRefusedArgumentsOfOtherTypes) {
  EXPECT_EQ(manager("Extend").first, invalid_args);
  EXPECT_EQ(manager("Extend", std::uint32_t{1}).first, invalid_args);
  EXPECT_EQ(manager("Extend", subject, std::uint32_t{0}, no_options).first, invalid_args);
  EXPECT_EQ(manager("Extend", subject, any_growth, std::map<std::string, std::string>{}).first,
            invalid_args);
  EXPECT_EQ(manager("Extend", subject, any_growth, no_options, subject).first, invalid_args);
  EXPECT_EQ(manager("Rescan", subject, no_options).first, invalid_args);
  EXPECT_EQ(hostile.call(job_path(17), job_interface, "Wait", std::int32_t{-1}), invalid_args);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AHostileClient, IsToldWhichOptionsThereAre) {
  EXPECT_THAT(extend_with("colour", std::string("red")),
              Pair(invalid_args, AllOf(HasSubstr("\"colour\""), HasSubstr("deadline-ms u"))));
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AHostileClient, IsToldWhichTypeAnOptionHas) {
  EXPECT_THAT(extend_with("deadline-ms", std::int32_t{-1}),
              Pair(invalid_args, AllOf(HasSubstr("deadline-ms"), HasSubstr("\"u\", not \"i\""))));
  EXPECT_THAT(extend_with("passphrase", std::string("secret")),
              Pair(invalid_args, HasSubstr("\"h\", not \"s\"")));
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AHostileClient, IsRefusedOptionsByEveryMethodThatTakesThem) {
  const RawClient::Properties unknown{{"colour", std::string("red")}};
  const std::string text = "vol-1";

  EXPECT_EQ(manager("VolumeChanged", text, any_growth, unknown).first, invalid_args);
  EXPECT_EQ(manager("Plan", text, any_growth, unknown).first, invalid_args);
  EXPECT_EQ(manager("Explain", text, unknown).first, invalid_args);
  EXPECT_EQ(manager("Rescan", std::vector<std::string>{}, unknown).first, invalid_args);
  EXPECT_EQ(manager("Register", text, text, unknown).first, invalid_args);
  EXPECT_EQ(manager("Unregister", text, unknown).first, invalid_args);
  EXPECT_EQ(hostile.call(job_path(17), job_interface, "Cancel", unknown), invalid_args);
  EXPECT_THAT(calls(), IsEmpty());
}

/// {"mode": a variant in a variant in a variant …}
struct DepthBomb {
  int depth;
};

sdbus::Message& operator<<(sdbus::Message& message, const DepthBomb& bomb) {
  message.openContainer("{sv}");
  message.openDictEntry("sv");
  message << std::string("mode");
  for (int i = 1; i < bomb.depth; ++i)
    message.openVariant("v");
  message.openVariant("s");
  message << std::string("exact");
  for (int i = 0; i < bomb.depth; ++i)
    message.closeVariant();
  message.closeDictEntry();
  message.closeContainer();
  return message;
}

TEST_F(AHostileClient, GetsNowhereWithADepthBomb) {
  EXPECT_EQ(manager("Extend", subject, any_growth, DepthBomb{1}).first, "");

  for (const int depth : {2, 20, 60})
    EXPECT_THAT(manager("Extend", subject, any_growth, DepthBomb{depth}),
                Pair(invalid_args, HasSubstr("\"s\", not \"v\"")));
}

TEST_F(AHostileClient, MaySendTextUpToTheLimitAndNoByteMore) {
  const std::string most(std::size_t{256} << 10, 'x');
  const std::string text = "vol-1";
  auto too_long = [](const char* argument) {
    return Pair(invalid_args, AllOf(HasSubstr(argument), HasSubstr("262144")));
  };

  EXPECT_EQ(manager("Extend", most, any_growth, no_options).first, "");
  EXPECT_EQ(manager("Register", text, most, no_options).first, "");
  EXPECT_THAT(manager("Extend", most + "x", any_growth, no_options), too_long("subject"));
  EXPECT_THAT(manager("Plan", most + "x", any_growth, no_options), too_long("subject"));
  EXPECT_THAT(manager("Explain", most + "x", no_options), too_long("subject"));
  EXPECT_THAT(manager("Register", text, most + "x", no_options), too_long("connection_info"));
}

TEST_F(AHostileClient, MayNotSendNamesOfUnlimitedLength) {
  const std::string name(4097, 'x');

  EXPECT_THAT(manager("VolumeChanged", name, any_growth, no_options),
              Pair(invalid_args, HasSubstr("volume_id")));
  EXPECT_THAT(manager("Register", name, subject, no_options),
              Pair(invalid_args, HasSubstr("volume_id")));
  EXPECT_THAT(manager("Unregister", name, no_options), Pair(invalid_args, HasSubstr("volume_id")));
  EXPECT_THAT(manager("Rescan", std::vector{name}, no_options),
              Pair(invalid_args, HasSubstr("target")));
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AHostileClient, MayNotSendListsOfUnlimitedLength) {
  const std::vector<std::string> targets(16385, "a");

  EXPECT_THAT(manager("Rescan", targets, no_options),
              Pair(invalid_args, AllOf(HasSubstr("targets"), HasSubstr("16384"))));
  const auto acknowledged = testing::run_as(testing::the_relay(), [&] {
    const auto done = serving.client()->acknowledge(std::vector<std::uint64_t>(65537));
    return done ? "accepted" : done.error().message;
  });
  EXPECT_THAT(acknowledged, AllOf(HasSubstr("sequences"), HasSubstr("65536")));
  EXPECT_THAT(calls(), IsEmpty());
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    count += entry.path().empty() ? 0 : 1;
  return count;
}

TEST_F(AHostileClient, LeavesNoDescriptorBehind) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto pass_a_descriptor = [&] { return extend_with("passphrase", sdbus::UnixFd(ends[0])).first; };
  ASSERT_EQ(pass_a_descriptor(), "");
  const auto before = open_descriptors();

  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(pass_a_descriptor(), "");

  // One call later its message, and with it its descriptor, is gone from the server's thread.
  ASSERT_EQ(manager("Extend", subject, any_growth, no_options).first, "");
  EXPECT_LE(open_descriptors(), before);
  serving.on_loop([](Server&, ScriptedAgent& agent) {
    EXPECT_FALSE(agent.options.has_passphrase);
    EXPECT_EQ(agent.calls.size(), 102U);
  });
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(AHostileClient, IsHeardWhenItBringsAPassphrase) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);

  EXPECT_EQ(extend_with("passphrase", sdbus::UnixFd(ends[0])).first, "");

  serving.on_loop([](Server&, ScriptedAgent& agent) { EXPECT_TRUE(agent.options.has_passphrase); });
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(AHostileClient, FindsNothingThatIsNotThere) {
  EXPECT_EQ(hostile.call(root_path, manager_interface, "Reconfigure"),
            "org.freedesktop.DBus.Error.UnknownMethod");
  EXPECT_EQ(hostile.call(root_path, "org.volgrow.Agent1.Guest", "List"),
            "org.freedesktop.DBus.Error.UnknownMethod");
  EXPECT_EQ(hostile.call(job_path(18), job_interface, "Wait", std::uint32_t{0}),
            "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_F(AHostileClient, CannotWriteAProperty) {
  EXPECT_EQ(hostile.call(root_path, properties_interface, "Set", std::string(manager_interface),
                         std::string("Stragglers"), sdbus::Variant(std::uint32_t{9})),
            "org.freedesktop.DBus.Error.PropertyReadOnly");
}

// ---- load ---------------------------------------------------------------------------------------

TEST_F(AHostileClient, CannotPileUpWork) {
  serving.on_loop([](Server&, ScriptedAgent& agent) { agent.hold_waits = true; });
  for (int i = 0; i < 500; ++i)
    hostile.throw_at(job_path(17), job_interface, "Wait", false, std::uint32_t{600'000});

  const auto refused = manager("Unregister", subject, no_options);

  EXPECT_THAT(refused, Pair("org.freedesktop.DBus.Error.LimitsExceeded", HasSubstr("128 calls")));
  serving.on_loop([](Server&, ScriptedAgent& agent) { EXPECT_EQ(agent.waits.size(), 128U); });
  EXPECT_TRUE(serving.client()->extend(subject, 0_B, {}));
}

TEST_F(AHostileClient, IsServedAgainOnceItsWorkIsDone) {
  serving.on_loop([](Server&, ScriptedAgent& agent) { agent.hold_waits = true; });
  for (int i = 0; i < 500; ++i)
    hostile.throw_at(job_path(17), job_interface, "Wait", false, std::uint32_t{600'000});
  ASSERT_NE(manager("Unregister", subject, no_options).first, "");

  serving.on_loop([](Server&, ScriptedAgent& agent) {
    for (auto& wait : agent.waits)
      wait(JobEnd{});
  });

  EXPECT_EQ(manager("Unregister", subject, no_options).first, "");
}

TEST_F(AHostileClient, CannotKeepOthersFromBeingServedByFlooding) {
  for (int i = 0; i < 20'000; ++i)
    hostile.throw_at(root_path, manager_interface, "Extend", false, subject, any_growth,
                     no_options);

  EXPECT_EQ(serving.client()->plan(subject, 0_B, {}), R"({"schema":"volgrow.result/1"})");
}

TEST_F(AHostileClient, CannotKeepOthersFromBeingServedByNeverReading) {
  serving.on_loop(
      [](Server&, ScriptedAgent& agent) { agent.json = std::string(std::size_t{64} << 10, 'x'); });
  for (int i = 0; i < 1000; ++i)
    hostile.throw_at(root_path, manager_interface, "Explain", true, subject, no_options);

  const auto served = serving.client()->explain(subject, {});

  ASSERT_TRUE(served) << served.error().message;
  EXPECT_EQ(served->size(), std::size_t{64} << 10);
}

}  // namespace
}  // namespace volgrow::bus
