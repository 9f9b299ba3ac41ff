"""`python -m tests.fuzz`: so many cases of every kind, or as many as fit into so many minutes."""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from fuzz import child, kinds  # noqa: E402 - tests find each other from their folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=40, help="of each kind (default: 40)")
    parser.add_argument("--minutes", type=float, help="as many cases as fit, in place of --cases")
    parser.add_argument("--kind", action="append", choices=kinds.KINDS, help="these alone (repeatable)")
    parser.add_argument("--number", type=int, help="this case alone, and what it said")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the files of cases that fail there")
    arguments = parser.parse_args()
    chosen = arguments.kind or list(kinds.KINDS)
    _import_all()
    failures = cases = 0
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else None
    with tempfile.TemporaryDirectory(prefix="mcu-harness-fuzz-") as name:
        scratch = Path(name)
        kinds.prepare(scratch)
        numbers = itertools.count() if until else range(arguments.cases)
        for number in numbers if arguments.number is None else [arguments.number]:
            if until and time.monotonic() > until:
                break
            for kind in chosen:
                cases += 1
                folder = scratch / f"{kind}-{number}"
                folder.mkdir()
                case = kinds.KINDS[kind](folder, random.Random(f"{arguments.seed}/{kind}/{number}"))
                ended = child.run(case.words, folder, set(case.asked))
                if arguments.number is not None:
                    print(
                        f"{' '.join(case.words)}: {ended.status}, {ended.cpu_s:.1f} s, {ended.resident_bytes >> 20} MiB\n{ended.said}"
                    )
                if said := child.wrong(ended, set(case.asked)):
                    failures += 1
                    print(
                        f"FAIL --seed {arguments.seed} --kind {kind} --number {number}: {said}: {' '.join(case.words)}"
                    )
                    print("".join(f"    {line}\n" for line in ended.said.splitlines()[-12:]), flush=True)
                    if arguments.keep:
                        shutil.copytree(folder, arguments.keep / folder.name, dirs_exist_ok=True)
                shutil.rmtree(folder)
    print(f"{cases} cases, {failures} failures")
    return 1 if failures or not cases else 0


def _import_all() -> None:
    """What every command needs, before children are made: each has it then for nothing."""
    import mcu_harness.app.pipeline
    import mcu_harness.emulator.unicorn.emulator
    import mcu_harness.results.report.html.page  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
