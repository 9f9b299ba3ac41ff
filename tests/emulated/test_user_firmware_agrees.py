"""Firmware of the user's own, run as it is: Renode and the embedded emulator find out the same, bit for bit.

What is found out is asserted in test_user_firmware.py; here, that both emulators do. Nothing in these programs knows
the harness.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mcu_harness.app.options import Options
from mcu_harness.app.prepare_firmware import prepare
from mcu_harness.app.session import Session
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import DialogueStep, FirmwareSpec, Region
from mcu_harness.scenario.scenario import scenario_for_firmware
from user_firmware import build, tool

pytestmark = [pytest.mark.gnu, pytest.mark.renode, pytest.mark.usefixtures("renode_install")]
BOARD = "stm32f4_discovery"


@dataclasses.dataclass(frozen=True)
class Firmware:
    """A program, how to build it, and what is expected of each run: `options` by verdict and codes of findings."""

    code: str
    runs: tuple[tuple[dict[str, object], str, tuple[str, ...]], ...]
    build: dict[str, object] = dataclasses.field(default_factory=dict)


SQUARES = """
volatile int total;
__attribute__((noinline)) int square(int x) { return x * x; }
__attribute__((noinline)) int sum(int n) { int s = 0; for (int i = 0; i < n; i++) s += square(i); return s; }
__attribute__((used, noinline)) void never(void) { total = 1; }
int main(void) { for (int i = 1; i <= 5; i++) total = sum(10 * i); END }
"""
FIB = """
volatile int r;
int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(void) { r = fib(10); r = fib(10); return 0; }
"""
HEAP = """
#include <stdlib.h>
#include <string.h>
volatile char c;
__attribute__((noinline)) void deep(void) {
    volatile char local[2000]; memset((char *)local, 1, sizeof local); c = local[3];
}
int main(void) {
    volatile char *p = malloc(20000); p[19999] = 1; free((void *)p);
    p = malloc(100); deep(); return p == 0;
}
"""
FAILED = """
#include <stdlib.h>
void failed(void) { for (;;) { } }
int main(void) { failed(); }
"""
SEMIHOSTING = """
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
volatile double two = 2;
int main(void) {
    printf("%d %.6f %s\\n", 42, sqrt(two), "text");
    printf("%d %d\\n", (int)clock(), (int)time(NULL));
    printf("%d\\n", fopen("no-such-file", "r") == NULL);
    exit(STATUS);
}
"""
ASK = """
#include <stdio.h>
int main(void) { char line[40]; puts("name?"); fgets(line, sizeof line, stdin); printf("hello %s", line); return 0; }
"""
# Commands end with '%'.
ECHO_ANYWHERE = """
#include <stdint.h>
#define W(at) (*(volatile uint32_t *)(BASE + (at)))
#define B(at) (*(volatile uint8_t *)(BASE + (at)))
volatile int total;
__attribute__((noinline)) int work(int n) { int s = 0; for (int i = 0; i < n; i++) s += i ^ total; return s; }
static int get(void) { while (!(FULL)) { } return GET; }
static void put(const char *s) { while (*s) { while (!(FREE)) { } PUT = *s++; } }
int main(void) {
    INIT;
    put("m-ready\\r\\n");
    for (;;) {
        int n = 0, c = get();
        if (c == 'i') { while ((c = get()) != '%') n = n * 10 + c - '0'; for (int i = 0; i < n; i++) total = work(100); }
        else while (c != '%') c = get();
        put("m-ready\\r\\n");
    }
}
"""
USART2 = {
    "BASE": "0x40004400", "INIT": "W(0x0C) = 1 << 13 | 1 << 3 | 1 << 2", "FULL": "W(0x00) & 0x20", "GET": "W(0x04)",
    "FREE": "W(0x00) & 0x80", "PUT": "W(0x04)",
}  # fmt: skip
ECHO = "".join(f"#define {name} {value}\n" for name, value in USART2.items()) + ECHO_ANYWHERE
# Consoles that can be read, one board for each: board, core, flash, and the registers as C expressions.
CONSOLES = {
    "stm32_usart_v2": (
        "nucleo_g071rb", "cortex-m0plus", 0x0800_0000,
        {"INIT": "W(0x00) = 1 << 3 | 1 << 2 | 1", "FULL": "W(0x1C) & 1 << 5", "GET": "W(0x24)",
         "FREE": "W(0x1C) & 1 << 7", "PUT": "W(0x28)"},
    ),
    "sam_sercom_usart": (
        "arduino_zero", "cortex-m0plus", 0,
        {"INIT": "B(6) = 3; B(0) = 2", "FULL": "B(0x18) & 4", "GET": "B(0x28)",
         "FREE": "B(0x18) & 1", "PUT": "B(0x28)"},
    ),
    "nxp_lpuart": (
        "mimxrt1064_evk", "cortex-m7", 0x7000_2000,
        {"INIT": "W(0x18) = 3 << 18", "FULL": "W(0x14) & 1 << 21", "GET": "W(0x1C) & 0xFF",
         "FREE": "W(0x14) & 1 << 23", "PUT": "W(0x1C)"},
    ),
    "kinetis_uart": (
        "frdm_k64f", "cortex-m4", 0x800,
        {"INIT": "B(3) = 0xC", "FULL": "B(4) & 0x20", "GET": "B(7)", "FREE": "B(4) & 0x80", "PUT": "B(7)"},
    ),
    "pl011": (
        "zolertia_firefly", "cortex-m3", 0x0020_0000,
        {"INIT": "W(0x30) = 3 << 8 | 1", "FULL": "!(W(0x18) & 1 << 4)", "GET": "W(0x00) & 0xFF",
         "FREE": "!(W(0x18) & 1 << 5)", "PUT": "W(0x00)"},
    ),
}  # fmt: skip
READY = DialogueStep("", "m-ready")
DIFFER = ("firmware.windows-differ",)
RDIMON = {"specs": "rdimon", "libraries": ["-lm"]}

FIRMWARE = {
    "windows": Firmware(
        SQUARES.replace("END", "return 0;"),
        (
            ({}, "pass", ()),
            ({"begin": "sum"}, "pass", DIFFER),
            ({"begin": "sum", "regions": (Region("inner", ("squ*",)),)}, "pass", DIFFER),
            ({"begin": "main", "end": "sum"}, "pass", ()),
            # square() comes many times before each sum(), and the last is followed by none.
            ({"begin": "square", "end": "sum"}, "pass", ("firmware.open-windows", "firmware.reentered-windows", *DIFFER)),
            ({"begin": "never"}, "fail", ("run.stopped-early",)),
            ({"begin": "sum", "end": "never"}, "fail", ("run.stopped-early",)),
            ({"stop": "square"}, "pass", ()),
            ({"begin": "sum", "stop": "main"}, "fail", ("run.stopped-early",)),
            ({"begin": "sum", "stop_after": 900}, "pass", ("firmware.end", "firmware.open-windows", *DIFFER)),
        ),
        {"flags": ["-Wl,--undefined=never"]},
    ),
    "recursion": Firmware(
        FIB,
        (({"begin": "fib"}, "pass", ()),),
        {"flags": ["-O2", "-fno-optimize-sibling-calls", "-fno-inline"]},
    ),
    "main-returns-a-status": Firmware("int main(void) { return 5; }", (({}, "fail", ("run.status",)),)),
    "main-waits": Firmware(SQUARES.replace("END", "for (;;) { }"), (({}, "pass", ("firmware.end",)),)),
    "main-sleeps": Firmware(
        SQUARES.replace("END", 'for (;;) __asm__ volatile("wfi");'), (({}, "pass", ("firmware.end",)),)
    ),
    "main-is-busy": Firmware(
        SQUARES.replace("END", "for (;;) { total = sum(3); }"),
        (
            *(({"stop_after": n}, "pass", ("firmware.end",)) for n in (40, 500, 10_000, 10_001, 50_007, 3_000_000)),
            ({"begin": "sum", "stop_after": 100_000}, "pass", ("firmware.end", *DIFFER)),
        ),
    ),
    "a-failed-check": Firmware(FAILED, (({}, "fail", ("run.endless-loop",)),), {"flags": ["-fno-inline"]}),
    "heap": Firmware(HEAP, (({}, "pass", ()), ({"begin": "deep"}, "pass", ()))),
    "semihosting": Firmware(SEMIHOSTING.replace("STATUS", "0"), (({}, "pass", ()),), RDIMON),
    "semihosting-status": Firmware(SEMIHOSTING.replace("STATUS", "7"), (({}, "fail", ("run.status",)),), RDIMON),
    "semihosting-dialogue": Firmware(
        ASK,
        (
            ({"dialogue": (DialogueStep("", "name?"), DialogueStep("world\n", "hello world"))}, "pass", ()),
            (
                {"dialogue": (DialogueStep("", "name?"), DialogueStep("world\n", "hello world", measure=True))},
                "pass",
                (),
            ),
        ),
        RDIMON,
    ),
    "dialogue": Firmware(
        ECHO,
        (
            ({"dialogue": (READY, DialogueStep("name%", "m-ready"), DialogueStep("i10%", "m-ready", True))}, "pass", ()),
            ({"dialogue": (READY, DialogueStep("i110%", "m-ready", True, 110))}, "pass", ()),
            (
                {"dialogue": (READY, *(DialogueStep(f"i{n}%", "m-ready", True) for n in (1, 20, 3)))},
                "pass",
                (),
            ),
            ({"begin": "work", "dialogue": (READY, DialogueStep("i10%", "m-ready"))}, "pass", ()),
            (
                {"stop_after": 100_000, "dialogue": (READY, DialogueStep("x%", "m-done"))},
                "fail",
                ("run.stopped-early",),
            ),
        ),
    ),
}  # fmt: skip


# What never comes to an end by itself, or goes wrong on the way: (code, options, what the finding says).
MISHAPS = {
    "jump-to-nowhere-in-a-window": (
        "__attribute__((noinline, noipa)) void lost(void) { ((void (*)(void))0x60000001)(); }\n"
        "int main(void) { lost(); return 0; }",
        {"begin": "lost"},
        "it jumps to 0x60000000, where no code can be",
    ),
    "a-limit-after-the-program-fell-asleep": (
        'int main(void) { __asm__ volatile("wfi"); return 0; }',
        {"stop_after": 1_000_000},
        "it waits for an interrupt (WFI), and none can come",
    ),
    "a-receiver-that-is-never-read": (
        "volatile int n; int main(void) { for (;;) n++; }",
        {"stop_after": 100_000, "dialogue": (DialogueStep("hello", "world"),)},
        "the program has not read 'hello' of 'hello'",
    ),
    "a-wait-for-input-that-nobody-sends": (
        ECHO,
        {"stop_after": 300_000, "dialogue": (READY, DialogueStep("i1", "m-ready"))},
        "step 2 of 2 of the console dialogue: 'm-ready' did not come",
    ),
    "a-program-that-ends-in-the-middle-of-a-dialogue": (
        ECHO.replace("for (;;) {", "for (int k = 0; k < 1; k++) {"),
        {"dialogue": (READY, DialogueStep("i1%", "m-done", True))},
        "the program ended in step 2 of 2 of the console dialogue: 'm-done' did not come",
    ),
}


def both(session: Session, image: Path, options: dict[str, object], board: str = BOARD) -> tuple[RunResult, RunResult]:
    spec = FirmwareSpec(image=str(image), **options)  # type: ignore[arg-type]
    (case,) = cases_of(scenario_for_firmware(image, (board,), spec))
    one, other = (session.run(case, Options(emulator=name), gated=False) for name in ("renode", "unicorn"))
    return one, other


def figures(result: RunResult) -> dict[str, object]:
    """All that a run has found out, without the name of who has counted it."""
    plain = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    plain["measurements"] = {name: (m.value, m.unit) for name, m in result.measurements.items()}
    del plain["emulator"], plain["provenance"]
    return plain


def differences(one: RunResult, other: RunResult) -> dict[str, object]:
    mine, theirs = figures(one), figures(other)
    return {key: (value, theirs[key]) for key, value in mine.items() if value != theirs[key]}


@pytest.mark.parametrize("name", FIRMWARE)
def test_both_emulators_find_out_the_same(session: Session, tmp_path: Path, name: str) -> None:
    firmware = FIRMWARE[name]
    elf = build(tmp_path, firmware.code, **firmware.build)  # type: ignore[arg-type]
    for options, verdict, codes in firmware.runs:
        one, other = both(session, elf, options)
        assert (one.verdict, tuple(finding.code for finding in one.findings)) == (verdict, codes), options
        assert differences(one, other) == {}, options
        assert (one.value("instructions") or 0) > 0 or verdict == "fail", options


@pytest.mark.parametrize("driver", CONSOLES)
def test_every_console_that_can_be_read_takes_part_in_a_dialogue(session: Session, tmp_path: Path, driver: str) -> None:
    name, cpu, flash, registers = CONSOLES[driver]
    board = find_board(name)
    assert board.console.driver == driver
    defines = "".join(f"#define {key} {value}\n" for key, value in registers.items())
    code = f"#define BASE {board.console.base:#x}\n{defines}{ECHO_ANYWHERE}"
    image = build(tmp_path, code, cpu=cpu, flash=flash, flash_size=64 << 10, ram_size=16 << 10)
    # To the end of the line: Renode's SERCOM cannot send while there is something to read.
    steps = (("", False), ("name%", False), ("i10%", True))
    dialogue = tuple(DialogueStep(send, "m-ready\r\n", measure) for send, measure in steps)
    one, other = both(session, image, {"dialogue": dialogue, "stop_after": 1_000_000}, name)
    assert (one.verdict, one.console) == ("pass", 3 * "m-ready\r\n"), one.findings
    assert differences(one, other) == {}


def test_images_without_symbols_too(session: Session, tmp_path: Path) -> None:
    elf = build(tmp_path, SQUARES.replace("END", "return 0;"))
    tool("objcopy", tmp_path, "-O", "ihex", elf.name, "image.hex")
    tool("objcopy", tmp_path, "-O", "binary", elf.name, "image.bin")
    for name in ("image.hex", "image.bin"):
        one, other = both(session, tmp_path / name, {})
        assert [finding.code for finding in one.findings] == ["run.endless-loop"]
        assert differences(one, other) == {}


def test_programs_without_a_vector_table_and_with_one_elsewhere(session: Session, tmp_path: Path) -> None:
    code = '#include <stdio.h>\nint main(void) { puts("no table"); return 0; }'
    elf = build(tmp_path, code, specs="rdimon")  # makes sure that there is a newlib
    flags = ["-mcpu=cortex-m4", "-mthumb", "--specs=rdimon.specs", "-Wl,-Ttext=0x08000000,-Tdata=0x20000000"]
    tool("gcc", tmp_path, *flags, elf.with_suffix(".c").name, "-o", "plain.elf")
    one, other = both(session, tmp_path / "plain.elf", {})
    assert (one.console, [finding.code for finding in one.findings]) == ("no table\n", ["firmware.no-vectors"])
    assert differences(one, other) == {}
    elsewhere = build(tmp_path, SQUARES.replace("END", "return 0;"), flash=0x0800_8000, name="elsewhere")
    one, other = both(session, elsewhere, {"begin": "sum"})
    assert one.verdict == "pass"
    assert differences(one, other) == {}


@pytest.mark.parametrize("name", MISHAPS)
def test_mishaps_end_and_are_said_in_the_same_words(session: Session, tmp_path: Path, name: str) -> None:
    code, options, said = MISHAPS[name]
    one, other = both(session, build(tmp_path, code), options)
    assert said in one.findings[0].message
    assert said in other.findings[0].message
    # Which instruction a jump to nowhere came from is known to the embedded emulator alone.
    assert set(differences(one, other)) <= {"findings"}


def test_without_a_profile_the_same_is_counted(renode: RenodeEmulator, tmp_path: Path) -> None:
    image = build(tmp_path, ECHO)
    dialogue = (READY, DialogueStep("i10%", "m-ready", True), DialogueStep("i3%", "m-ready", True))
    for options in ({"dialogue": dialogue}, {"begin": "work", "dialogue": (READY, DialogueStep("i10%", "m-ready"))}):
        spec = FirmwareSpec(image=str(image), **options)  # type: ignore[arg-type]
        (case,) = cases_of(scenario_for_firmware(image, (BOARD,), spec))
        firmware = prepare(case, spec, lambda _: None)
        plan = dataclasses.replace(firmware.plan, profile=False)
        one, other = (each.run(firmware.program, case.board, plan) for each in (renode, UnicornEmulator()))
        assert len(one.window_instructions) > 1
        for field in ("reason", "detail", "pc", "console", "window_instructions", "window_stack", "stack_bytes"):
            assert getattr(one, field) == getattr(other, field), field
