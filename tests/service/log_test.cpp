// SPDX-License-Identifier: Apache-2.0
// The log's two forms, and that nothing a stranger wrote reaches either of them as it was.
#include "service/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>
#include <vector>

#include "core/fd.h"

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class AStreamLog : public testing::Test {
 protected:
  std::ostringstream out;
  std::unique_ptr<Log> log = stream_log(out, LogLevel::info);
};

TEST_F(AStreamLog, WritesALineWithItsFields) {
  log->warning("path did not answer", {{field::job, "17"}, {field::device, "sda"}});
  log->error("no fields here");

  EXPECT_EQ(out.str(),
            "warning: path did not answer [VOLGROW_JOB=17 VOLGROW_DEVICE=sda]\n"
            "error: no fields here\n");
}

TEST_F(AStreamLog, KeepsForeignTextOnItsLine) {
  log->info("name is \"a\nerror: forged\x1b[31m\"", {{field::volume, "v\r\n\xff"}});

  EXPECT_EQ(out.str(),
            "info: name is \"a\\x0aerror: forged\\x1b[31m\" [VOLGROW_VOLUME=v\\x0d\\x0a\\xff]\n");
}

TEST_F(AStreamLog, LeavesBracesAndPercentSignsAlone) {
  log->info("{} {0} %v %n");

  EXPECT_EQ(out.str(), "info: {} {0} %v %n\n");
}

TEST_F(AStreamLog, TellsNothingBelowItsLevel) {
  log->debug("unseen");
  log->set_level(LogLevel::error);
  log->warning("unseen too");
  log->set_level(LogLevel::debug);
  log->debug("seen");

  EXPECT_EQ(out.str(), "debug: seen\n");
}

class AJournalLog : public testing::Test {
 protected:
  int keep(const iovec* parts, int count) {
    std::vector<std::string> entry;
    for (int i = 0; i < count; ++i)
      entry.emplace_back(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    entries.push_back(entry);
    return 0;
  }

  std::vector<std::vector<std::string>> entries;
  std::unique_ptr<Log> log = journal_log(
      "volgrowd", [this](const iovec* parts, int count) { return keep(parts, count); },
      LogLevel::info);
};

TEST_F(AJournalLog, SendsSentencePriorityAndFields) {
  log->warning("path did not answer", {{field::job, "17"}, {field::error, "PathHung"}});

  EXPECT_THAT(entries,
              ElementsAre(UnorderedElementsAre("MESSAGE=path did not answer", "PRIORITY=4",
                                               "SYSLOG_IDENTIFIER=volgrowd", "VOLGROW_JOB=17",
                                               "VOLGROW_ERROR=PathHung")));
}

TEST_F(AJournalLog, GivesOneEventsFieldsToNoOther) {
  log->set_level(LogLevel::warning);
  log->info("unseen", {{field::job, "1"}});
  log->error("seen");

  EXPECT_THAT(entries, ElementsAre(UnorderedElementsAre("MESSAGE=seen", "PRIORITY=3",
                                                        "SYSLOG_IDENTIFIER=volgrowd")));
}

TEST_F(AJournalLog, KeepsForeignTextInItsField) {
  log->info("a\nPRIORITY=0", {{field::volume, "v\nVOLGROW_JOB=1"}});

  EXPECT_THAT(entries, ElementsAre(UnorderedElementsAre("MESSAGE=a\\x0aPRIORITY=0", "PRIORITY=6",
                                                        "SYSLOG_IDENTIFIER=volgrowd",
                                                        "VOLGROW_VOLUME=v\\x0aVOLGROW_JOB=1")));
}

TEST_F(AJournalLog, SurvivesAJournalThatDoesNot) {
  auto deaf = journal_log(
      "volgrowd", [](const iovec*, int) { return -ENOENT; }, LogLevel::info);

  deaf->error("nobody hears this");

  EXPECT_THAT(entries, IsEmpty());
}

TEST(TheJournalStream, IsRecognisedByDeviceAndInode) {
  const Fd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  struct stat status {};
  ::fstat(file.get(), &status);

  EXPECT_TRUE(
      is_journal_stream(file.get(), fmt::format("{}:{}", status.st_dev, status.st_ino).c_str()));
  EXPECT_FALSE(is_journal_stream(file.get(),
                                 fmt::format("{}:{}", status.st_dev, status.st_ino + 1).c_str()));
  EXPECT_FALSE(is_journal_stream(file.get(), nullptr));
  EXPECT_FALSE(is_journal_stream(-1, "0:0"));
}

TEST(LogLevels, AreNamedAndFoundByName) {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error})
    EXPECT_EQ(log_level_named(name_of(level)), level);
  EXPECT_EQ(log_level_named("loud"), std::nullopt);
}

}  // namespace
}  // namespace volgrow
