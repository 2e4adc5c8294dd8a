// SPDX-License-Identifier: Apache-2.0
// The packets: every value survives them, and what is not known is refused by name.
#include "backend/protocol.h"

#include <gmock/gmock.h>

#include "core/json.h"
#include "tests/connectors/results.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::TestWithParam;
using ::testing::ValuesIn;

const VolumeName volume{"fast", "7f3c1e9a-0001"};
const Attachment attachment{"compute-1.example.org", "iqn.1993-08.org.debian:01:abc"};

const std::vector<Call> all_calls{
    GetCapabilities{"fast"},
    Create{volume, 2_GiB},
    GetSize{volume},
    Extend{volume, 3_GiB},
    Export{volume, attachment},
    Export{volume, {"compute-1", std::nullopt}},
    Unexport{volume, attachment},
    Remove{volume},
};

const std::vector<Result<Outcome>> all_outcomes{
    Capabilities{"file", "local", true, 100_GiB, 40_GiB, 20},
    Measured{2_GiB},
    Connection{Value::Object{{"driver_volume_type", "local"},
                             {"data", Value::Object{{"device_path", "/dev/loop7"},
                                                    {"qos_specs", nullptr},
                                                    {"discard", false}}}}},
    Unexported{},
    Unexported{"/dev/loop7"},
    Removed{},
    std::unexpected(Error{ErrorCode::no_space, "\"fast\" is full\n", "loop7", 28}),
};

class ACall : public TestWithParam<Call> {};

TEST_P(ACall, SurvivesItsPacket) {
  const Request request{17, 1500ms, GetParam()};

  EXPECT_EQ(request_from(to_packet(request)), request);
}

TEST_P(ACall, WithAMemberThatIsNotKnownIsRefusedByItsName) {
  auto packet = to_packet(Request{17, 1500ms, GetParam()});
  packet.insert(1, R"("force":true,)");

  EXPECT_THAT(request_from(packet), FailsWith(ErrorCode::invalid_args, "force"));
  EXPECT_EQ(id_in(packet), 17U);
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, ACall, ValuesIn(all_calls));

class AnOutcome : public TestWithParam<Result<Outcome>> {};

TEST_P(AnOutcome, SurvivesItsPacket) {
  const Answer answer{17, GetParam()};

  EXPECT_EQ(answer_from(to_packet(answer)), answer);
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, AnOutcome, ValuesIn(all_outcomes));

TEST(ALimit, IsSentInWholeMillisecondsAndNeverCutToNothing) {
  const auto read = request_from(to_packet(Request{1, 1us, GetSize{volume}}));

  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->limit, 1ms);
}

TEST(ALimit, BeyondTheLongestIsCut) {
  const auto read = request_from(to_packet(Request{1, 48h, GetSize{volume}}));

  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->limit, longest_limit);
}

struct BadPacket {
  std::string packet;
  std::string complaint;
};

/// A request in which `from` is replaced.
BadPacket with(const std::string& from, const std::string& to, const std::string& complaint) {
  auto packet = to_packet(Request{17, 1s, Create{volume, 2_GiB}});
  packet.replace(packet.find(from), from.size(), to);
  return {packet, complaint};
}

const std::vector<BadPacket> bad_packets{
    {"", "not JSON"},
    {"volgrow", "not JSON"},
    {"[]", "expected an object"},
    {"{}", "version"},
    with(R"("version":1)", R"("version":2)", "must be of one release"),
    with(R"("create")", R"("destroy")", "verb"),
    with(R"("create")", "7", "verb"),
    with(R"("fast")", R"("../fast")", "backend"),
    with(R"("fast")", R"("")", "backend"),
    with(R"("7f3c1e9a-0001")", R"("a/b")", "volume"),
    with(R"("7f3c1e9a-0001")", R"("a\u0000b")", "volume"),
    with(R"("7f3c1e9a-0001")", '"' + std::string(129, 'a') + '"', "volume"),
    with("2147483648", "0", "size_bytes"),
    with("2147483648", "2147483647", "a multiple of 512"),
    with("2147483648", "-512", "size_bytes"),
    with("2147483648", "5e10", "size_bytes"),
    with("2147483648", "18446744073709551104", "size_bytes"),
    with("2147483648", R"("2147483648")", "size_bytes"),
    with("1000", R"("1000")", "limit_ms"),
    with(R"("id":17)", R"("id":17,"id":18)", "twice"),
};

class ABadPacket : public TestWithParam<BadPacket> {};

TEST_P(ABadPacket, IsRefusedWithTheReason) {
  const auto& [packet, complaint] = GetParam();

  EXPECT_THAT(request_from(packet), FailsWith(ErrorCode::invalid_args, complaint)) << packet;
  EXPECT_FALSE(answer_from(packet));
}

INSTANTIATE_TEST_SUITE_P(Of, ABadPacket, ValuesIn(bad_packets));

TEST(AnInitiator, MayHoldNothingThatATargetWouldTakeForMore) {
  for (const auto* name : {"iqn.a,initiator-address=ALL", "iqn.a b", "iqn.a\n", ""}) {
    const auto packet = to_packet(Request{1, 1s, Export{volume, {"host", name}}});

    EXPECT_THAT(request_from(packet), FailsWith(ErrorCode::invalid_args, "initiator")) << name;
  }
}

TEST(AnAnswer, ThatIsTooLongForAPacketSaysSoInstead) {
  const Answer longest{3, Connection{Value::Object{{"data", std::string(70'000, 'x')}}}};

  const auto packet = to_packet(longest);
  const auto read = answer_from(packet);

  EXPECT_THAT(packet.size(), Le(longest_packet.count()));
  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->id, 3U);
  EXPECT_THAT(read->outcome, FailsWith(ErrorCode::limits_exceeded, "70"));
}

TEST(AnError, WithACodeOfAnotherReleaseIsInternal) {
  const auto read =
      answer_from(R"({"version":1,"id":2,"answer":"error","code":"MadeLater","message":"why"})");

  ASSERT_THAT(read, Succeeds());
  EXPECT_THAT(read->outcome, FailsWith(ErrorCode::internal, "why"));
}

TEST(TheIdOfAPacket, IsFoundAlsoInOneThatIsNoRequest) {
  EXPECT_EQ(id_in(R"({"id":9,"verb":"format"})"), 9U);
  EXPECT_EQ(id_in(R"({"id":"9"})"), std::nullopt);
  EXPECT_EQ(id_in("{"), std::nullopt);
}

TEST(ACallInWords, NamesWhatAndWhere) {
  EXPECT_EQ(to_text(Call(Extend{volume, 1_GiB})), "extend of volume 7f3c1e9a-0001 on fast");
  EXPECT_EQ(to_text(Call(GetCapabilities{"fast"})), "capabilities of fast");
}

}  // namespace
}  // namespace volgrow::backend
