# SPDX-License-Identifier: Apache-2.0
"""Holds a listening socket and starts programs that inherit it, one after the other, as systemd does.

On standard input: one line of JSON for each start, {"argv": [...], "env": {...}, "cwd": "..."}.
The end of standard input ends this program, and the end of this program those that it started.
On standard output: "port N" first; then "pid N" and "exit N STATUS" for each program (a negative status
is the number of a signal), between what the programs themselves write there.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import threading

PR_SET_PDEATHSIG = 1  # prctl(2); Python has no name for it
FIRST_FD = 3  # where a program expects its inherited sockets; see sd_listen_fds(3)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def wait(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    say(f"exit {pid} {os.waitstatus_to_exitcode(status)}")


def start(fd: int, argv: list[str], env: dict[str, str], cwd: str) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.chdir(cwd)
            os.dup2(fd, FIRST_FD)
            os.set_inheritable(FIRST_FD, True)
            os.execve(argv[0], argv, {**env, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
        finally:
            os._exit(127)
    say(f"pid {pid}")
    threading.Thread(target=wait, args=(pid,), daemon=True).start()


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    say(f"port {listener.getsockname()[1]}")
    for line in sys.stdin:
        request = json.loads(line)
        start(listener.fileno(), request["argv"], request["env"], request["cwd"])


main()
