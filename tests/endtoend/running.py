"""Run a Python file with the settings of the environment: ``python -m tests.endtoend.running``."""

import runpy
import sys

if __name__ == "__main__":
    runpy.run_path(sys.argv[1], run_name="program")
