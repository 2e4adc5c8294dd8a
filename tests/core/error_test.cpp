// SPDX-License-Identifier: Apache-2.0
// The table of errors and states against the contract, row by row.
#include "core/error.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <set>

namespace volgrow {
namespace {

using ::testing::TestWithParam;
using ::testing::Values;
using ::testing::ValuesIn;

struct Row {
  ErrorCode code;
  std::string name;
  JobState ends_as;
  int exit_status;
};

/// Contracts §1, written out a second time on purpose.
const std::vector<Row> contract{
    {ErrorCode::wwid_mismatch, "WwidMismatch", JobState::refused, 6},
    {ErrorCode::paths_disagree, "PathsDisagree", JobState::refused, 6},
    {ErrorCode::would_shrink, "WouldShrink", JobState::refused, 6},
    {ErrorCode::multipath_refused, "MultipathRefused", JobState::refused, 6},
    {ErrorCode::no_usable_path, "NoUsablePath", JobState::refused, 6},
    {ErrorCode::ambiguous_volume, "AmbiguousVolume", JobState::refused, 2},
    {ErrorCode::bad_connection_info, "BadConnectionInfo", JobState::refused, 2},
    {ErrorCode::not_supported, "NotSupported", JobState::refused, 6},
    {ErrorCode::size_mismatch, "SizeMismatch", JobState::failed, 1},
    {ErrorCode::multipath_unavailable, "MultipathUnavailable", JobState::failed, 1},
    {ErrorCode::busy, "Busy", JobState::failed, 1},
    {ErrorCode::internal, "Internal", JobState::failed, 1},
    {ErrorCode::timed_out, "TimedOut", JobState::timed_out, 5},
    {ErrorCode::path_hung, "PathHung", JobState::timed_out, 5},
    {ErrorCode::no_such_volume, "NoSuchVolume", JobState::failed, 4},
    {ErrorCode::no_such_device, "NoSuchDevice", JobState::failed, 4},
    {ErrorCode::key_required, "KeyRequired", JobState::degraded, 3},
    {ErrorCode::cancelled, "Cancelled", JobState::cancelled, 8},
    {ErrorCode::not_authorized, "NotAuthorized", JobState::failed, 7},
    {ErrorCode::invalid_args, "InvalidArgs", JobState::failed, 2},
    {ErrorCode::limits_exceeded, "LimitsExceeded", JobState::failed, 1},
    {ErrorCode::unreachable, "Unreachable", JobState::failed, 7},
    {ErrorCode::no_space, "NoSpace", JobState::failed, 1},
    {ErrorCode::not_initialised, "NotInitialised", JobState::failed, 1},
};

class AnErrorCode : public TestWithParam<Row> {};

TEST_P(AnErrorCode, HasTheContractsName) {
  EXPECT_EQ(name_of(GetParam().code), GetParam().name);
  EXPECT_EQ(error_code_named(GetParam().name), GetParam().code);
}

TEST_P(AnErrorCode, IsReadBackFromItsNameOnTheBus) {
  EXPECT_EQ(error_code_of_dbus(dbus_name_of(GetParam().code)), GetParam().code);
}

TEST_P(AnErrorCode, EndsAJobAsTheContractSays) {
  EXPECT_EQ(end_state_of(GetParam().code), GetParam().ends_as);
}

TEST_P(AnErrorCode, GivesTheContractsExitStatus) {
  EXPECT_EQ(exit_status_of(GetParam().code), GetParam().exit_status);
}

INSTANTIATE_TEST_SUITE_P(EachOne, AnErrorCode, ValuesIn(contract),
                         [](const auto& row) { return row.param.name; });

TEST(TheErrorTable, IsInTheOrderOfItsEnumAndComplete) {
  for (std::size_t i = 0; i < contract.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(contract[i].code), i);
  EXPECT_ANY_THROW(name_of(static_cast<ErrorCode>(contract.size())));
}

TEST(TheErrorTable, HasEveryNameOnce) {
  std::set<std::string_view> names;
  for (const auto& row : contract)
    names.insert(name_of(row.code));

  EXPECT_EQ(names.size(), contract.size());
}

TEST(AnErrorOnTheBus, HasOurPrefixOrTheFreedesktopsOwn) {
  EXPECT_EQ(dbus_name_of(ErrorCode::wwid_mismatch), "org.volgrow.Agent1.Error.WwidMismatch");
  EXPECT_EQ(dbus_name_of(ErrorCode::invalid_args), "org.freedesktop.DBus.Error.InvalidArgs");
  EXPECT_EQ(dbus_name_of(ErrorCode::limits_exceeded), "org.freedesktop.DBus.Error.LimitsExceeded");
}

TEST(AnErrorOfTheBusItself, MeansTheDaemonCannotBeAsked) {
  for (const auto* name : {"ServiceUnknown", "NameHasNoOwner", "NoReply", "Disconnected",
                           "FileNotFound", "Timeout", "UnknownMethod"})
    EXPECT_EQ(error_code_of_dbus(std::string("org.freedesktop.DBus.Error.") + name),
              ErrorCode::unreachable);
  EXPECT_EQ(error_code_of_dbus("org.freedesktop.DBus.Error.AccessDenied"),
            ErrorCode::not_authorized);
}

TEST(AnUnknownErrorName, IsInternal) {
  EXPECT_EQ(error_code_of_dbus("org.volgrow.Agent1.Error.Oops"), ErrorCode::internal);
  EXPECT_EQ(error_code_of_dbus("org.freedesktop.DBus.Error.Oops"), ErrorCode::internal);
  EXPECT_EQ(error_code_of_dbus("com.example.WwidMismatch"), ErrorCode::internal);
  EXPECT_EQ(error_code_of_dbus(""), ErrorCode::internal);
  EXPECT_EQ(error_code_named(""), std::nullopt);
  EXPECT_EQ(error_code_named("wwidmismatch"), std::nullopt);
}

struct StateRow {
  JobState state;
  std::string name;
  int exit_status;
};

class AJobState : public TestWithParam<StateRow> {};

TEST_P(AJobState, HasTheContractsNameAndExitStatus) {
  EXPECT_EQ(name_of(GetParam().state), GetParam().name);
  EXPECT_EQ(job_state_named(GetParam().name), GetParam().state);
  EXPECT_EQ(exit_status_of(GetParam().state, std::nullopt), GetParam().exit_status);
}

INSTANTIATE_TEST_SUITE_P(
    EachOne, AJobState,
    Values(StateRow{JobState::running, "running", 0}, StateRow{JobState::complete, "complete", 0},
           StateRow{JobState::unchanged, "unchanged", 0},
           StateRow{JobState::degraded, "degraded", 3}, StateRow{JobState::refused, "refused", 6},
           StateRow{JobState::failed, "failed", 1}, StateRow{JobState::timed_out, "timed-out", 5},
           StateRow{JobState::cancelled, "cancelled", 8}));

TEST(AnUnknownJobState, IsNone) {
  EXPECT_EQ(job_state_named("timed_out"), std::nullopt);
  EXPECT_EQ(job_state_named(""), std::nullopt);
}

TEST(AFailedJob, ExitsByItsError) {
  EXPECT_EQ(exit_status_of(JobState::failed, ErrorCode::no_such_volume), 4);
  EXPECT_EQ(exit_status_of(JobState::failed, ErrorCode::size_mismatch), 1);
  EXPECT_EQ(exit_status_of(JobState::refused, ErrorCode::ambiguous_volume), 2);
  EXPECT_EQ(exit_status_of(JobState::refused, ErrorCode::wwid_mismatch), 6);
}

TEST(AJobThatEndedOtherwise, ExitsByItsState) {
  EXPECT_EQ(exit_status_of(JobState::degraded, ErrorCode::path_hung), 3);
  EXPECT_EQ(exit_status_of(JobState::timed_out, ErrorCode::size_mismatch), 5);
  EXPECT_EQ(exit_status_of(JobState::cancelled, ErrorCode::cancelled), 8);
}

TEST(AnError, IsToldFromOneLevelUp) {
  const auto error = Error{ErrorCode::busy, "Device or resource busy", "sda", EBUSY};

  EXPECT_EQ(Error(error).during("rescan sda"),
            (Error{ErrorCode::busy, "rescan sda: Device or resource busy", "sda", EBUSY}));
}

TEST(ASystemFailure, NamesItsErrnoInWords) {
  const Result<int> result = system_failure(ENXIO, "open /dev/sda", "sda");

  EXPECT_EQ(result.error(),
            (Error{ErrorCode::internal, "open /dev/sda: No such device or address", "sda", ENXIO}));
}

TEST(AFailure, HasNoErrno) {
  const Result<int> result = failure(ErrorCode::busy, "held", "sda");

  EXPECT_EQ(result.error(), (Error{ErrorCode::busy, "held", "sda", 0}));
}

}  // namespace
}  // namespace volgrow
