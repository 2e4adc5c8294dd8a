# SPDX-License-Identifier: Apache-2.0
"""A Cinder driver for tests: sparse files, and one file of wishes (JSON) that is read at every call.

extend: "ok", "fail", "hold" (until it is something else), "target-update-failed".
"""

import json
import os
import pathlib

import eventlet
from oslo_config import cfg

from cinder import exception, interface
from cinder.volume import driver

OPTIONS = [cfg.StrOpt("volume_directory"), cfg.StrOpt("wishes"), cfg.BoolOpt("in_use_extend", default=True),
           cfg.IntOpt("gigabytes", default=1000)]
cfg.CONF.register_opts(OPTIONS, group="backend_defaults")


@interface.volumedriver
class FileVolumes(driver.VolumeDriver):
    VERSION = "1"
    CI_WIKI_NAME = "none"

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.configuration.append_config_values(OPTIONS)

    def do_setup(self, context):
        os.makedirs(self.configuration.volume_directory, exist_ok=True)

    def check_for_setup_error(self):
        pass

    def _wish(self):
        wishes = pathlib.Path(self.configuration.wishes)
        return json.loads(wishes.read_text())["extend"] if wishes.exists() else "ok"

    def _path(self, volume):
        return f"{self.configuration.volume_directory}/{volume['id']}"

    def create_volume(self, volume):
        with open(self._path(volume), "wb") as file:
            file.truncate(volume["size"] << 30)

    def delete_volume(self, volume):
        pathlib.Path(self._path(volume)).unlink(missing_ok=True)

    def extend_volume(self, volume, new_size):
        while self._wish() == "hold":
            eventlet.sleep(0.05)
        if self._wish() == "fail":
            raise exception.ExtendVolumeError(reason="so wished")
        os.truncate(self._path(volume), int(new_size) << 30)
        if self._wish() == "target-update-failed":
            raise exception.TargetUpdateFailed(volume_id=volume["id"])

    def _update_volume_stats(self):
        pool = {"pool_name": self.configuration.volume_backend_name, "reserved_percentage": 0,
                "free_capacity_gb": self.configuration.gigabytes, "total_capacity_gb": self.configuration.gigabytes,
                "multiattach": True, "thick_provisioning_support": True, "thin_provisioning_support": False,
                "online_extend_support": self.configuration.in_use_extend}
        self._stats = {"volume_backend_name": self.configuration.volume_backend_name, "vendor_name": "volgrow",
                       "driver_version": self.VERSION, "storage_protocol": "file", "pools": [pool]}

    def initialize_connection(self, volume, connector):
        """Like volgrow's file driver, but without a loop device."""
        data = {"device_path": self._path(volume), "discard": False, "volume_id": volume["id"]}
        return {"driver_volume_type": "local", "data": data}

    def terminate_connection(self, volume, connector, **_):
        pass

    def get_pool(self, volume):
        return self.configuration.volume_backend_name

    def create_export(self, context, volume, connector):
        return {}

    def ensure_export(self, context, volume):
        return {}

    def remove_export(self, context, volume):
        pass
