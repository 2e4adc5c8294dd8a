# SPDX-License-Identifier: Apache-2.0
"""Nova's fake driver, which says in one line of JSON each what volume it was told to extend, and to how much.

It does what a file of wishes (JSON, read at every call) says: extend "ok", "fail" or "unsupported".
"""

import json
import os
import pathlib

from nova import exception
from nova.virt import fake

WISHES = pathlib.Path(os.environ["VOLGROW_TEST_WISHES"])
EXTENDED = pathlib.Path(os.environ["VOLGROW_TEST_EXTENDED"])


class TellingDriver(fake.SmallFakeDriver):
    capabilities = {**fake.SmallFakeDriver.capabilities, "supports_extend_volume": True}

    def extend_volume(self, context, connection_info, instance, requested_size):
        said = {"instance": instance.uuid, "volume": connection_info["serial"], "bytes": requested_size}
        with EXTENDED.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")
        wish = json.loads(WISHES.read_text())["extend"] if WISHES.exists() else "ok"
        if wish == "fail":
            raise exception.VolumeExtendFailed(volume_id=connection_info["serial"], reason="so wished")
        if wish == "unsupported":
            raise exception.ExtendVolumeNotSupported()
