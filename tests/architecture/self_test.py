#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every check can fail: each is given a small tree that breaks its rule, and one that keeps it."""

import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import checks  # noqa: E402
from checks.functions import lengths  # noqa: E402
from checks.outcome import CannotRun  # noqa: E402
from tables import CONTRACT  # noqa: E402
from tree import Tree, code_of  # noqa: E402

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n// What this is.\n"
LONG_BODY = "  ++n;\n" * 40


def interface_xml(contract):
    """The contract as introspection XML."""
    lines = ["<node>"]
    for interface, kinds in contract.items():
        lines.append(f'<interface name="{interface}">')
        for name, (taken, given) in kinds.get("methods", {}).items():
            lines.append(f'<method name="{name}"><arg type="{taken}" direction="in"/>'
                         f'<arg type="{given}" direction="out"/></method>')
        for name, signature in kinds.get("signals", {}).items():
            lines.append(f'<signal name="{name}"><arg type="{signature}"/></signal>')
        for name, signature in kinds.get("properties", {}).items():
            lines.append(f'<property name="{name}" type="{signature}" access="read"/>')
        lines.append("</interface>")
    return "\n".join([*lines, "</node>"])


# check -> (path, text) of one file that breaks the rule, as often as there are ways to break it
BROKEN = {
    "include-graph": [
        ("core/a.h", '#include "agent/journal.h"\n'),
        ("stack/a.cpp", '#include "dbus/server.h"\n'),
        ("cli/a.cpp", '#include "dbus/server.h"\n'),
        ("core/a.h", '#include "core/not_there.h"\n'),
        ("core/a.h", '#include "b.h"\n'),
        ("newcomer/a.h", "int a();\n"),
    ],
    "third-party-headers": [
        ("agent/a.cpp", "#include <sdbus-c++/sdbus-c++.h>\n"),
        ("dbus/a.h", "#include <sdbus-c++/sdbus-c++.h>\n"),
        ("core/a.cpp", "#include <nlohmann/json.hpp>\n"),
        ("stack/a.cpp", "#include <unistd.h>\n"),
        ("core/a.cpp", "#include <sqlite3.h>\n"),
        ("core/a.cpp", "#include <boost/optional.hpp>\n"),
        ("core/a.cpp", "#include <gtest/gtest.h>\n"),
        ("agent/a.cpp", '#include "agent1_proxy.h"\n'),
    ],
    "headers-alone": [
        ("core/a.h", LICENCE + "#pragma once\nstd::string a();\n"),
        ("core/a.h", LICENCE + "struct A {};\n"),
    ],
    "licence-and-purpose": [
        ("core/a.h", "#pragma once\n"),
        ("core/a.h", "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n"),
        ("scripts/a", "#!/bin/bash\n# Does a thing.\n"),
        ("scripts/a", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\nset -e\n"),
    ],
    "no-developer-paths": [
        ("docs/a.md", "run /" + "home/somebody/volgrow/scripts/test\n"),
        ("core/a.cpp", 'auto a = "/' + 'root/volumes";\n'),
    ],
    "merged": [
        ("docs/a.md", "<" * 7 + " HEAD\none\n" + "=" * 7 + "\nother\n" + ">" * 7 + " 1234567\n"),
    ],
    "names": [
        ("core/a.h", "class JobManager {};\n"),
        ("core/a.h", "enum class StepInfo { a };\n"),
        ("core/a.h", "using JobData = int;\n"),
        ("core/string_utils.h", "int a();\n"),
        ("tests/fakes/bus_helper.h", "int a();\n"),
    ],
    "no-programs": [
        ("agent/a.cpp", 'void a() { system("x"); }\n'),
        ("agent/zygote.cpp", 'void a() { ::execve("x", nullptr, nullptr); }\n'),
        ("core/a.cpp", "auto a = ::popen(b, c);\n"),
        ("agent/a.cpp", "const auto child = fork();\n"),
        ("agent/a.cpp", "const auto child = ::syscall(SYS_clone3, &arguments, sizeof arguments);\n"),
    ],
    "no-sleeps": [
        ("agent/a.cpp", "void a() { std::this_thread::sleep_for(1s); }\n"),
        ("tests/core/a.cpp", "void a() { ::usleep(10); }\n"),
        ("tests/core/a.cpp", "void a() { sleep(1); }\n"),
    ],
    "owners": [
        ("core/a.cpp", "auto* a = new Thing();\n"),
        ("core/a.cpp", "void b() { delete a; }\n"),
        ("agent/a.cpp", "std::thread a(b);\n"),
        ("connectors/a.cpp", "void b() {\n  ::close(3);\n}\n"),
        ("connectors/a.cpp", "void b() { free(a); }\n"),
    ],
    "function-length": [
        ("core/a.cpp", "int a(int n) {\n" + LONG_BODY + "  return n;\n}\n"),
        ("tests/core/a_test.cpp", "TEST_F(AThing, Works) {\n" + LONG_BODY + "}\n"),
    ],
    "lambda-length": [
        ("core/a.cpp", "auto a = [n](int b) mutable {\n" + "  ++n;\n" * 10 + "};\n"),
        ("core/a.cpp", "void a() {\n  each([&] {\n" + "  ++n;\n" * 10 + "  });\n}\n"),
    ],
    "bus-contract": [
        ("dbus/a.xml", "<node/>"),
        ("dbus/a.xml", interface_xml(CONTRACT).replace('"JobNew"', '"JobAdded"')),
        ("dbus/a.xml", interface_xml(CONTRACT).replace('"a(ssts)"', '"a(sst)"')),
    ],
    "json-and-toml": [
        ("docs/a.json", '{"a": 1,}'),
        ("systemd/agent.toml", "a = = 1\n"),
    ],
    "xml": [("systemd/org.volgrow.Agent1.conf", "<busconfig><policy></busconfig>")],
    "man-pages": [("docs/man/a.1", ".Dd today\n.Dt A 1\n.Sh NAME\n.Bl -tag\n")],
    "shell-scripts": [
        ("scripts/a", "#!/bin/bash\nset -euo pipefail\nrm -rf $HOME/$1\n"),
        ("scripts/a", "#!/bin/bash\nset -e\n"),
    ],
    "links": [("README.md", "[how](docs/HOW.md)\n")],
}

SOUND = {
    "core/a.h": LICENCE + "#pragma once\n#include <string>\nstruct ConnectionInfo {};\n"
                          "/// new, delete, system() and sleep() in a comment are words\n"
                          "inline std::string a() { return \"system(1) new delete\"; }\n",
    "connectors/a.cpp": LICENCE + '#include "core/a.h"\n#include <libudev.h>\n#include <unistd.h>\n'
                                  "struct B { B(const B&) = delete; void close(); };\n"
                                  "std::unique_ptr<B> made(new B);\n"
                                  "struct Free { void operator()(char* a) const { std::free(a); } };\n"
                                  "auto c = [](int n) { return n; };\nint d = shop.system(1);\n",
    "agent/zygote.cpp": LICENCE + "auto child = ::fork();\n",
    "dbus/a.xml": interface_xml(CONTRACT),
    "tests/core/a_test.cpp": LICENCE + '#include "core/a.h"\n#include <gtest/gtest.h>\n'
                                       "struct AnEmptyQueue {};\nTEST(A, B) {}\n",
    "scripts/a": "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n# Does a thing.\n"
                 "set -euo pipefail\necho \"it is done\"\n",
    "docs/a.json": "{}",
    "docs/man/a.1": ".Dd January 1, 2026\n.Dt A 1\n.Os\n.Sh NAME\n.Nm a\n.Nd does a thing\n",
    "README.md": "[a](docs/a.json) [b](https://example.org/b)\n",
}


class Sample:
    """A tree in a directory of its own, gone at the end."""

    def __init__(self, files):
        self._directory = tempfile.TemporaryDirectory(prefix="volgrow-architecture-")
        for name, text in files.items():
            path = Path(self._directory.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def __enter__(self):
        return Tree(self._directory.name)

    def __exit__(self, *_):
        self._directory.cleanup()


def findings_of(check, files):
    with Sample(files) as tree:
        try:
            return checks.ALL[check](tree)
        except CannotRun as reason:
            raise unittest.SkipTest(str(reason))


class ACheck(unittest.TestCase):
    def test_has_a_sample_that_breaks_it(self):
        self.assertEqual(set(BROKEN), set(checks.ALL))

    def test_is_run_by_ctest(self):
        listing = Path(__file__).with_name("CMakeLists.txt").read_text()
        listed = re.search(r"set\(checks ([^)]*)\)", listing).group(1).split()
        self.assertEqual(set(listed), set(checks.ALL))

    def test_finds_every_way_its_rule_is_broken(self):
        for check, samples in BROKEN.items():
            for path, text in samples:
                with self.subTest(check=check, path=path, text=text):
                    self.assertTrue(findings_of(check, {path: text}))

    def test_finds_nothing_in_a_sound_tree(self):
        for check in checks.ALL:
            with self.subTest(check=check):
                self.assertEqual(findings_of(check, SOUND), [])


class CodeWithoutComments(unittest.TestCase):
    def test_keeps_its_lines(self):
        text = 'int a;  // one "\n/* two\n three */ auto b = R"x(a\n)" b)x"; char c = \'"\';\nint d = 1\'0;'
        self.assertEqual(code_of(text).count("\n"), text.count("\n"))

    def test_keeps_code_between_digit_separators(self):
        self.assertIn("new Thing", code_of("int a = 1'000; auto b = new Thing; int c = 1'000;"))


class LongestFunctions(unittest.TestCase):
    def test_come_first_and_by_their_whole_length(self):
        with Sample({"core/a.cpp": "int a() {\n  return 1;\n}\nint b() {\n\n  return 1;\n}\n"}) as tree:
            self.assertEqual([(n, name) for n, _, _, name in lengths(tree, tree.cpp)],
                             [(4, "b"), (3, "a")])


if __name__ == "__main__":
    unittest.main()
