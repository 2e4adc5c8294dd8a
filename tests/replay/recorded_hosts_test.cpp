// SPDX-License-Identifier: Apache-2.0
// What is true of any host: these tests run over every file of tests/captures/.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "connectors/iscsi_portal.h"
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

using testing::Contains;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::Not;

class EveryRecordedHost : public ARecordedHost,
                          public testing::WithParamInterface<std::filesystem::path> {
 protected:
  EveryRecordedHost() : ARecordedHost(GetParam()) {}

  std::vector<std::string> devices() const { return host.list("block").value(); }
  std::string text(const std::string& attribute) const { return host.read(attribute).value_or(""); }
  std::vector<std::string> maps() const;
  std::vector<std::string> members_of(const std::string& map) const {
    return host.list(fmt::format("block/{}/slaves", map)).value();
  }
  std::vector<std::string> sessions() const {
    return host.list("class/iscsi_session").value_or(std::vector<std::string>());
  }
  std::vector<std::string> devices_behind(const std::string& session) const;
  std::vector<std::string> names_of(const std::string& map) const;
  /// Of one path, as Cinder writes it.
  std::string connection_to(const std::string& session, const std::string& device) const;
};

/// Its links in /dev as well, as far as they were recorded.
std::vector<std::string> EveryRecordedHost::names_of(const std::string& map) const {
  std::vector<std::string> names{"dev:" + map, "dm:" + text(fmt::format("block/{}/dm/name", map))};
  for (const auto& [link, target] : host.capture().links)
    if (target.ends_with("/" + map)) names.push_back(link);
  return names;
}

std::vector<std::string> EveryRecordedHost::devices_behind(const std::string& session) const {
  const auto link = fmt::format("class/iscsi_session/{}/device", session);
  const auto folder = host.canonical_sysfs(link).value() + "/";
  auto names = devices();
  std::erase_if(names, [&](const auto& name) {
    return !host.canonical_sysfs("block/" + name).value().starts_with(folder);
  });
  return names;
}

std::string EveryRecordedHost::connection_to(const std::string& session,
                                             const std::string& device) const {
  const auto connection = fmt::format("class/iscsi_connection/connection{}:0", session.substr(7));
  const auto portal = iscsi_portal_of(text(connection + "/persistent_address"),
                                      text(connection + "/persistent_port"));
  const auto place = host.canonical_sysfs(fmt::format("block/{}/device", device)).value();
  return fmt::format(
      R"({{"driver_volume_type":"iscsi","data":{{"target_portals":["{}"],"target_iqns":["{}"],)"
      R"("target_luns":["{}"]}}}})",
      to_string(portal.value()), text(fmt::format("class/iscsi_session/{}/targetname", session)),
      place.substr(place.rfind(':') + 1));
}

std::vector<std::string> EveryRecordedHost::maps() const {
  auto names = devices();
  std::erase_if(names, [&](const auto& name) {
    return !text(fmt::format("block/{}/dm/uuid", name)).starts_with("mpath-");
  });
  return names;
}

/// Because of what stands on it; any other failure fails the test.
bool is_refused(const Result<Stack>& stack) {
  if (stack) return false;
  EXPECT_EQ(stack.error().code, ErrorCode::not_supported) << stack.error().message;
  return true;
}

std::vector<std::string> devices_of(const Stack& stack) {
  std::vector<std::string> devices;
  for (const auto& layer : stack.layers)
    devices.push_back(layer.device);
  return devices;
}

TEST_P(EveryRecordedHost, HasBlockDevices) {
  EXPECT_THAT(devices(), Not(IsEmpty()));
}

TEST_P(EveryRecordedHost, ResolvesEachBlockDeviceOrSaysWhyNot) {
  for (const auto& device : devices()) {
    const auto stack = resolved("dev:" + device);

    if (stack) {
      const auto found = devices_of(*stack);
      EXPECT_THAT(found, Contains(device));
      EXPECT_EQ(std::set(found.begin(), found.end()).size(), found.size()) << device;
    } else {
      EXPECT_NE(stack.error().code, ErrorCode::internal) << device;
      EXPECT_THAT(stack.error().message, Not(IsEmpty())) << device;
    }
  }
}

TEST_P(EveryRecordedHost, ShowsEachLayerAsLargeAsTheKernelDoes) {
  for (const auto& device : devices()) {
    const auto stack = resolved("dev:" + device);
    if (!stack) continue;

    for (const auto& layer : stack->layers) {
      if (layer.kind == LayerKind::file) continue;
      const auto sectors = text(fmt::format("block/{}/size", layer.device));
      EXPECT_EQ(fmt::format("{}", layer.size.value().count() / 512), sectors) << layer.device;
    }
  }
}

TEST_P(EveryRecordedHost, FindsAllMembersOfEachMapByEachOfItsNames) {
  for (const auto& map : maps())
    for (const auto& subject : names_of(map)) {
      const auto stack = resolved(subject);

      if (is_refused(stack)) continue;
      EXPECT_EQ(stack->top().device, map) << subject;
      EXPECT_THAT(stack->top().below, ElementsAreArray(members_of(map))) << subject;
      for (const auto& member : members_of(map))
        EXPECT_THAT(devices_of(*stack), Contains(member).Times(1)) << subject;
    }
}

TEST_P(EveryRecordedHost, FindsEachMapByTheIdentityOfItsMembers) {
  for (const auto& map : maps())
    for (const auto& member : members_of(map)) {
      const auto wwid = text(fmt::format("block/{}/device/wwid", member));
      if (wwid.empty()) continue;

      const auto stack = resolved("wwid:" + wwid);

      if (is_refused(stack)) continue;
      EXPECT_EQ(*stack, resolved("dev:" + map).value()) << wwid;
    }
}

TEST_P(EveryRecordedHost, HasMapsCalledByTheIdentityOfTheirMembers) {
  for (const auto& map : maps())
    for (const auto& member : members_of(map)) {
      const auto uuid = text(fmt::format("block/{}/dm/uuid", map));
      const auto wwid = text(fmt::format("block/{}/device/wwid", member));
      if (!wwid.starts_with("naa.")) continue;
      EXPECT_EQ(uuid, "mpath-3" + wwid.substr(4)) << map;
    }
}

TEST_P(EveryRecordedHost, FindsEachDiskOfASessionByItsConnection) {
  for (const auto& session : sessions())
    for (const auto& device : devices_behind(session)) {
      const auto connection = connection_to(session, device);

      const auto stack = resolved(connection);

      if (is_refused(stack)) continue;
      EXPECT_THAT(devices_of(*stack), Contains(device).Times(1)) << connection;
    }
}

TEST_P(EveryRecordedHost, HasAMultipathdThatKnowsTheKernelsMaps) {
  const auto& replies = host.capture().multipathd;
  if (replies.empty()) GTEST_SKIP() << "multipathd did not run there";
  const auto paths = replies.at(R"(show paths raw format "%d;%w;%t;%o;%T")");

  for (const auto& map : maps())
    for (const auto& member : members_of(map)) {
      const auto wwid = text(fmt::format("block/{}/dm/uuid", map)).substr(6);
      EXPECT_THAT("\n" + paths, testing::HasSubstr(fmt::format("\n{};{};", member, wwid)));
    }
}

std::string name_of_capture(const testing::TestParamInfo<std::filesystem::path>& tested) {
  auto name = tested.param.stem().string();
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Of, EveryRecordedHost, testing::ValuesIn(all_captures()), name_of_capture);

}  // namespace
}  // namespace volgrow
