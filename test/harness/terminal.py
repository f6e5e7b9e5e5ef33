# SPDX-License-Identifier: Apache-2.0
"""Runs a program in a terminal of its own: standard input is what is typed, standard output is the screen.

The exit status is the program's, as a shell tells it.
"""

import os
import pty
import sys

status = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:]))
sys.exit(status if status >= 0 else 128 - status)
