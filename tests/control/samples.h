// SPDX-License-Identifier: Apache-2.0
// Volumes, attachments and the like as tests of control/ want them, and a database of their own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "control/store.h"
#include "core/uuid.h"

namespace volgrow::control {

inline const std::string some_project = "9f5d0f5cb4c94f19a2ed6b7f9a1f0b11";

inline WallTime at_second(int second) {
  return WallTime(std::chrono::seconds(1'790'000'000 + second));
}

/// Of the type that is used without one; the number in its id is the second it was made in.
inline Volume a_volume(const std::string& id, Gib size = 1, const std::string& type = "t0") {
  Volume volume;
  volume.id = id;
  volume.project_id = some_project;
  volume.user_id = "alice";
  volume.size = size;
  volume.status = VolumeStatus::available;
  volume.type_id = type;
  volume.backend = "fast";
  volume.availability_zone = "nova";
  volume.created_at = at_second(id.back() - '0');
  return volume;
}

inline VolumeType a_type(const std::string& id) {
  VolumeType type;
  type.id = id;
  type.name = id + " name";
  type.created_at = at_second(0);
  return type;
}

inline Extend an_extend(const std::string& volume, Gib from, Gib to) {
  Extend extend;
  extend.volume_id = volume;
  extend.project_id = some_project;
  extend.type_id = "t0";
  extend.user_id = "alice";
  extend.request_id = "req-1";
  extend.previous_status = VolumeStatus::in_use;
  extend.old_size = from;
  extend.new_size = to;
  extend.started_at = at_second(1);
  return extend;
}

inline Attachment an_attachment(const std::string& id, const std::string& volume,
                                const std::string& host) {
  Attachment attachment;
  attachment.id = id;
  attachment.volume_id = volume;
  attachment.project_id = some_project;
  attachment.instance_uuid = "instance-of-" + id;
  attachment.attached_host = host;
  attachment.mountpoint = "/dev/vdb";
  attachment.attach_status = AttachStatus::attached;
  attachment.attach_mode = "rw";
  attachment.connector = Value::Object{{"host", host}};
  attachment.connection_info = Value::Object{{"driver_volume_type", "local"}};
  attachment.created_at = at_second(2);
  return attachment;
}

inline Delivery a_delivery(const std::string& volume) {
  Delivery delivery;
  delivery.receiver = "nova";
  delivery.volume_id = volume;
  delivery.project_id = some_project;
  delivery.request_id = "req-1";
  delivery.events = {{"a1", "i1"}, {"a2", "i2"}};
  delivery.due = delivery.created_at = at_second(1);
  return delivery;
}

/// A database in a directory that goes away with it.
struct StoreOnDisk {
  StoreOnDisk() : directory(std::filesystem::temp_directory_path() / ("volgrow-" + new_uuid())) {
    std::filesystem::create_directory(directory);
    reopen();
  }
  StoreOnDisk(const StoreOnDisk&) = delete;
  StoreOnDisk& operator=(const StoreOnDisk&) = delete;
  ~StoreOnDisk() {
    store.reset();
    std::filesystem::remove_all(directory);
  }

  /// As after a restart: what was not committed is gone.
  void reopen() {
    store.reset();
    auto opened = Store::open(directory / "control.sqlite");
    if (!opened) throw std::runtime_error(opened.error().message);
    store = std::move(*opened);
  }

  std::filesystem::path directory;
  std::unique_ptr<Store> store;
};

}  // namespace volgrow::control
