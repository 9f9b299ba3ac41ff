"""What unit test frameworks for firmware print, read line by line: Unity, CppUTest, GoogleTest, Zephyr's ztest.

Only what says that a case began or ended is looked for; the lines between are what the framework says of it. Formats, as
the frameworks' own sources print them:

- Unity (also Ceedling): "file.c:12:test_name:PASS", "...:FAIL: message", "...:IGNORE"; its fixtures: "TEST(group, name) PASS";
- CppUTest with -v: "TEST(Group, name) - 1 ms", before it "file.cpp:12: error: Failure in TEST(Group, name)";
- GoogleTest: "[ RUN      ] Suite.Name", then "[       OK ]", "[  FAILED  ]" or "[  SKIPPED ]" with the same name;
- ztest: "START - test_name", then " PASS - test_name in 0.001 seconds", FAIL or SKIP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mcu_harness.base.text import one_line


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CaseEnd:
    """A case ended. `lines` are what was printed for it, its own last line included."""

    name: str
    outcome: Outcome
    lines: tuple[str, ...]


_WORDS = {
    "PASS": Outcome.PASSED,
    "OK": Outcome.PASSED,
    "FAIL": Outcome.FAILED,
    "FAILED": Outcome.FAILED,
    "IGNORE": Outcome.SKIPPED,
    "SKIP": Outcome.SKIPPED,
    "SKIPPED": Outcome.SKIPPED,
}
_UNITY = re.compile(r"^(?:[^:]*):\d+:(?P<name>\w+):(?P<word>PASS|FAIL|IGNORE)\b")
_UNITY_FIXTURE = re.compile(r"^(?:IGNORE_)?TEST\((?P<group>\w+), ?(?P<name>\w+)\) ?(?P<word>PASS|FAIL|IGNORE)\b")
_CPPUTEST_FAILURE = re.compile(r": error: Failure in TEST\((?P<group>\w+), ?(?P<name>\w+)\)")
_CPPUTEST = re.compile(r"(?P<ignored>IGNORE_)?TEST\((?P<group>\w+), ?(?P<name>\w+)\) - \d+ ms")
_GTEST = re.compile(r"^\[ *(?P<word>OK|FAILED|SKIPPED) *\] (?P<name>[\w/]+\.[\w/]+)(?: \(\d+ ms\)|,|$)")
_GTEST_RUN = re.compile(r"^\[ RUN +\] (?P<name>[\w/]+\.[\w/]+)")
_ZTEST = re.compile(r"^ ?(?P<word>PASS|FAIL|SKIP) - (?P<name>\w+) in [\d.]+ seconds")
_ZTEST_RUN = re.compile(r"^START - (?P<name>\w+)")
# The last word of each framework: nothing comes after it.
_OVER = re.compile(
    r"^\d+ Tests \d+ Failures \d+ Ignored|^(?:OK|Errors) \(.*\d+ tests|^\[==========\] \d+ tests? .* ran|^PROJECT EXECUTION \w+"
)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


class UnitTestOutput:
    """Takes lines, and says when one of them ends a case."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._failed: set[str] = set()
        self._seen: set[str] = set()
        self.running = ""  # the case that is known to be under way
        self.is_over = False  # whether the framework has said its last word

    @property
    def pending(self) -> tuple[str, ...]:
        """Lines that belong to no case that has ended."""
        return tuple(self._lines)

    def line(self, text: str) -> CaseEnd | None:
        """The next line, without its end."""
        text = one_line(_COLOURS.sub("", text).rstrip("\r").expandtabs())
        self.is_over = self.is_over or bool(_OVER.search(text))
        begun = _GTEST_RUN.match(text) or _ZTEST_RUN.match(text)
        if begun:
            self._lines, self.running = [], begun["name"]
        self._lines.append(text)
        failure = _CPPUTEST_FAILURE.search(text)
        if failure:
            self._failed.add(f"{failure['group']}.{failure['name']}")
            return None
        ended = self._ended(text)
        if ended is None or ended[0] in self._seen:  # GoogleTest lists failed ones once more in the end
            return None
        name, outcome = ended
        self._seen.add(name)
        lines, self._lines, self.running = tuple(self._lines), [], ""
        return CaseEnd(name, outcome, lines)

    def _ended(self, text: str) -> tuple[str, Outcome] | None:
        for pattern in (_UNITY, _ZTEST, _GTEST):
            if match := pattern.match(text):
                return match["name"], _WORDS[match["word"]]
        if match := _UNITY_FIXTURE.match(text):
            return f"{match['group']}.{match['name']}", _WORDS[match["word"]]
        if match := _CPPUTEST.search(text):
            name = f"{match['group']}.{match['name']}"
            if match["ignored"]:
                return name, Outcome.SKIPPED
            return name, Outcome.FAILED if name in self._failed else Outcome.PASSED
        return None
