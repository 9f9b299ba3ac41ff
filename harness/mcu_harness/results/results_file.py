"""results.json: the one record that every other report is a view of. Sorted, indented, no clock times."""

from __future__ import annotations

import json
from pathlib import Path

from mcu_harness.base.errors import ResultsError
from mcu_harness.base.files import write_text
from mcu_harness.base.text import is_plain_name
from mcu_harness.results import json_reader
from mcu_harness.results.older_formats import READ_VERSIONS, from_version_1
from mcu_harness.results.records import Results


def to_text(results: Results) -> str:
    """`results` as JSON text."""
    from cattrs.preconf.json import make_converter

    plain = _whole_numbers(make_converter().unstructure(results))
    return json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _whole_numbers(value: object) -> object:
    """`value` with 5.0 written as 5: what was read back as a float is written as it was the first time."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return value


def save(results: Results, path: Path) -> None:
    """Write `results` to `path` in one step."""
    write_text(path, to_text(results))


def load(path: Path) -> Results:
    """Read `path`; raises ResultsError that names the file and what is wrong in it."""
    return parse(json_reader.read_text(path), str(path))


def parse(text: str, origin: str) -> Results:
    """The results that `text` holds; raises ResultsError that names `origin`."""
    return from_plain(json_reader.parse(text, origin, "give the results.json of a run"), origin)


def from_plain(plain: object, origin: str) -> Results:
    """Parsed JSON as `Results`; raises ResultsError that names `origin` and the first wrong place."""
    version = plain.get("format_version") if isinstance(plain, dict) else None
    if version not in READ_VERSIONS:
        raise ResultsError(
            f"{origin}: format_version is {version!r}, this version reads {' and '.join(map(str, READ_VERSIONS))}",
            hint="make the results again with this version of mcu-harness",
        )
    if version == 1:
        plain = from_version_1(plain)
    results = json_reader.structure(plain, Results, origin, "a results file", "make the results again")
    for run in results.runs:  # reports are named after boards
        if not is_plain_name(run.board):
            raise ResultsError(f"{origin}: {run.board!r} is not the name of a board", hint="make the results again")
    return results
