// SPDX-License-Identifier: Apache-2.0
// Subjects as text, and the words of requests and of volumes.
#include "core/request.h"

#include <gmock/gmock.h>

#include <array>

#include "core/model.h"

namespace volgrow {
namespace {

TEST(ASubject, ThatBeginsWithABraceIsAConnectionInfo) {
  const auto subject =
      parse_subject(R"({"driver_volume_type":"local","data":{"device_path":"/dev/sda"}})");

  EXPECT_EQ(subject, Subject(ConnectionInfo{"local", {{"device_path", "/dev/sda"}}, std::nullopt}));
}

TEST(ASubject, ThatBeginsWithAnythingElseIsATarget) {
  EXPECT_EQ(parse_subject("/dev/sda"), Subject(Target{TargetKind::path, "/dev/sda"}));
  EXPECT_EQ(parse_subject(" {}"), Subject(Target{TargetKind::any, " {}"}));
}

TEST(ASubject, ThatIsMalformedIsRefusedAsWhatItIs) {
  EXPECT_EQ(parse_subject("{").error().code, ErrorCode::bad_connection_info);
  EXPECT_EQ(parse_subject("../../etc/shadow").error().code, ErrorCode::invalid_args);
  EXPECT_EQ(parse_subject("").error().code, ErrorCode::invalid_args);
}

TEST(ASubject, IsReadBackFromItsText) {
  for (const auto* text : {"/dev/sda", "id:v-1", "dm:mpatha", "wwid:naa.60014", "dev:sda", "sda"})
    EXPECT_EQ(to_text(parse_subject(text).value()), text);
}

TEST(ASubject, LosesItsSecretsAsText) {
  const auto subject = parse_subject(
      R"({"driver_volume_type":"iscsi","data":{"auth_password":"x","target_lun":-1},"serial":"v"})");

  const auto text = to_text(subject.value());

  EXPECT_EQ(text, R"({"driver_volume_type":"iscsi","data":{"target_lun":-1},"serial":"v"})");
  EXPECT_EQ(parse_subject(text), subject);
}

template <class E, std::size_t N>
void expect_words(const std::array<E, N>& values, std::optional<E> (*named)(std::string_view)) {
  for (const auto value : values)
    EXPECT_EQ(named(name_of(value)), value) << name_of(value);
  EXPECT_EQ(named("?"), std::nullopt);
  EXPECT_EQ(named(""), std::nullopt);
  EXPECT_EQ(name_of(static_cast<E>(255)), "?");
}

TEST(TheWords, OfARequestAreReadBack) {
  expect_words(std::array{Operation::extend, Operation::rescan, Operation::plan, Operation::explain,
                          Operation::registration},
               operation_named);
  expect_words(std::array{Mode::at_least, Mode::exact}, mode_named);
  expect_words(std::array{DeadPaths::evict, DeadPaths::wait}, dead_paths_named);
  expect_words(
      std::array{Origin::event, Origin::call, Origin::cli, Origin::straggler, Origin::spontaneous},
      origin_named);
}

TEST(TheWords, AreTheContracts) {
  EXPECT_EQ(name_of(Operation::extend), "extend");
  EXPECT_EQ(name_of(Mode::at_least), "at-least");
  EXPECT_EQ(name_of(Mode::exact), "exact");
  EXPECT_EQ(name_of(DeadPaths::evict), "evict");
  EXPECT_EQ(name_of(DeadPaths::wait), "wait");
  EXPECT_EQ(name_of(Origin::event), "event");
  EXPECT_EQ(name_of(Origin::spontaneous), "spontaneous");
}

TEST(TheWords, OfAVolumesStateAreTheContracts) {
  EXPECT_EQ(name_of(VolumeState::ok), "ok");
  EXPECT_EQ(name_of(VolumeState::growing), "growing");
  EXPECT_EQ(name_of(VolumeState::degraded), "degraded");
  EXPECT_EQ(name_of(VolumeState::mismatch), "mismatch");
  EXPECT_EQ(name_of(VolumeState::shrunk), "shrunk");
  EXPECT_EQ(name_of(VolumeState::unknown), "unknown");
}

}  // namespace
}  // namespace volgrow
