"""What unit test frameworks print, read as cases: each framework's own shape of output, with what surrounds it."""

from __future__ import annotations

import pytest

from mcu_harness.app.live.unit_test_output import Outcome, UnitTestOutput

P, F, S = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED

OUTPUTS = {
    "unity": (
        """boot
test/test_math.c:12:test_adds:PASS
a line of the test's own
test/test_math.c:20:test_divides:FAIL: Expected 2 Was 3
test/test_math.c:30:test_later:IGNORE: not yet
-----------------------
3 Tests 1 Failures 1 Ignored
FAIL""",
        [("test_adds", P), ("test_divides", F), ("test_later", S)],
    ),
    "unity's fixtures": (
        """TEST(Math, adds) PASS
TEST(Math, divides)test/math.c:20:TEST(Math, divides):FAIL: Expected 2 Was 3
IGNORE_TEST(Math, later) IGNORE
2 Tests 0 Failures 1 Ignored""",
        [("Math.adds", P), ("Math.later", S)],
    ),
    "cpputest": (
        """TEST(Math, divides)
tests/math.cpp:20: error: Failure in TEST(Math, divides)
\texpected <2>
\tbut was  <3>

 - 0 ms
TEST(Math, adds) - 1 ms
IGNORE_TEST(Math, later) - 0 ms
tests/math.cpp:31: error: Failure in TEST(Math, rounds)
\tCHECK(false) failed
TEST(Math, rounds) - 0 ms

Errors (1 failures, 4 tests, 3 ran, 6 checks, 1 ignored, 0 filtered out, 1 ms)""",
        [("Math.adds", P), ("Math.later", S), ("Math.rounds", F)],
    ),
    "googletest": (
        """[==========] Running 3 tests from 1 test suite.
[ RUN      ] Math.Adds
[       OK ] Math.Adds (0 ms)
\x1b[0;32m[ RUN      ] \x1b[mMath.Divides
tests/math.cc:20: Failure
Expected equality of these values:
[  FAILED  ] Math.Divides (1 ms)
[ RUN      ] Param/Math.Later/0
[  SKIPPED ] Param/Math.Later/0 (0 ms)
[==========] 3 tests from 1 test suite ran. (1 ms total)
[  FAILED  ] 1 test, listed below:
[  FAILED  ] Math.Divides""",
        [("Math.Adds", P), ("Math.Divides", F), ("Param/Math.Later/0", S)],
    ),
    "ztest": (
        """*** Booting Zephyr OS build v3.6.0 ***
Running TESTSUITE math
START - test_adds
 PASS - test_adds in 0.001 seconds
START - test_divides
    Assertion failed at src/main.c:20: math_test_divides: (2 not equal to 3)
 FAIL - test_divides in 0.002 seconds
START - test_later
 SKIP - test_later in 0.001 seconds
TESTSUITE math failed.
PROJECT EXECUTION FAILED""",
        [("test_adds", P), ("test_divides", F), ("test_later", S)],
    ),
}


@pytest.mark.parametrize("framework", OUTPUTS)
def test_cases_of_each_framework(framework: str) -> None:
    text, expected = OUTPUTS[framework]
    output = UnitTestOutput()
    ended = [case for line in text.split("\n") if (case := output.line(line + "\r")) is not None]
    assert [(case.name, case.outcome) for case in ended] == expected
    assert output.is_over
    assert output.running == ""


def test_the_lines_of_a_case_are_what_was_printed_for_it() -> None:
    output = UnitTestOutput()
    ended = {}
    for line in OUTPUTS["googletest"][0].split("\n"):
        if case := output.line(line):
            ended[case.name] = case.lines
    assert ended["Math.Divides"] == (
        "[ RUN      ] Math.Divides",
        "tests/math.cc:20: Failure",
        "Expected equality of these values:",
        "[  FAILED  ] Math.Divides (1 ms)",
    )


def test_a_case_under_way_is_known_where_the_framework_says_so() -> None:
    output = UnitTestOutput()
    output.line("[ RUN      ] Math.Adds")
    output.line("something")
    assert output.running == "Math.Adds"
    assert output.pending == ("[ RUN      ] Math.Adds", "something")
    assert not output.is_over


def test_other_output_is_no_case() -> None:
    output = UnitTestOutput()
    for line in ("PASS", "main.c:12: warning: PASS", "TEST", "12:30:00:PASSED", " - ", "[ OK ] no name", ""):
        assert output.line(line) is None
