// SPDX-License-Identifier: Apache-2.0
// What a running server says of itself, held against the XML, and its properties as they change.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/dbus/raw_client.h"
#include "tests/dbus/serving.h"

namespace volgrow::bus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

const std::string volume_interface = "org.volgrow.Agent1.Volume";
const std::string job_interface = "org.volgrow.Agent1.Job";

VolumeView volume_named(const std::string& id) {
  VolumeView volume;
  volume.id = id;
  volume.wwid = "naa.6001405";
  volume.size = 10_GiB;
  return volume;
}

JobView job_numbered(JobId id) {
  JobView job;
  job.id = id;
  job.phase = "resolve";
  return job;
}

// ---- introspection ------------------------------------------------------------------------------

using Lines = std::set<std::string>;

// No <regex>: with the sanitizers on, g++ 12 takes its insides for uninitialized (GCC bug 105562).

/// Every piece of `text` between `from` and `to`, both included, in order.
std::vector<std::string> pieces(const std::string& text, const std::string& from,
                                const std::string& to) {
  std::vector<std::string> found;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    const auto end = text.find(to, at + from.size());
    if (end == std::string::npos) break;
    found.push_back(text.substr(at, end + to.size() - at));
    at = end + to.size();
  }
  return found;
}

std::string without_comments(std::string xml) {
  for (const auto& comment : pieces(xml, "<!--", "-->"))
    xml.erase(xml.find(comment), comment.size());
  return xml;
}

/// Attributes of one tag in a fixed order, whatever order and spacing the document has.
std::string canonical(const std::string& tag) {
  const auto name_end = tag.find_first_of(" \n/>", 1);
  Lines attributes;
  for (auto equals = tag.find("=\""); equals != std::string::npos;
       equals = tag.find("=\"", equals + 1)) {
    const auto key = tag.find_last_of(" \n", equals) + 1;
    const auto end = tag.find('"', equals + 2) + 1;
    attributes.insert(tag.substr(key, end - key));
  }
  return fmt::format("{} {}", tag.substr(1, name_end - 1), fmt::join(attributes, " "));
}

/// Says how sdbus-c++ shall generate code; no part of the interface.
bool is_for_the_generator(const std::string& tag) {
  return tag.find("org.freedesktop.DBus.Method.Async") != std::string::npos;
}

/// Interface name to everything in it: "method name="List" / 0 arg …", arguments with their place.
std::map<std::string, Lines> interfaces_of(const std::string& xml) {
  std::map<std::string, Lines> interfaces;
  std::string interface, member;
  int place = 0;
  for (const auto& tag : pieces(without_comments(xml), "<", ">")) {
    if (is_for_the_generator(tag) || tag.starts_with("<node") || tag.starts_with("</") ||
        tag.starts_with("<!"))
      continue;
    if (tag.starts_with("<interface")) {
      interface = canonical(tag);
    } else if (tag.starts_with("<arg") || tag.starts_with("<annotation")) {
      interfaces[interface].insert(fmt::format("{} / {} {}", member, place++, canonical(tag)));
    } else {
      member = canonical(tag);
      place = 0;
      interfaces[interface].insert(member);
    }
  }
  return interfaces;
}

class TheContract : public ::testing::Test {
 protected:
  TheContract() {
    serving.on_loop([](Server& server, ScriptedAgent&) {
      server.show(volume_named("vol-1"));
      server.show(job_numbered(17));
    });
    std::ifstream file(VOLGROW_SOURCE_DIR "/dbus/org.volgrow.Agent1.xml");
    std::ostringstream text;
    text << file.rdbuf();
    written = interfaces_of(text.str());
  }

  std::map<std::string, Lines> ours_at(const std::string& path) {
    std::string xml;
    client.ask(path, "org.freedesktop.DBus.Introspectable", "Introspect") >> xml;
    auto live = interfaces_of(xml);
    std::erase_if(live, [](const auto& entry) {
      return entry.first.find("org.volgrow.") == std::string::npos;
    });
    return live;
  }

  std::map<std::string, Lines> written_for(const std::vector<std::string>& names) {
    std::map<std::string, Lines> chosen;
    for (const auto& name : names) {
      const auto key = fmt::format("interface name=\"org.volgrow.Agent1.{}\"", name);
      chosen[key] = written.at(key);
    }
    return chosen;
  }

  Serving serving;
  RawClient client{serving.address()};
  std::map<std::string, Lines> written;
};

TEST_F(TheContract, IsWhatTheRootObjectSays) {
  EXPECT_EQ(ours_at(root_path), written_for({"Manager", "Outbox"}));
}

TEST_F(TheContract, IsWhatAVolumeSays) {
  EXPECT_EQ(ours_at(volume_path("vol-1")), written_for({"Volume"}));
}

TEST_F(TheContract, IsWhatAJobSays) {
  EXPECT_EQ(ours_at(job_path(17)), written_for({"Job"}));
}

// Otherwise the three tests above would compare nothing with nothing.
TEST_F(TheContract, IsReadByThisTestInFull) {
  EXPECT_EQ(written.size(), 4U);
  EXPECT_THAT(written.at("interface name=\"org.volgrow.Agent1.Job\""),
              IsSupersetOf({std::string("method name=\"Wait\""),
                            std::string("method name=\"Wait\" / 0 arg direction=\"in\" "
                                        "name=\"timeout_ms\" type=\"u\""),
                            std::string("property access=\"read\" name=\"Result\" type=\"s\"")}));
}

TEST_F(TheContract, GivesEveryPropertyItsType) {
  std::map<std::string, std::string> types;
  for (const auto& [path, interface] : std::map<std::string, std::string>{
           {volume_path("vol-1"), volume_interface}, {job_path(17), job_interface}}) {
    RawClient::Properties properties;
    auto reply = client.ask(path, properties_interface, "GetAll", interface);
    reply >> properties;
    for (const auto& [name, value] : properties)
      types[interface.substr(19) + "." + name] = value.peekValueType();
  }

  EXPECT_EQ(types["Volume.Paths"], "a(ssts)");
  EXPECT_EQ(types["Volume.LastJob"], "o");
  EXPECT_EQ(types["Volume.TargetSize"], "t");
  EXPECT_EQ(types["Job.StartedAt"], "t");
  EXPECT_EQ(types["Job.StartedByUid"], "u");
  EXPECT_EQ(types.size(), 19U);
}

// ---- signals ------------------------------------------------------------------------------------

/// "PropertiesChanged Volume,Size,State" and the like for every signal up to a JobNew.
class TheSignals : public ::testing::Test {
 protected:
  TheSignals() {
    match = client.connection().addMatch(fmt::format("type='signal',sender='{}'", service_name),
                                         [this](sdbus::Message& message) { note(message); });
  }

  void note(sdbus::Message& message) {
    const auto member = message.getMemberName();
    if (member == "JobNew") {
      ended = true;
      return;
    }
    std::vector<std::string> names;
    if (member == "PropertiesChanged") names = changed_in(message);
    if (member == "InterfacesAdded") names = added_in(message);
    if (member == "InterfacesRemoved") names = removed_in(message);
    seen.push_back(fmt::format("{} {}", member, fmt::join(names, ",")));
  }

  static std::vector<std::string> keys(const RawClient::Properties& properties) {
    std::vector<std::string> names;
    for (const auto& [name, value] : properties)
      names.push_back(name);
    return names;
  }
  static std::vector<std::string> changed_in(sdbus::Message& message) {
    std::string interface;
    RawClient::Properties changed;
    message >> interface >> changed;
    auto names = keys(changed);
    names.insert(names.begin(), interface.substr(interface.rfind('.') + 1));
    return names;
  }
  static std::vector<std::string> added_in(sdbus::Message& message) {
    sdbus::ObjectPath path;
    std::map<std::string, RawClient::Properties> interfaces;
    message >> path >> interfaces;
    return {path, std::to_string(interfaces.count(volume_interface)),
            std::to_string(interfaces.count(job_interface))};
  }
  static std::vector<std::string> removed_in(sdbus::Message& message) {
    sdbus::ObjectPath path;
    std::vector<std::string> interfaces;
    message >> path >> interfaces;
    return {path};
  }

  std::vector<std::string> after(const std::function<void(Server&)>& change) {
    seen.clear();
    ended = false;
    serving.on_loop([&](Server& server, ScriptedAgent&) {
      change(server);
      server.announce_job_new(1);
    });
    while (!ended) {
      if (client.connection().processPendingRequest()) continue;
      const auto poll = client.connection().getEventLoopPollData();
      pollfd descriptor{poll.fd, poll.events, 0};
      ::poll(&descriptor, 1, -1);
    }
    return seen;
  }

  Serving serving;
  RawClient client{serving.address()};
  sdbus::Slot match;
  std::vector<std::string> seen;
  bool ended = false;
};

TEST_F(TheSignals, AnnounceANewVolumeOnce) {
  const auto signals = after([](Server& server) {
    server.show(volume_named("vol-1"));
    server.show(volume_named("vol-1"));
  });

  EXPECT_THAT(signals, ElementsAre("InterfacesAdded " + volume_path("vol-1") + ",1,0"));
}

TEST_F(TheSignals, NameOnlyThePropertiesOfAVolumeThatChanged) {
  auto volume = volume_named("vol-1");
  after([&](Server& server) { server.show(volume); });

  const auto signals = after([&](Server& server) {
    volume.size = 20_GiB;
    volume.state = VolumeState::ok;
    server.show(volume);
    volume.paths.push_back({"sda", "", 20_GiB, "running"});
    server.show(volume);
    volume.last_job = 3;
    server.show(volume);
    volume.wwid = "eui.1";
    volume.kind = "loop";
    volume.device = "/dev/loop0";
    volume.target_size = 1_B;
    server.show(volume);
  });

  EXPECT_THAT(signals,
              ElementsAre("PropertiesChanged Volume,Size,State", "PropertiesChanged Volume,Paths",
                          "PropertiesChanged Volume,LastJob",
                          "PropertiesChanged Volume,Device,Kind,TargetSize,Wwid"));
}

TEST_F(TheSignals, NameOnlyThePropertiesOfAJobThatChanged) {
  auto job = job_numbered(17);
  after([&](Server& server) { server.show(job); });

  const auto signals = after([&](Server& server) {
    job.phase = "verify";
    server.show(job);
    server.show(job);
    job.state = JobState::failed;
    job.result_json = "{}";
    job.error_name = "Busy";
    job.error_message = "busy";
    job.volume_id = "vol-1";
    server.show(job);
  });

  EXPECT_THAT(signals,
              ElementsAre("PropertiesChanged Job,Phase",
                          "PropertiesChanged Job,ErrorMessage,ErrorName,Result,State,VolumeId"));
}

TEST_F(TheSignals, NameOnlyThePropertiesOfTheManagerThatChanged) {
  ManagerProperties manager;
  manager.outbox_depth = 1;

  const auto signals = after([&](Server& server) {
    server.show(manager);
    server.show(manager);
    manager.stragglers = 2;
    manager.stuck_workers = 1;
    manager.multipathd = "0.9.4";
    server.show(manager);
  });

  EXPECT_THAT(signals, ElementsAre("PropertiesChanged Manager,OutboxDepth",
                                   "PropertiesChanged Manager,Multipathd,Stragglers,StuckWorkers"));
}

TEST_F(TheSignals, AnnounceWhatIsHidden) {
  after([](Server& server) {
    server.show(volume_named("vol-1"));
    server.show(job_numbered(17));
  });

  const auto signals = after([](Server& server) {
    server.hide_volume("vol-1");
    server.hide_volume("vol-1");
    server.hide_job(17);
  });

  EXPECT_THAT(signals, ElementsAre("InterfacesRemoved " + volume_path("vol-1"),
                                   "InterfacesRemoved " + job_path(17)));
}

TEST_F(TheSignals, AnnounceAVolumeThatComesBack) {
  const auto signals = after([](Server& server) {
    server.show(volume_named("vol-1"));
    server.hide_volume("vol-1");
    server.show(volume_named("vol-1"));
  });

  EXPECT_THAT(signals, ElementsAre("InterfacesAdded " + volume_path("vol-1") + ",1,0",
                                   "InterfacesRemoved " + volume_path("vol-1"),
                                   "InterfacesAdded " + volume_path("vol-1") + ",1,0"));
}

// ---- many ---------------------------------------------------------------------------------------

TEST(TwoThousandObjects, AreListedAndEachIsReachable) {
  Serving serving;
  serving.on_loop([](Server& server, ScriptedAgent&) {
    for (JobId i = 1; i <= 1000; ++i) {
      server.show(volume_named(fmt::format("vol-{}", i)));
      server.show(job_numbered(i));
    }
  });
  const auto client = serving.client();

  const auto volumes = client->volumes();
  const auto jobs = client->jobs();

  ASSERT_TRUE(volumes && jobs);
  EXPECT_EQ(volumes->size(), 1000U);
  EXPECT_EQ(jobs->size(), 1000U);
  EXPECT_EQ(client->volume("vol-1000"), volume_named("vol-1000"));
  EXPECT_EQ(client->job(1000), job_numbered(1000));
}

}  // namespace
}  // namespace volgrow::bus
