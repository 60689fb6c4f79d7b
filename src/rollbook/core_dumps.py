"""Keep the memory of our processes, which contains students' data and keys, out of files."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4  # of <linux/prctl.h>


def turn_off() -> None:
    """Write no core file if this process, or one that it starts, crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def protect_memory() -> None:
    """Let no program that collects crashes, and no other process of this account, read it.

    It also hides the environment of this process in /proc, except from root. A process that this
    one starts is not protected until it calls this itself.
    """
    turn_off()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
