"""Print a table of every pair of the corpus: ``python tests/corpus/run.py [CORPUS] [more arguments of run_all.py]``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    given = sys.argv[1:]
    here = Path(given.pop(0)) if given and not given[0].startswith("-") else HERE.parents[2] / "shared" / "corpus"
    if not here.is_dir():
        print(f"There is no corpus at {here}; name its directory: make corpus CORPUS=path/to/corpus")
        return 2
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, str(here / "harness" / "run_all.py"), "--subject", str(HERE / "subject.py")]
        return subprocess.run([*command, "--out", f"{results}/trueup.jsonl", *given], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
