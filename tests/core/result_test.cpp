// SPDX-License-Identifier: Apache-2.0
// The result format: its exact text, its round trip, and that a reader names what is wrong.
#include "core/result.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <ostream>

#include "core/json.h"
#include "tests/core/schema/sample_results.h"

namespace volgrow {

// gtest shows a value that differs as what people know it by.
void PrintTo(const JobResult& result, std::ostream* out) {
  *out << to_json(result);
}

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::TestWithParam;
using ::testing::Values;

TEST(AResult, IsWrittenWithItsMembersInOrder) {
  EXPECT_EQ(
      to_json(samples::full_result()),
      R"({"schema":"volgrow.result/1","job":17,"operation":"extend",)"
      R"("volume_id":"5ea5b1f8-6a05-4b5c-8c6f-0123456789ab","state":"degraded",)"
      R"("identity":"pinned","expected_bytes":21474836480,"previous_bytes":10737418240,)"
      R"("volume_bytes":21474836480,"size_bytes":21474836480,"device":"/dev/dm-3",)"
      R"("wwid":"naa.6001405abcdef0123456789abcdef012","layers":[{"kind":"path","device":"sda",)"
      R"("name":"mpatha","address":"1:0:0:1","transport":"iscsi",)"
      R"("endpoint":"10.0.0.1:3260,iqn.2026-01.org.example:a","state":"running",)"
      R"("target_bytes":21474836480,"before_bytes":10737418240,"after_bytes":21474836480,)"
      R"("action":"rescanned","reason":"the target says 20 GiB","duration_us":4120},)"
      R"({"kind":"multipath","device":"dm-3","duration_us":0}],)"
      R"("error":{"name":"PathHung","message":"sdb does not answer","device":"sdb"},)"
      R"("diagnosis":{"device":"sdb","problem":"transport-offline",)"
      R"("fix":"bring its session back"},"started_at":"2026-01-01T00:00:00.000000Z",)"
      R"("duration_us":18233})");
}

TEST(AResult, WithNothingKnownHasNulls) {
  EXPECT_EQ(to_json(JobResult()),
            R"({"schema":"volgrow.result/1","job":0,"operation":"extend","volume_id":null,)"
            R"("state":"running","identity":"unknown","expected_bytes":null,)"
            R"("previous_bytes":null,"volume_bytes":null,"size_bytes":null,"device":null,)"
            R"("wwid":null,"layers":[],"error":null,)"
            R"("started_at":"1970-01-01T00:00:00.000000Z","duration_us":0})");
}

TEST(AResult, OfAnyKindIsReadBack) {
  for (const auto& result : samples::all_results()) {
    EXPECT_EQ(job_result_from(to_value(result)), result);
    EXPECT_EQ(parse_job_result(to_json(result)), result);
  }
}

TEST(AResult, IsReadBackWithTheLargestSizes) {
  auto result = samples::full_result();
  result.size = Bytes(UINT64_MAX);
  result.duration = Duration::max();
  result.job = UINT32_MAX;

  EXPECT_EQ(parse_job_result(to_json(result)), result);
}

TEST(AResult, FromAnotherVersionMayHaveMoreMembers) {
  auto text = to_json(samples::full_result());
  text.insert(1, R"("new":{"x":[1]},)");
  text.insert(text.find(R"("kind")"), R"("new":1,)");

  EXPECT_EQ(parse_job_result(text), samples::full_result());
}

TEST(AResult, OfAVolumeWithManyPathsIsReadBack) {
  auto result = samples::full_result();
  result.layers.assign(2'000, samples::full_layer());

  EXPECT_EQ(parse_job_result(to_json(result)), result);
}

TEST(AResult, ThatTookLessThanNothingTookNothing) {
  auto result = samples::full_result();
  result.duration = std::chrono::seconds(-1);

  EXPECT_THAT(to_json(result), HasSubstr(R"("duration_us":0})"));
}

/// One member of an emitted result replaced by something else.
struct Change {
  std::string member;  ///< as it is written
  std::string by;
  std::string message;
};

class AResultWithAWrongMember : public TestWithParam<Change> {};

TEST_P(AResultWithAWrongMember, IsRefusedByName) {
  auto text = to_json(samples::full_result());
  const auto at = text.find(GetParam().member);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, GetParam().member.size(), GetParam().by);

  const auto result = parse_job_result(text);

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Schema, AResultWithAWrongMember,
                         Values(Change{"volgrow.result/1", "volgrow.result/2",
                                       "schema: expected \"volgrow.result/1\""},
                                Change{R"("schema":"volgrow.result/1",)", "", "schema: expected"},
                                Change{R"("volgrow.result/1")", "1", "schema: expected"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, AResultWithAWrongMember,
    Values(Change{R"("job":17)", R"("job":-1)", "job: expected a whole number from 0"},
           Change{R"("job":17)", R"("job":4294967296)", "from 0 to 4294967295"},
           Change{R"("job":17)", R"("job":1.0)", "job: expected a whole number"},
           Change{R"("job":17)", R"("job":"17")", "job: expected a whole number"},
           Change{R"("job":17)", R"("job":null)", "job: expected a whole number"},
           Change{R"("expected_bytes":21474836480)", R"("expected_bytes":"20G")",
                  "expected_bytes: expected a whole number"},
           Change{R"("previous_bytes":10737418240)", R"("previous_bytes":-1)", "previous_bytes:"},
           Change{R"("volume_bytes":21474836480)", R"("volume_bytes":18446744073709551616)",
                  "volume_bytes:"},
           Change{R"("size_bytes":21474836480)", R"("size_bytes":[])", "size_bytes:"},
           Change{R"("duration_us":18233)", R"("duration_us":9223372036854775808)",
                  "duration_us: expected a whole number from 0 to 9223372036854775807"}));

INSTANTIATE_TEST_SUITE_P(
    Words, AResultWithAWrongMember,
    Values(Change{R"("operation":"extend")", R"("operation":"shrink")",
                  "operation: expected a word"},
           Change{R"("operation":"extend")", R"("operation":0)", "operation: expected a word"},
           Change{R"("state":"degraded")", R"("state":"DEGRADED")", "state: expected a word"},
           Change{R"("identity":"pinned")", R"("identity":null)", "identity: expected a word"},
           Change{R"("kind":"path")", R"("kind":"disk")", "layers[0].kind: expected a word"},
           Change{R"("action":"rescanned")", R"("action":"")", "layers[0].action: expected a word"},
           Change{R"("name":"PathHung")", R"("name":"Oops")", "error.name: expected a word"}));

INSTANTIATE_TEST_SUITE_P(
    Texts, AResultWithAWrongMember,
    Values(Change{R"("volume_id":"5ea5b1f8-6a05-4b5c-8c6f-0123456789ab")", R"("volume_id":5)",
                  "volume_id: expected text"},
           Change{R"("device":"/dev/dm-3")", R"("device":["/dev/dm-3"])", "device: expected text"},
           Change{R"("wwid":"naa.)", R"("wwid":"nab.)", "wwid: "},
           Change{R"("device":"dm-3")", R"("device":3)", "layers[1].device: expected text"},
           Change{R"("endpoint":"10)", R"("endpoint":1,"x":"10)", "layers[0].endpoint:"},
           Change{R"("reason":"the)", R"("reason":null,"x":"the)", "layers[0].reason:"},
           Change{R"("message":"sdb)", R"("message":{},"x":"sdb)", "error.message:"},
           Change{R"("problem":"tr)", R"("problem":7,"x":"tr)", "diagnosis.problem:"},
           Change{R"("fix":"bring)", R"("fx":"bring)", "diagnosis.fix: expected this member"},
           Change{"2026-01-01T", "2026-01-01 ", "started_at: "}));

INSTANTIATE_TEST_SUITE_P(
    Containers, AResultWithAWrongMember,
    Values(Change{R"("layers":[)", R"("layers":null,"x":[)", "layers: expected a list"},
           Change{R"("layers":[{)", R"("layers":["sda",{)", "layers[0]: expected an object"},
           Change{R"("error":{)", R"("error":"PathHung","x":{)", "error: expected an object"},
           Change{R"("diagnosis":{)", R"("diagnosis":[],"x":{)", "diagnosis: expected an object"}));

TEST(AResult, NeedsEveryMemberThatIsAlwaysWritten) {
  const auto whole = std::get<Value::Object>(to_value(samples::full_result()).data);
  for (const auto& [name, value] : whole) {
    if (name == "diagnosis") continue;
    auto members = whole;
    std::erase_if(members, [&](const auto& member) { return member.first == name; });

    const auto result = job_result_from(members);

    ASSERT_FALSE(result) << name;
    EXPECT_THAT(result.error().message, HasSubstr(name + ": expected"));
  }
}

TEST(AResult, MustBeAnObject) {
  for (const auto& value : {Value(), Value("text"), Value(7), Value(Value::Array())})
    EXPECT_FALSE(job_result_from(value));
}

TEST(AResult, AsADepthBombIsRefused) {
  EXPECT_THAT(parse_job_result(std::string(1'000'000, '[')).error().message, HasSubstr("deeper"));
}

TEST(AReport, CarriesItsKeyAndItsResult) {
  const auto report = samples::report_of(samples::full_result());

  const auto value = parse_json(to_json(report)).value();

  EXPECT_THAT(to_json(report),
              AllOf(HasSubstr(R"({"schema":"volgrow.report/1","host":"compute-1",)"
                              R"("journal":"0f8fad5b-d9cb-469f-a165-70867728950e","sequence":12,)"),
                    HasSubstr(R"("result":{"schema":"volgrow.result/1")")));
  EXPECT_EQ(job_result_from(*value.find("result")), report.result);
}

TEST(TheSamples, HoldEveryWordThereIs) {
  // One beyond the last of each enum has no name: an enum that grows makes this fail.
  EXPECT_EQ(name_of(static_cast<LayerKind>(samples::layer_kinds)), "?");
  EXPECT_EQ(name_of(static_cast<LayerAction>(samples::layer_actions)), "?");
  EXPECT_EQ(name_of(static_cast<IdentityProof>(samples::identity_proofs)), "?");
  EXPECT_EQ(name_of(static_cast<Operation>(samples::operations)), "?");
  EXPECT_EQ(to_string(Wwid{static_cast<WwidType>(samples::wwid_types), "00"}), "?.00");
}

TEST(TheWords, OfLayersAreReadBack) {
  for (std::uint8_t i = 0; i < samples::layer_kinds; ++i)
    EXPECT_EQ(layer_kind_named(name_of(static_cast<LayerKind>(i))), static_cast<LayerKind>(i));
  for (std::uint8_t i = 0; i < samples::layer_actions; ++i)
    EXPECT_EQ(layer_action_named(name_of(static_cast<LayerAction>(i))),
              static_cast<LayerAction>(i));
  EXPECT_EQ(identity_proof_named("first-sight"), IdentityProof::first_sight);
  EXPECT_EQ(layer_kind_named("nvme-namespace"), LayerKind::nvme_namespace);
  EXPECT_EQ(layer_kind_named("?"), std::nullopt);
}

}  // namespace
}  // namespace volgrow
