# SPDX-License-Identifier: Apache-2.0
"""The architecture as data: who may include whom, and where a library may be named.

docs/ARCHITECTURE.md explains these tables; the checks only compare the tree with them. A new folder,
a new dependency or a new exception is one line here, with its reason beside it.
"""

# What each folder may include of the product, by "folder/" or by one header.
FOLDERS = {
    "core": ("core/",),
    "connectors": ("core/", "connectors/"),
    "stack": ("core/", "connectors/", "stack/"),
    "dbus": ("core/", "dbus/"),
    "service": ("core/", "service/"),
    "agent": ("core/", "service/", "connectors/", "stack/", "dbus/", "agent/"),
    # The CLI is a client of the bus; --direct runs connectors and stack in its own process.
    "cli": ("core/", "dbus/client.h", "dbus/service.h", "connectors/", "stack/", "cli/"),
    "http": ("core/", "http/"),
    # HTTP to D-Bus and back, nothing else: of dbus/ only what a client with an event loop needs.
    "relay": ("core/", "service/", "http/", "dbus/async_client.h", "dbus/service.h", "relay/"),
    "backend": ("core/", "service/", "backend/"),
    # What control needs of the back end's program: its protocol, its settings, its client.
    "control": ("core/", "service/", "http/", "backend/protocol.h", "backend/settings.h", "backend/client.h",
                "control/"),
    "tests": ("core/", "connectors/", "stack/", "dbus/", "service/", "agent/", "cli/", "http/", "relay/", "backend/",
              "control/", "tests/"),
}

# Folders that hold the product's own C++; everything else with C++ in it is tests.
PRODUCT = ("core", "service", "connectors", "stack", "dbus", "agent", "cli", "http", "relay", "backend", "control")

# Headers made at build time; they are dbus/'s and live in no source folder.
GENERATED_HEADERS = r"agent1_(adaptor|proxy)\.h"

# Third-party headers: pattern of the header -> files that may name it. tests/ may name all of them.
THIRD_PARTY = {
    # std::format does not exist in g++ 12; database.h is for .cpp files only and says so.
    r"fmt/": ("*/*.cpp", "service/database.h"),
    r"nlohmann/": ("core/json.cpp",),
    r"systemd/sd-event\.h": ("core/event_loop.cpp",),
    r"systemd/sd-daemon\.h": ("core/event_loop.cpp", "agent/*.cpp",  # readiness, watchdog
                               "backend/listener.cpp"),  # sockets handed over
    r"systemd/sd-(journal|id128)\.h": ("service/*.cpp",),
    r"systemd/sd-bus\.h": ("dbus/*.cpp",),  # sd_bus_path_encode: sdbus-c++ offers none
    r"sdbus-c\+\+/": ("dbus/*.cpp",),
    GENERATED_HEADERS: ("dbus/*.cpp",),
    r"libudev\.h": ("connectors/*.cpp",),
    r"iscsi/": ("connectors/iscsi_probe.cpp",),  # a library of its own: volgrowd has no network
    r"spdlog/": ("service/log.cpp",),
    r"soci/": ("service/database.*",),
    r"toml\+\+/": ("service/settings.cpp",),
    r"crypt\.h": ("control/rest/password_lane.cpp",),  # bcrypt
    r"prometheus/": ("control/metrics.cpp",),
    r"malloc\.h": ("control/extends.cpp",),  # malloc_trim(3), glibc's
    r"CLI/": ("cli/syntax.cpp",),  # a header that takes seconds to compile
    r"microhttpd\.h": ("http/server.cpp",),
    r"gnutls/": ("http/peer_certificate.cpp", "control/rest/http_basic.cpp"),  # whom a client's certificate names: libmicrohttpd does not say
    r"curl/": ("http/curl_client.cpp",),
    r"(gtest|gmock|benchmark)/": (),
}

# Operating-system headers. stack/ is pure: it names only those that compute on values.
SYSTEM_HEADER = (r"(sys|linux|scsi|net|netinet|arpa|asm)/[\w./]+|"
                 r"(dirent|endian|errno|fcntl|fnmatch|getopt|grp|ifaddrs|limits|mntent|netdb|poll|pthread|pwd|"
                 r"sched|semaphore|signal|spawn|stdio|stdlib|string|syslog|termios|time|unistd)\.h")
PURE_SYSTEM_HEADER = r"sys/(stat|sysmacros|types)\.h|endian\.h"
PURE_FOLDERS = ("stack",)

# Words no type or file is named after (house style, rule 1), and the names that keep one with reason.
FORBIDDEN_WORDS = {
    "manager", "helper", "helpers", "util", "utils", "utility", "handler", "data", "info", "impl",
    "base",
}
KEPT_NAMES = {
    "ManagerProperties": "of the D-Bus interface Manager",
    "ManagerProxy": "of the D-Bus interface Manager",
    "ConnectionInfo": "Cinder's word",
    "connection_info": "Cinder's word",
}

# Files that may fork; and nobody may exec.
FORKERS = {
    "agent/zygote.cpp": "makes the workers",
    "cli/apart.cpp": "--direct in a child, so that a step stuck in the kernel does not hold the terminal",
}

# Files that may call close(2).
CLOSERS = {
    "core/fd.h": "the owner type itself",
    "core/fd.cpp": "the owner type itself",
    "cli/apart.cpp": "the standard streams of a process that ends",
}

LONGEST_FUNCTION = 40
LONGEST_LAMBDA = 10

# org.volgrow.Agent1 as promised to other programs. Adding is fine, renaming is not: the XML in dbus/
# must contain all of this with exactly these signatures.
CONTRACT = {
    "org.volgrow.Agent1.Manager": {
        "methods": {
            "VolumeChanged": ("sta{sv}", "o"),
            "Extend": ("sta{sv}", "o"),
            "Plan": ("sta{sv}", "s"),
            "Explain": ("sa{sv}", "s"),
            "Rescan": ("asa{sv}", "ao"),
            "Register": ("ssa{sv}", "o"),
            "Unregister": ("sa{sv}", ""),
        },
        "signals": {"JobNew": "uo", "JobRemoved": "uos", "VolumeResized": "stts"},
        "properties": {
            "Version": "s", "Stragglers": "u", "OutboxDepth": "u", "StuckWorkers": "u",
            "Multipathd": "s",
        },
    },
    "org.volgrow.Agent1.Volume": {
        "properties": {
            "Id": "s", "Wwid": "s", "Kind": "s", "Device": "s", "Size": "t", "TargetSize": "t",
            "State": "s", "Paths": "a(ssts)", "LastJob": "o",
        },
    },
    "org.volgrow.Agent1.Job": {
        "methods": {"Wait": ("u", "ss"), "Cancel": ("a{sv}", "")},
        "properties": {
            "Id": "u", "Operation": "s", "VolumeId": "s", "State": "s", "Phase": "s", "Result": "s",
            "ErrorName": "s", "ErrorMessage": "s", "StartedByUid": "u", "StartedAt": "t",
        },
    },
    "org.volgrow.Agent1.Outbox": {
        "methods": {"List": ("u", "a(ts)"), "Acknowledge": ("at", "")},
    },
}
