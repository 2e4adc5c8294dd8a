// SPDX-License-Identifier: Apache-2.0
// The bus policy file, tried by four accounts, and what the server learns about who calls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <systemd/sd-bus.h>

#include "core/fd.h"
#include "tests/dbus/raw_client.h"
#include "tests/dbus/serving.h"

namespace volgrow::bus {
namespace {

using testing::Account;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::run_as;

const std::string denied = "org.freedesktop.DBus.Error.AccessDenied";
const std::string outbox_interface = "org.volgrow.Agent1.Outbox";
const std::string job_interface = "org.volgrow.Agent1.Job";
const RawClient::Properties no_options;

Account root() {
  return {0, 0, {}};
}

class ThePolicy : public ::testing::Test {
 protected:
  ThePolicy() {
    serving.on_loop([](Server& server, ScriptedAgent&) {
      VolumeView volume;
      volume.id = "vol-1";
      server.show(volume);
      JobView job;
      job.id = 17;
      server.show(job);
    });
  }

  template <class... Arguments>
  std::string call_as(const Account& account, const std::string& path, const std::string& interface,
                      const std::string& method, const Arguments&... arguments) {
    return run_as(account, [&] {
      return RawClient(serving.address()).call(path, interface, method, arguments...);
    });
  }

  /// What the account may not do of everything there is.
  std::vector<std::string> denied_to(const Account& account) {
    const std::string nothing;
    const std::string volume = volume_path("vol-1"), job = job_path(17);
    std::vector<std::string> found;
    auto note = [&](const std::string& what, const std::string& error) {
      if (error == denied) found.push_back(what);
      if (!error.empty() && error != denied) found.push_back(what + ": " + error);
    };
    auto manager = [&](const char* method, const auto&... arguments) {
      note(method, call_as(account, root_path, manager_interface, method, arguments...));
    };
    manager("VolumeChanged", nothing, std::uint64_t{0}, no_options);
    manager("Extend", nothing, std::uint64_t{0}, no_options);
    manager("Plan", nothing, std::uint64_t{0}, no_options);
    manager("Explain", nothing, no_options);
    manager("Rescan", std::vector<std::string>(), no_options);
    manager("Register", nothing, nothing, no_options);
    manager("Unregister", nothing, no_options);
    note("List", call_as(account, root_path, outbox_interface, "List", std::uint32_t{1}));
    note("Acknowledge", call_as(account, root_path, outbox_interface, "Acknowledge",
                                std::vector<std::uint64_t>{}));
    note("Wait", call_as(account, job, job_interface, "Wait", std::uint32_t{0}));
    note("Cancel", call_as(account, job, job_interface, "Cancel", no_options));
    note("GetManagedObjects",
         call_as(account, root_path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"));
    note("volume properties", call_as(account, volume, properties_interface, "GetAll",
                                      std::string("org.volgrow.Agent1.Volume")));
    note("job properties", call_as(account, job, properties_interface, "GetAll", job_interface));
    note("manager properties", call_as(account, root_path, properties_interface, "GetAll",
                                       std::string(manager_interface)));
    note("Introspect",
         call_as(account, volume, "org.freedesktop.DBus.Introspectable", "Introspect"));
    note("Ping", call_as(account, root_path, "org.freedesktop.DBus.Peer", "Ping"));
    return found;
  }

  Serving serving;
};

TEST_F(ThePolicy, LetsRootDoEverythingButTheOutbox) {
  EXPECT_THAT(denied_to(root()), ElementsAre("List", "Acknowledge"));
}

TEST_F(ThePolicy, LetsMembersOfTheGroupDoEverythingButTheOutbox) {
  EXPECT_THAT(denied_to(testing::an_operator()), ElementsAre("List", "Acknowledge"));
}

TEST_F(ThePolicy, LetsTheRelayDeliverAndNothingElse) {
  EXPECT_THAT(denied_to(testing::the_relay()),
              ElementsAre("Extend", "Plan", "Explain", "Rescan", "Register", "Unregister", "Cancel",
                          "GetManagedObjects", "volume properties", "job properties"));
}

TEST_F(ThePolicy, LetsStrangersLookAtTheManagerOnly) {
  EXPECT_THAT(denied_to(testing::a_stranger()),
              ElementsAre("VolumeChanged", "Extend", "Plan", "Explain", "Rescan", "Register",
                          "Unregister", "List", "Acknowledge", "Wait", "Cancel",
                          "GetManagedObjects", "volume properties", "job properties"));
}

TEST_F(ThePolicy, KeepsCallsOfStrangersFromTheAgent) {
  call_as(testing::a_stranger(), root_path, manager_interface, "Extend", std::string("dev:sda"),
          std::uint64_t{0}, no_options);

  serving.on_loop([](Server&, ScriptedAgent& agent) { EXPECT_THAT(agent.calls, IsEmpty()); });
}

/// D-Bus lets a call leave its interface out; sdbus-c++ does not, sd-bus does.
std::string call_without_interface(const std::string& address, const char* method) {
  sd_bus* bus = nullptr;
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_new(&bus);
  sd_bus_set_address(bus, address.c_str());
  sd_bus_set_bus_client(bus, 1);
  sd_bus_start(bus);
  sd_bus_call_method(bus, service_name, root_path, nullptr, method, &error, nullptr, "u", 1U);
  const std::string name = error.name == nullptr ? "" : error.name;
  sd_bus_error_free(&error);
  sd_bus_flush_close_unref(bus);
  return name;
}

TEST_F(ThePolicy, IsNotPassedByLeavingTheInterfaceOut) {
  for (const auto& account : {root(), testing::an_operator(), testing::a_stranger()})
    EXPECT_EQ(run_as(account, [&] { return call_without_interface(serving.address(), "List"); }),
              denied);
}

TEST_F(ThePolicy, TellsTheClientWhoMay) {
  const auto said = run_as(testing::a_stranger(), [&] {
    const auto job = serving.client()->extend("dev:sda", 0_B, {});
    return std::string(name_of(job.error().code)) + ": " + job.error().message;
  });

  EXPECT_THAT(said, HasSubstr("NotAuthorized: "));
  EXPECT_THAT(said, HasSubstr("group volgrow"));
}

TEST(TheName, IsForRootAlone) {
  testing::PrivateBus bus;
  auto own = [&] {
    ScriptedAgent agent;
    const auto loop = EventLoop::create().value();
    const auto server = Server::connect(*loop, bus.address(), agent).value();
    const auto owned = server->own_name();
    return owned ? std::string("owned") : std::string(name_of(owned.error().code));
  };

  EXPECT_EQ(run_as(testing::an_operator(), own), "Unreachable");
  EXPECT_EQ(run_as(testing::the_relay(), own), "Unreachable");
  EXPECT_EQ(run_as(root(), own), "owned");
}

// ---- signals ------------------------------------------------------------------------------------

/// A property of the Manager, which everybody may see, changes last.
void send_one_of_each(Server& server, ScriptedAgent&) {
  JobView job;
  job.id = 18;
  server.show(job);
  job.phase = "verify";
  server.show(job);
  server.announce_job_new(18);
  server.announce_volume_resized("vol-1", 1_B, 2_B, Origin::call);
  ManagerProperties manager;
  manager.stragglers = 1;
  server.show(manager);
}

/// Members of the signals that reach this process, up to the Manager's; `subscribed` is told when
/// none can be missed any more.
std::string signals_heard(const std::string& address, const std::function<void()>& subscribed) {
  RawClient client(address);
  std::string members;
  bool ended = false;
  const auto match = client.connection().addMatch(
      "type='signal',sender='org.volgrow.Agent1'", [&](sdbus::Message& message) {
        members += message.getMemberName() + " ";
        ended = message.getPath() == root_path && message.getMemberName() == "PropertiesChanged";
      });
  subscribed();
  while (!ended) {
    if (client.connection().processPendingRequest()) continue;
    const auto poll = client.connection().getEventLoopPollData();
    pollfd descriptor{poll.fd, poll.events, 0};
    ::poll(&descriptor, 1, -1);
  }
  return members;
}

std::string signals_heard_by(const Account& account, Serving& serving) {
  const Fd subscribed(::eventfd(0, EFD_CLOEXEC));
  std::thread sending([&] {
    eventfd_t count = 0;
    ::eventfd_read(subscribed.get(), &count);
    serving.on_loop(send_one_of_each);
  });
  auto heard = run_as(account, [&] {
    return signals_heard(serving.address(), [&] { ::eventfd_write(subscribed.get(), 1); });
  });
  sending.join();
  return heard;
}

TEST_F(ThePolicy, SendsSignalsWhereCallsMayComeFrom) {
  const std::string all =
      "InterfacesAdded PropertiesChanged JobNew VolumeResized PropertiesChanged ";

  EXPECT_EQ(signals_heard_by(root(), serving), all);
}

TEST_F(ThePolicy, SendsSignalsToTheGroup) {
  EXPECT_EQ(signals_heard_by(testing::an_operator(), serving),
            "InterfacesAdded PropertiesChanged JobNew VolumeResized PropertiesChanged ");
}

TEST_F(ThePolicy, TellsStrangersOfTheManagersPropertiesOnly) {
  EXPECT_EQ(signals_heard_by(testing::a_stranger(), serving), "PropertiesChanged ");
}

// ---- who calls ----------------------------------------------------------------------------------

class TheCaller : public ThePolicy {
 protected:
  Caller seen_when(const Account& account) {
    call_as(account, job_path(17), job_interface, "Wait", std::uint32_t{0});
    Caller caller;
    serving.on_loop([&](Server&, ScriptedAgent& agent) { caller = agent.caller; });
    return caller;
  }
};

TEST_F(TheCaller, IsKnownByUidAndGroups) {
  const auto caller = seen_when(testing::an_operator());

  EXPECT_THAT(caller.name, ::testing::StartsWith(":1."));
  EXPECT_EQ(caller.uid, testing::operator_uid);
  EXPECT_THAT(caller.groups, Contains(testing::operators_gid));
}

TEST_F(TheCaller, HasNoGroupsItDidNotBring) {
  const auto caller = seen_when(testing::the_relay());

  EXPECT_EQ(caller.uid, testing::relay_uid);
  EXPECT_THAT(caller.groups, Not(Contains(testing::operators_gid)));
}

TEST_F(TheCaller, IsReportedWhenItLeaves) {
  const auto caller = seen_when(root());

  serving.until([](ScriptedAgent& agent) { return !agent.gone.empty(); });

  serving.on_loop(
      [&](Server&, ScriptedAgent& agent) { EXPECT_THAT(agent.gone, ElementsAre(caller.name)); });
}

TEST_F(TheCaller, IsReportedAlsoWhileItWaits) {
  serving.on_loop([](Server&, ScriptedAgent& agent) { agent.hold_waits = true; });
  run_as(root(), [&] {
    RawClient client(serving.address());
    client.throw_at(job_path(17), job_interface, "Wait", true, std::uint32_t{600'000});
    // A call that is answered: the one before it has arrived by then.
    return client.call(root_path, manager_interface, "Unregister", std::string("vol-1"),
                       no_options);
  });

  serving.until([](ScriptedAgent& agent) { return !agent.gone.empty(); });

  serving.on_loop([](Server&, ScriptedAgent& agent) {
    ASSERT_EQ(agent.waits.size(), 1U);
    agent.waits.front()(JobEnd{"complete", "{}"});  // an answer to nobody does no harm
  });
}

TEST_F(TheCaller, CannotBeAnsweredOnceTheServerIsGone) {
  Reply<JobEnd> late;
  {
    Serving brief;
    brief.on_loop([](Server& server, ScriptedAgent& agent) {
      JobView job;
      job.id = 17;
      server.show(job);
      agent.hold_waits = true;
    });
    RawClient client(brief.address());
    client.throw_at(job_path(17), job_interface, "Wait", true, std::uint32_t{600'000});
    brief.until([&](ScriptedAgent& agent) {
      if (agent.waits.empty()) return false;
      late = std::move(agent.waits.front());
      return true;
    });
  }

  late(JobEnd{"complete", "{}"});
}

}  // namespace
}  // namespace volgrow::bus
