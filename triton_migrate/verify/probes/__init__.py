"""What runs inside the application that `record` starts, and the port that `verify` starts: this folder is on their PYTHONPATH.

The tool imports nothing of it but this.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
PLAN, OBSERVED = (
    "TRITON_MIGRATE_PROBES",
    "TRITON_MIGRATE_OBSERVED",
)  # variables of its environment, as the modules beside this one name them
CALLS = "TRITON_MIGRATE_CALLS"
