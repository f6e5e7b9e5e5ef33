#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of script/setup and script/server, in a folder with spaces in its name. The programs that they
call (apt, npm, cmake, the hub) are stand-ins that note how they are called."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

NOTE = '#!/bin/bash\nprintf "%s\\n" "${0##*/} $*" >> "$CALLS"\n'
SUDO = NOTE + 'exec "$@"\n'
FAIL = NOTE + 'echo "the mirror is away"\nexit 100\n'
NPM = NOTE + 'mkdir -p "$3/node_modules"\n'
FETCH = NOTE + "mkdir -p build/third_party/ada-url-4.0.0\ntouch build/third_party/ada-url-4.0.0/ada.h\n"
HUB = NOTE + 'echo "listening on http://$LISTENS"\necho "in $PWD" >> "$CALLS"\n'


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vrelo scripts ")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "a clone"
        self.calls = self.root / "calls"
        (self.root / "script").mkdir(parents=True)
        for name in ["setup", "server"]:
            shutil.copy(ROOT / "script" / name, self.root / "script" / name)
        for folder in ["test", "web/client"]:
            (self.root / folder).mkdir(parents=True)
            (self.root / folder / "package-lock.json").write_text("{}")
        for name in ["apt-get", "caddy", "cmake", "nginx", "node"]:
            self.program("bin/" + name, NOTE)
        self.program("bin/npm", NPM)
        self.program("bin/sudo", SUDO)
        self.program("cmake/ada/fetch", FETCH)
        self.installed("")  # nothing

    def program(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def installed(self, packages):
        """Lets dpkg-query say that `packages` are installed, and `curl` half removed."""
        lines = "".join(f"installed {package} \n" for package in packages.split())
        self.program("bin/dpkg-query", f"#!/bin/bash\ncat << 'END'\n{lines}config-files curl \nEND\n")

    def run_script(self, *command, cwd=None, **environment):
        """Runs a script and returns (exit status, what it printed, what it said, what it called)."""
        self.calls.write_text("")
        result = subprocess.run(
            [self.root / "script" / command[0], *command[1:]],
            cwd=cwd,
            env={
                "PATH": f"{self.root}/bin:/usr/bin:/bin",
                "CALLS": str(self.calls),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        return result.returncode, result.stdout, result.stderr, self.calls.read_text().splitlines()

    def missing_for(self, purpose):
        """Returns what the script installs where there is nothing."""
        self.installed("")
        _, _, said, _ = self.run_script("setup", purpose)
        line = next(line for line in said.splitlines() if "installing ca-certificates" in line)
        return line.partition("installing ")[2]

    def test_setup_installs_what_is_missing_and_says_so(self):
        self.installed(self.missing_for("server").replace(" cmake ", " ").replace(" curl ", " "))
        status, printed, said, calls = self.run_script("setup", "server")
        self.assertEqual((status, printed), (0, ""))
        self.assertIn("script/setup: installing cmake curl\n", said)
        install = "apt-get install --yes --no-install-recommends cmake curl"
        self.assertIn(install, calls)
        by_sudo = [call for call in calls if call.startswith("sudo ")]
        self.assertEqual(len(by_sudo), 0 if os.geteuid() == 0 else 2)

    def test_setup_does_nothing_where_nothing_is_missing(self):
        for purpose in ["server", "test", "long"]:
            with self.subTest(purpose=purpose):
                self.installed(self.missing_for(purpose))
                self.run_script("setup", purpose)
                self.assertEqual(self.run_script("setup", purpose), (0, "", "", []))

    def test_setup_installs_node_packages_again_when_the_lock_file_has_changed(self):
        self.run_script("setup", "test")
        _, _, _, calls = self.run_script("setup", "test")
        self.assertFalse([call for call in calls if call.startswith("npm ")])
        for folder in ["test", "web/client"]:
            with self.subTest(folder=folder):
                (self.root / folder / "package-lock.json").write_text('{"other": 1}')
                _, _, said, calls = self.run_script("setup", "test")
                command = f"npm ci --prefix {folder} --ignore-scripts --no-audit --no-fund"
                npm_calls = [call for call in calls if call.startswith("npm ")]
                self.assertEqual(npm_calls, [command])
                self.assertIn(f"installing the Node packages of {folder}", said)

    def test_setup_shows_why_apt_failed_and_goes_no_further(self):
        self.program("bin/apt-get", FAIL)
        status, _, said, calls = self.run_script("setup", "test")
        self.assertEqual(status, 1)
        self.assertIn("the mirror is away\nscript/setup: apt-get update failed\n", said)
        self.assertFalse([call for call in calls if call.startswith(("npm ", "fetch "))])

    def test_setup_refuses_a_purpose_that_it_does_not_know(self):
        status, _, said, calls = self.run_script("setup", "everything")
        self.assertEqual((status, calls), (2, []))
        self.assertIn("usage: script/setup", said)

    def test_server_starts_the_hub_where_it_is_called_and_passes_arguments_on(self):
        self.program("build/release/vrelo", HUB)
        cwd = self.root / "else where"
        cwd.mkdir()
        status, printed, _, calls = self.run_script(
            "server", "--log", "sqlite:my events.db", cwd=cwd, LISTENS="127.0.0.1:3000"
        )
        self.assertEqual(status, 0)
        self.assertEqual(calls[-2:], ["vrelo serve --log sqlite:my events.db", f"in {cwd}"])
        self.assertIn("cmake --build --preset release --target vrelo", calls)
        self.assertEqual(
            printed,
            "listening on http://127.0.0.1:3000\n"
            "\n"
            "subscribe:  curl -N 'http://127.0.0.1:3000/.well-known/mercure?match=news'\n"
            "publish:    curl -d topic=news -d data='Hello, world'"
            " 'http://127.0.0.1:3000/.well-known/mercure'\n"
            "\n",
        )

    def test_server_prints_an_address_that_can_be_reached(self):
        self.program("build/release/vrelo", HUB)
        for listens, reached in [
            ("0.0.0.0:3000", "'http://127.0.0.1:3000/"),
            ("[::]:3000", "'http://[::1]:3000/"),
            ("[::1]:3000", "'http://[::1]:3000/"),
            ("10.0.0.1:3000", "'http://10.0.0.1:3000/"),
        ]:
            with self.subTest(listens=listens):
                _, printed, _, _ = self.run_script("server", LISTENS=listens)
                self.assertIn(f"curl -N {reached}.well-known/mercure?match=news'\n", printed)

    def test_server_shows_why_the_build_failed_and_starts_nothing(self):
        self.program("build/release/vrelo", HUB)
        self.program("bin/cmake", FAIL)
        status, printed, said, calls = self.run_script("server", LISTENS="127.0.0.1:3000")
        self.assertNotEqual(status, 0)
        self.assertEqual(printed, "")
        self.assertIn("the mirror is away\n", said)
        self.assertFalse([call for call in calls if call.startswith("vrelo ")])


if __name__ == "__main__":
    unittest.main()
