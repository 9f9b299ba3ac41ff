"""The heap over time: what the firmware's allocator is asked for, in both emulators alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_boards import live_board
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.kept import KeptEmulators
from mcu_harness.results.report import heap_section
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.scenario import scenario_for_firmware
from user_firmware import build

pytestmark = pytest.mark.gnu

BOARD = "stm32f4_discovery"
# 100 + 10 x 8 bytes, 40 more for the first, all of it freed but the 80, and 3 GiB that nobody has.
CODE = """
#include <stdlib.h>
void *volatile kept;
volatile int done;
__attribute__((noinline)) void work(void) {
    char *first = malloc(100);
    kept = calloc(10, 8);
    first = realloc(first, 140);
    free(first);
    free(malloc(0xC0000000u));
    done = 1;
}
int main(void) { work(); return 0; }
"""
COURSE = [100, 180, 220, 80]


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("heap"), CODE, flags=("-fno-builtin",))


@pytest.fixture
def emulators() -> Iterator[KeptEmulators]:
    kept = KeptEmulators()
    yield kept
    kept.close()


def test_a_timeline_counts_what_is_on_the_heap(
    elf: Path, emulators: KeptEmulators, emulator_name: str, tmp_path: Path
) -> None:
    with live_board(elf, BOARD, emulators=emulators, emulator=emulator_name) as board:
        board.run_until("main")
        with board.timeline(tmp_path / "t.json", ["work"], heap=True):
            board.run_for("1 ms")
        assert board.read("done", "u32") == 1
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert [event["args"]["bytes"] for event in events if event["ph"] == "C"] == COURSE
    begun, ended = (event["ts"] for event in events if event["ph"] in "BE")
    assert all(begun < event["ts"] < ended for event in events if event["ph"] == "C")


def test_a_timeline_of_a_heap_that_is_not_there(tmp_path: Path, emulators: KeptEmulators) -> None:
    elf = build(tmp_path, "int main(void) { return 0; }")
    with (
        live_board(elf, BOARD, emulators=emulators) as board,
        pytest.raises(HarnessError, match="the firmware has no malloc"),
        board.timeline("t.json", [], heap=True),
    ):
        pass


def test_results_have_the_course_alike_in_both_emulators(
    elf: Path, session: Session, emulator_name: str, tmp_path: Path
) -> None:
    case = cases_of(scenario_for_firmware(elf, (BOARD,), FirmwareSpec(image=str(elf), begin="work")))[0]
    result = session.run(case, Options(emulator=emulator_name, heap_trace=True))
    use = result.heap
    assert use is not None and result.verdict == "pass", result.findings
    assert [in_use for _, in_use in use.course] == COURSE
    assert (use.peak_bytes, use.left_bytes, use.left_blocks, use.failed, use.unknown) == (220, 80, 1, 1, 0)
    moments = [now for now, _ in use.course]
    assert moments == sorted(moments)
    assert session.run(case, Options(emulator="unicorn", heap_trace=True)).heap == use  # after as many instructions
    assert session.run(case, Options(emulator=emulator_name)).heap is None
    said = "At most 220 B on the heap at once, by 6 calls of the allocator; 80 B in 1 block left at the end; 1 call got nothing"
    assert heap_section.sentence(use) == said
    assert heap_section.chart_path(use).count(" ") == 2 * len(COURSE)
