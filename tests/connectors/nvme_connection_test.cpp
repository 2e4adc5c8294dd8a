// SPDX-License-Identifier: Apache-2.0
// Cinder's connection_info of NVMe-oF volumes in os-brick's forms: what it means, and what is wrong
// with one that means nothing.
#include "connectors/nvme_connection.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

Result<NvmeConnection> read(const std::string& data) {
  const auto info = parse_connection_info(R"({"driver_volume_type":"nvmeof","data":)" + data + "}");
  if (!info) return std::unexpected(info.error());
  return parse_nvme_connection(*info);
}

/// The new form with one more member.
Result<NvmeConnection> with(const std::string& member) {
  return read(R"({"target_nqn":"nqn.a","portals":[["10.0.0.1",4420,"tcp"]],)" + member + "}");
}

const std::string digits = "0123456789abcdef0123456789abcdef";

TEST(AnNvmeConnection, OfTheNewFormNamesSubsystemHostAndNamespace) {
  EXPECT_EQ(read(R"({"target_nqn":"nqn.a","host_nqn":"nqn.h","ns_id":"7",
                     "vol_uuid":"01234567-89AB-cdef-0123-456789abcdef",
                     "volume_nguid":"0123456789abcdef0123456789abcdef",
                     "portals":[["10.0.0.1",4420,"tcp"],["10.0.0.2","4420","RoCEv2"]]})"),
            (NvmeConnection{"nqn.a", "nqn.h", digits, digits, 7}));
}

TEST(AnNvmeConnection, OfTheNewFormNeedsOnlyTheSubsystemAndAPortal) {
  EXPECT_EQ(with(R"("vol_uuid":null,"volume_nguid":null,"ns_id":null,"host_nqn":null)"),
            (NvmeConnection{"nqn.a", {}, {}, {}, {}}));
}

TEST(AnNvmeConnection, TakesTheNamespacesNumberAsNumberOrText) {
  EXPECT_EQ(with(R"("ns_id":1)")->nsid, 1);
  EXPECT_EQ(with(R"("ns_id":"4294967294")")->nsid, 4294967294U);
}

TEST(AnNvmeConnection, OfTheOldFormHasOnePortal) {
  EXPECT_EQ(read(R"({"nqn":"nqn.a","transport_type":"rdma","target_portal":"10.0.0.1",
                     "target_port":4420,"ns_id":3,"volume_nguid":")" +
                 digits + R"("})"),
            (NvmeConnection{"nqn.a", {}, {}, digits, 3}));
}

TEST(AnNvmeConnection, OfOneReplicaIsThatReplica) {
  EXPECT_EQ(read(R"({"vol_uuid":"ffffffffffffffffffffffffffffffff","alias":"a","replica_count":1,
                     "volume_replicas":[{"target_nqn":"nqn.a","vol_uuid":")" +
                 digits + R"(","portals":[["10.0.0.1",4420,"tcp"]]}]})"),
            (NvmeConnection{"nqn.a", {}, digits, {}, {}}));
}

TEST(AnNvmeConnection, OfSeveralReplicasIsAnArrayThatCannotBeGrown) {
  EXPECT_THAT(read(R"({"alias":"raid-a","volume_replicas":[{},{}]})"),
              FailsWith(ErrorCode::not_supported, "2 replicas, joined by the md array \"raid-a\""));
}

TEST(AnNvmeConnection, IsRefusedByTheKeyThatIsWrong) {
  const auto bad = [](const char* words) {
    return FailsWith(ErrorCode::bad_connection_info, words);
  };
  EXPECT_THAT(read("{}"), bad("data.target_nqn is missing, and so are data.nqn"));
  EXPECT_THAT(read(R"({"target_nqn":"nqn.a"})"), bad("data.portals is missing"));
  EXPECT_THAT(read(R"({"target_nqn":7,"portals":[["a",1,"tcp"]]})"), bad("data.target_nqn is no"));
  EXPECT_THAT(read(R"({"target_nqn":"","portals":[["a",1,"tcp"]]})"), bad("data.target_nqn is no"));
  EXPECT_THAT(read(R"({"target_nqn":"a\n","portals":[["a",1,"tcp"]]})"), bad("data.target_nqn"));
  EXPECT_THAT(read(R"({"nqn":"nqn.a"})"), bad("data.target_portal is missing"));
  EXPECT_THAT(read(R"({"nqn":"n","target_portal":"a"})"), bad("data.transport_type is missing"));
  EXPECT_THAT(read(R"({"nqn":"n","target_portal":"a","transport_type":"tcp"})"),
              bad("data.target_port is missing"));
  EXPECT_THAT(read(R"({"nqn":"n","target_portal":"a","transport_type":"tcp","target_port":"x"})"),
              bad("data.target_port is no port"));
  EXPECT_THAT(read(R"({"volume_replicas":[]})"), bad("data.volume_replicas is no list"));
  EXPECT_THAT(read(R"({"volume_replicas":[7]})"), bad("data.volume_replicas[0] is no replica"));
  EXPECT_THAT(read(R"({"volume_replicas":[{"target_nqn":"a"}]})"),
              bad("data.volume_replicas[0].portals is missing"));
}

TEST(AnNvmeConnection, IsRefusedByTheMemberThatIsWrong) {
  const auto refused = [](const std::string& member, const std::string& words) {
    EXPECT_THAT(with(member), FailsWith(ErrorCode::bad_connection_info, words)) << member;
  };
  for (const auto* nsid : {"0", "-1", "4294967295", "1.5", "\"x\"", "\"\"", "[1]", "true"})
    refused(fmt::format(R"("ns_id":{})", nsid), "data.ns_id is no namespace's number");
  for (const auto* uuid : {"\"\"", "7", "\"0123\"", "\"0123456789abcdef0123456789abcdeg\""}) {
    refused(fmt::format(R"("vol_uuid":{})", uuid), "data.vol_uuid is no UUID");
    refused(fmt::format(R"("volume_nguid":{})", uuid), "data.volume_nguid is no UUID");
  }
  refused(R"("host_nqn":[])", "data.host_nqn is no NVMe qualified name");
  for (const auto* portals : {"[]", "\"10.0.0.1\"", "{}"})
    EXPECT_THAT(read(fmt::format(R"({{"target_nqn":"nqn.a","portals":{}}})", portals)),
                FailsWith(ErrorCode::bad_connection_info, "data.portals is no list"));
  for (const auto* portal : {"[\"a\",1]", "[\"\",1,\"tcp\"]", "[\"a\",\"x\",\"tcp\"]",
                             "[\"a\",65536,\"tcp\"]", "[\"a\",1,7]", "7"})
    EXPECT_THAT(
        read(fmt::format(R"({{"target_nqn":"nqn.a","portals":[["a",1,"tcp"],{}]}})", portal)),
        FailsWith(ErrorCode::bad_connection_info, "data.portals[1] "))
        << portal;
}

}  // namespace
}  // namespace volgrow
