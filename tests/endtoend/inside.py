"""Command prefixes that take away from a process what a test must not let it do."""

import os
import sys

_WITHOUT_ROOT = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    if ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
"""

_ON_A_FULL_DISK = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
os.execv(sys.argv[1], sys.argv[1:])
"""

OBEYING_MODES = [sys.executable, "-c", _WITHOUT_ROOT] if os.geteuid() == 0 else []
"""The process can't open what the mode of a file forbids, even where tests run as root."""

ON_A_FULL_DISK = [sys.executable, "-c", _ON_A_FULL_DISK]
"""The system refuses each byte that the process writes to a file."""
