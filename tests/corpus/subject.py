"""trueup as a subject of the corpus harness: migrate one database to one version's models through the command line.

The harness judges the whole database and knows only its own bookkeeping names, so the history table gets one of these,
every table counts as the application's own, and backups go where the harness does not look.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DECISIONS = Path(__file__).parent / "decisions"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--metadata", required=True)
    parser.add_argument("--config", help="a trueup.toml with the decisions for this pair")
    options = parser.parse_args()
    environment = os.environ | {"TRUEUP_HISTORY_TABLE": "trueup_history", "TRUEUP_OWNED_TABLES": "*"}
    with tempfile.TemporaryDirectory(prefix="trueup-corpus-") as backups:
        command = [sys.executable, "-m", "trueup", "--auto", "--policy", "full", "--json"]
        command += ["--url", options.url, "--models", options.metadata, "--backup-dir", backups]
        command += ["--config", options.config] if options.config else []
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
