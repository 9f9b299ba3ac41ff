"""Coverage of all runs together in the formats that other tools read: lcov's tracefile, and Cobertura's XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from mcu_harness import __version__
from mcu_harness.base.errors import ResultsError
from mcu_harness.base.text import one_line
from mcu_harness.results.coverage_records import (
    BranchCoverage,
    Coverage,
    FileCoverage,
    Share,
    branches_of,
    functions_of,
    lines_of,
    merged,
)
from mcu_harness.results.records import Results


def coverage_of(results: Results) -> Coverage:
    """What ran in any of the runs; raises ResultsError where coverage was asked of none."""
    found = [run.coverage for run in results.runs if run.coverage is not None]
    if not found:
        raise ResultsError("no run has coverage", hint="run with --coverage, or pytest with --mcu-coverage")
    return merged(found)


def lcov(results: Results) -> str:
    """An lcov tracefile (geninfo(1), "TRACEFILE FORMAT")."""
    return "".join(f"{line}\n" for file in coverage_of(results).files for line in _lcov_lines(file))


def _lcov_lines(file: FileCoverage) -> Iterator[str]:
    yield "TN:"
    yield f"SF:{one_line(file.path)}"
    for function in file.functions:
        yield f"FN:{function.line},{_name(function.name)}"
    for function in file.functions:
        yield f"FNDA:{function.count},{_name(function.name)}"
    yield from _found_and_hit("FN", functions_of([file]))
    for branch in file.branches:
        for way, count in enumerate((branch.taken, branch.not_taken)):
            ran = branch.taken or branch.not_taken
            yield f"BRDA:{branch.line},{branch.number},{way},{count if ran else '-'}"
    yield from _found_and_hit("BR", branches_of([file]))
    for line in file.lines:
        yield f"DA:{line.line},{line.count}"
    yield from _found_and_hit("L", lines_of([file]))
    yield "end_of_record"


def _found_and_hit(what: str, share: Share) -> Iterator[str]:
    yield f"{what}F:{share.total}"
    yield f"{what}H:{share.covered}"


def _name(name: str) -> str:
    """A function's name without what ends a field."""
    return one_line(name).replace(",", ";")


def cobertura(results: Results) -> str:
    """Cobertura XML (coverage-04.dtd): a package a folder, a class a file, paths from the working directory.

    Reports have no clock times: the time stamp is 0.
    """
    coverage = coverage_of(results)
    root = ET.Element("coverage", {**_rates(coverage.files), **_totals(coverage), "complexity": "0"})
    root.attrib |= {"version": f"mcu-harness {__version__}", "timestamp": "0"}
    ET.SubElement(ET.SubElement(root, "sources"), "source").text = Path.cwd().as_posix()
    packages = ET.SubElement(root, "packages")
    folders: dict[str, list[FileCoverage]] = defaultdict(list)
    for file in coverage.files:
        folders[str(PurePosixPath(file.path).parent)].append(file)
    for folder, files in folders.items():
        name = one_line(folder)
        package = ET.SubElement(packages, "package", {"name": name, **_rates(files), "complexity": "0"})
        classes = ET.SubElement(package, "classes")
        for file in files:
            _class(classes, file)
    ET.indent(root, " ")
    head = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n'
    return head + ET.tostring(root, encoding="unicode") + "\n"


def _class(classes: ET.Element, file: FileCoverage) -> None:
    path = one_line(file.path)
    attributes = {"name": PurePosixPath(path).name, "filename": path, **_rates([file]), "complexity": "0"}
    made = ET.SubElement(classes, "class", attributes)
    methods = ET.SubElement(made, "methods")
    for function in file.functions:
        rate = "1.0" if function.count else "0.0"
        attributes = {"name": one_line(function.name), "signature": "", "line-rate": rate, "branch-rate": rate}
        method = ET.SubElement(methods, "method", {**attributes, "complexity": "0"})
        inner = ET.SubElement(method, "lines")
        ET.SubElement(inner, "line", {"number": str(function.line), "hits": str(function.count), "branch": "false"})
    branches: dict[int, list[BranchCoverage]] = defaultdict(list)
    for branch in file.branches:
        branches[branch.line].append(branch)
    lines = ET.SubElement(made, "lines")
    for line in file.lines:
        element = ET.SubElement(lines, "line", {"number": str(line.line), "hits": str(line.count), "branch": "false"})
        if line.line in branches:
            _conditions(element, branches[line.line])


def _conditions(element: ET.Element, branches: list[BranchCoverage]) -> None:
    ways = [bool(way) for branch in branches for way in (branch.taken, branch.not_taken)]
    element.attrib |= {
        "branch": "true",
        "condition-coverage": f"{100 * sum(ways) // len(ways)}% ({sum(ways)}/{len(ways)})",
    }
    conditions = ET.SubElement(element, "conditions")
    for branch in branches:
        share = f"{50 * (bool(branch.taken) + bool(branch.not_taken))}%"
        ET.SubElement(conditions, "condition", {"number": str(branch.number), "type": "jump", "coverage": share})


def _rates(files: Iterable[FileCoverage]) -> dict[str, str]:
    files = list(files)
    rates = {"line-rate": lines_of(files).fraction, "branch-rate": branches_of(files).fraction}
    return {name: f"{1.0 if rate is None else rate:.4f}" for name, rate in rates.items()}


def _totals(coverage: Coverage) -> dict[str, str]:
    shares = {"lines": coverage.lines, "branches": coverage.branches}
    return {
        f"{name}-{what}": str(getattr(share, field))
        for name, share in shares.items()
        for what, field in (("covered", "covered"), ("valid", "total"))
    }
