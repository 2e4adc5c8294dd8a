// SPDX-License-Identifier: Apache-2.0
// Ids and object paths, both ways.
#include "dbus/object_path.h"

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <cstdlib>
#include <memory>

#include "dbus/server.h"

namespace volgrow::bus {
namespace {

std::string encoded_by_systemd(const std::string& id) {
  char* path = nullptr;
  if (sd_bus_path_encode("/org/volgrow/Agent1/volumes", id.c_str(), &path) < 0) return {};
  const std::unique_ptr<char, decltype(&std::free)> owned(path, &std::free);
  return path;
}

const std::string ids[] = {"vol-1",       "0b36ecf5-3a2b-4e2c-8a35-6f2f6a8d0c11",
                           "A.b_c",       "9",
                           "_",           "",
                           "naa.6001405", "../../etc/shadow",
                           "a/b",         "ünïcode",
                           "\x01\x7f"};

TEST(AVolumePath, IsWhatSystemdMakesOfTheId) {
  for (const auto& id : ids)
    EXPECT_EQ(volume_path(id), encoded_by_systemd(id)) << id;
}

TEST(AVolumePath, LeadsBackToTheId) {
  for (const auto& id : ids)
    EXPECT_EQ(volume_at(volume_path(id)), id);
}

TEST(AVolumePath, IsNotReadFromAnythingElse) {
  const std::string parent = "/org/volgrow/Agent1/volumes";
  for (const auto* rest : {"", "/", "/a/b", "x/a", "/a_", "/a_2", "/a_zz", "/_+1"})
    EXPECT_EQ(volume_at(parent + rest), std::nullopt) << rest;
  EXPECT_EQ(volume_at("/org/volgrow/Agent1/jobs/1"), std::nullopt);
}

TEST(AJobPath, HoldsTheNumberAndNothingElse) {
  EXPECT_EQ(job_path(17), "/org/volgrow/Agent1/jobs/17");
  EXPECT_EQ(job_at("/org/volgrow/Agent1/jobs/4294967295"), 4294967295U);

  for (const auto* path : {"/", "/org/volgrow/Agent1/jobs/", "/org/volgrow/Agent1/jobs/x",
                           "/org/volgrow/Agent1/jobs/1x", "/org/volgrow/Agent1/jobs/-1",
                           "/org/volgrow/Agent1/jobs/4294967296", "/org/volgrow/Agent1/volumes/1"})
    EXPECT_EQ(job_at(path), std::nullopt) << path;
}

}  // namespace
}  // namespace volgrow::bus
