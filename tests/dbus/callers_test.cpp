// SPDX-License-Identifier: Apache-2.0
// The books about callers, without a bus.
#include "dbus/callers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace volgrow::bus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeBusDaemon final : public BusDaemon {
 public:
  std::vector<std::string> log;
  bool full = false;

  Result<void> watch(const std::string& name) override {
    if (full) return failure(ErrorCode::limits_exceeded, "no more match rules");
    log.push_back("watch " + name);
    return {};
  }
  void stop_watching(const std::string& name) override { log.push_back("stop " + name); }
  void ask_credentials(const std::string& name) override { log.push_back("ask " + name); }
};

class Callbook : public ::testing::Test {
 protected:
  Callers::Call heard(std::string what) {
    return [this, what](const Result<Caller>& caller) {
      answers.push_back(what + (caller ? " by uid " + std::to_string(caller->uid)
                                       : " " + std::string(name_of(caller.error().code))));
    };
  }

  FakeBusDaemon daemon;
  Callers callers{daemon};
  std::vector<std::string> answers;
};

TEST_F(Callbook, AsksAboutAStrangerOnceAndServesTheCallsInOrder) {
  callers.identify(":1.5", heard("first"));
  callers.identify(":1.5", heard("second"));
  EXPECT_THAT(answers, IsEmpty());

  callers.identified(":1.5", Caller{":1.5", 1000, {}});
  callers.identify(":1.5", heard("third"));

  EXPECT_THAT(answers, ElementsAre("first by uid 1000", "second by uid 1000", "third by uid 1000"));
  EXPECT_THAT(daemon.log, ElementsAre("watch :1.5", "ask :1.5"));
}

TEST_F(Callbook, ForgetsWhoLeftAndDropsWhatItAsked) {
  callers.identify(":1.5", heard("first"));

  callers.left(":1.5");
  callers.identified(":1.5", Caller{":1.5", 1000, {}});

  EXPECT_THAT(answers, IsEmpty());
  EXPECT_THAT(daemon.log, ElementsAre("watch :1.5", "ask :1.5", "stop :1.5"));
}

TEST_F(Callbook, RefusesAndForgetsACallerNobodyVouchesFor) {
  callers.identify(":1.5", heard("first"));

  callers.identified(":1.5", failure(ErrorCode::not_authorized, "who?"));
  callers.identify(":1.5", heard("second"));

  EXPECT_THAT(answers, ElementsAre("first NotAuthorized"));
  EXPECT_THAT(daemon.log,
              ElementsAre("watch :1.5", "ask :1.5", "stop :1.5", "watch :1.5", "ask :1.5"));
}

TEST_F(Callbook, RefusesACallerItCannotWatch) {
  daemon.full = true;

  callers.identify(":1.5", heard("first"));

  EXPECT_THAT(answers, ElementsAre("first LimitsExceeded"));
  EXPECT_THAT(daemon.log, IsEmpty());
}

class TheBookOfOpenCalls : public ::testing::Test {
 protected:
  std::shared_ptr<int> answer = std::make_shared<int>(1);
  OpenCalls calls;

  std::vector<std::uint64_t> fill(const std::string& caller) {
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < OpenCalls::per_caller; ++i)
      numbers.push_back(calls.open(caller, answer).value());
    return numbers;
  }
};

TEST_F(TheBookOfOpenCalls, TakesOnlySoManyFromOneCaller) {
  fill(":1.5");

  EXPECT_EQ(calls.open(":1.5", answer).error().code, ErrorCode::limits_exceeded);
  EXPECT_TRUE(calls.open(":1.6", answer));
}

TEST_F(TheBookOfOpenCalls, TakesAnotherWhenOneWasAnswered) {
  const auto numbers = fill(":1.5");

  calls.close(numbers.front());
  calls.close(numbers.front());  // a second time changes nothing

  EXPECT_TRUE(calls.open(":1.5", answer));
  EXPECT_FALSE(calls.open(":1.5", answer));
}

TEST_F(TheBookOfOpenCalls, LetsGoOfTheAnswersOfACallerThatLeft) {
  const auto numbers = fill(":1.5");
  EXPECT_TRUE(calls.open(":1.6", answer));

  calls.drop(":1.5");
  calls.close(numbers.front());

  EXPECT_EQ(answer.use_count(), 2);  // ours and that of :1.6
  fill(":1.5");
}

}  // namespace
}  // namespace volgrow::bus
