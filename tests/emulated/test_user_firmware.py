"""Firmware of the user's own, built with newlib and run as it is: what ends it, what is measured, what it says.

Nothing in these programs knows the harness.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from firmware_runs import BOARD, SQUARES, calls, codes, run, run_case
from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import BuildError, ElfError
from mcu_harness.scenario.firmware_tables import DialogueStep
from mcu_harness.scenario.scenario import load_scenario
from user_firmware import build, tool

pytestmark = pytest.mark.gnu

# What ends a program.


def test_cpp_with_static_constructors_and_a_heap_runs(tmp_path: Path) -> None:
    code = """
#include <vector>
struct Table { int v[16]; Table() { for (int i = 0; i < 16; i++) v[i] = i * i; } virtual ~Table() {}
               virtual int sum() { int s = 0; for (int x : v) s += x; return s; } };
static Table table;
namespace app { __attribute__((noinline)) int run(Table &t) { std::vector<int> w(100, 2); int s = 0;
                for (int x : w) s += x * t.sum(); return s; } }
int main() { return app::run(table) == 248000 ? 0 : 1; }
"""
    result = run(build(tmp_path, code, language="c++", libraries=["-lstdc++"]))
    assert (result.verdict, codes(result)) == ("pass", [])
    assert calls(result)["Table::sum"] == 100
    assert result.model == "" and result.outputs.oracle == "no expected outputs"
    assert result.toolchain.name == "gcc" and result.toolchain.version


def test_printf_by_semihosting_arrives_and_the_exit_status_counts(tmp_path: Path) -> None:
    code = """
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
volatile double two = 2;
int main(void) { printf("%d %.6f %s\\n", 42, sqrt(two), "text"); exit(STATUS); }
"""
    options = {"specs": "rdimon", "libraries": ["-lm"]}
    result = run(build(tmp_path, code.replace("STATUS", "0"), name="good", **options))  # type: ignore[arg-type]
    assert (result.verdict, result.console) == ("pass", "42 1.414214 text\n")
    result = run(build(tmp_path, code.replace("STATUS", "7"), name="bad", **options))  # type: ignore[arg-type]
    assert (result.verdict, codes(result)) == ("fail", ["run.status"])
    assert "status 7" in result.findings[0].message
    assert result.functions, "a program that ran to its end is shown, whatever it returned"


@pytest.mark.parametrize(
    ("board", "cpu", "fpu"),
    [
        (BOARD, "cortex-m4", "fpv4-sp-d16"),
        ("stm32f746g_disco", "cortex-m7", "fpv5-sp-d16"),
        ("nucleo_h753zi", "cortex-m7", "fpv5-d16"),
        ("nucleo_f103rb", "cortex-m3", ""),
    ],
)
def test_double_precision_is_right_with_and_without_hardware_for_it(
    tmp_path: Path, board: str, cpu: str, fpu: str
) -> None:
    code = """
#include <math.h>
volatile double a = 1.5, b = 2.25, r;
int main(void) {
    for (int i = 0; i < 100; i++) r += a * b / (i + 1) + sqrt(b);
    return r > 167.5073991220 && r < 167.5073991221 ? 0 : 1;
}
"""
    flags = [f"-mfpu={fpu}", "-mfloat-abi=hard"] if fpu else []
    result = run(build(tmp_path, code, cpu=cpu, flags=flags, libraries=["-lm"], ram_size=16 << 10), board)
    assert (result.verdict, codes(result)) == ("pass", [])
    assert ("__muldf3" in calls(result)) == (fpu != "fpv5-d16")


def test_a_program_without_vector_table_starts_at_its_entry(tmp_path: Path) -> None:
    code = '#include <stdio.h>\nint main(void) { puts("no table"); return 0; }'
    elf = build(tmp_path, code, specs="rdimon")  # makes sure that there is a newlib
    flags = ["-mcpu=cortex-m4", "-mthumb", "--specs=rdimon.specs", "-Wl,-Ttext=0x08000000,-Tdata=0x20000000"]
    tool("gcc", tmp_path, *flags, elf.with_suffix(".c").name, "-o", "plain.elf")
    result = run(tmp_path / "plain.elf")
    assert (result.verdict, result.console) == ("pass", "no table\n")
    assert codes(result) == ["firmware.no-vectors"]


def test_main_that_returns_ends_the_program_with_its_value(tmp_path: Path) -> None:
    assert run(build(tmp_path, "int main(void) { return 0; }")).verdict == "pass"
    result = run(build(tmp_path, "int main(void) { return 5; }"))
    assert codes(result) == ["run.status"] and "status 5" in result.findings[0].message


def test_main_that_never_returns_ends_where_it_waits_or_where_told(tmp_path: Path) -> None:
    waiting = build(tmp_path, SQUARES.replace("return 0;", "for (;;) { }"), name="waiting")
    result = run(waiting)
    assert (result.verdict, codes(result)) == ("pass", ["firmware.end"])
    assert "main" in result.findings[0].message
    busy = SQUARES.replace("return 0;", "for (;;) { total = sum(3); }")
    result = run(build(tmp_path, busy, name="busy"), stop_after=10_000)
    assert (result.verdict, codes(result)) == ("pass", ["firmware.end"])
    assert 9_900 < (result.value("instructions") or 0) <= 10_000
    result = run(tmp_path / "busy.elf", stop="square")
    assert result.verdict == "pass" and "square" not in calls(result)


def test_a_failed_check_is_no_regular_end(tmp_path: Path) -> None:
    code = "#include <assert.h>\n#include <stdlib.h>\nvoid failed(void) { for (;;) { } }\nint main(void) { failed(); }"
    result = run(build(tmp_path, code, flags=["-fno-inline", "-fno-ipa-pure-const"]))
    assert (result.verdict, codes(result)) == ("fail", ["run.endless-loop"])
    assert "failed" in result.findings[0].message


def test_exceptions_of_cpp_are_caught_and_floats_printed(tmp_path: Path) -> None:
    code = r"""
#include <stdexcept>
extern "C" int report(const char *, int, double);
__attribute__((noinline)) static int checked(int x) { if (x > 2) throw std::runtime_error("too big"); return x; }
extern "C" int work(void) {
    int caught = 0;
    for (int i = 0; i < 5; i++) {
        try { checked(i); } catch (const std::exception &e) { report(e.what(), i, i / 8.0); caught++; }
    }
    return caught;
}
"""
    (tmp_path / "throws.cpp").write_text(code)
    tool("g++", tmp_path, "-mcpu=cortex-m4", "-mthumb", "-O1", "-c", "throws.cpp", "-o", "throws.o")
    code = """
#include <stdio.h>
int work(void);
int report(const char *what, int n, double x) { return printf("%s %d %.3f\\n", what, n, x); }
int main(void) { return work() == 2 ? 0 : 1; }
"""
    elf = build(tmp_path, code, specs="rdimon", libraries=["throws.o", "-lstdc++"], flash_size=1 << 20)
    result = run(elf)
    assert (result.verdict, result.console) == ("pass", "too big 3 0.375\ntoo big 4 0.500\n")


def test_semihosting_reaches_no_file_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = r"""
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    FILE *read = fopen("/etc/passwd", "r"), *written = fopen("made.txt", "w");
    int removed = remove("kept.txt"), renamed = rename("kept.txt", "gone.txt"), ran = system("touch made.txt");
    printf("%d %d %d %d %d\n", read != 0, written != 0, removed == 0, renamed == 0, ran == 0);
    return 0;
}
"""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept.txt").write_text("kept")
    result = run(build(tmp_path, code, specs="rdimon", flags=["-fno-builtin"]))
    assert (result.verdict, result.console) == ("pass", "0 0 0 0 0\n")
    assert not (tmp_path / "made.txt").exists() and (tmp_path / "kept.txt").read_text() == "kept"


# What is measured.


def test_each_call_is_a_window_that_ends_where_it_returns(tmp_path: Path) -> None:
    elf = build(tmp_path, SQUARES)
    result = run(elf, begin="sum")
    assert result.verdict == "pass"
    assert calls(result) == {"sum": 1, "square": 30}  # the mean of 10, 20, ... 50
    start = run(elf, begin="main", end="sum")
    assert calls(start) == {"main": 1} and 0 < (start.value("instructions") or 0) < 10


def test_a_recursive_function_is_measured_until_its_outermost_call_returns(tmp_path: Path) -> None:
    code = "int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }\nvolatile int r;\nint main(void) { r = fib(10); r = fib(10); return 0; }"
    result = run(build(tmp_path, code, flags=["-O2", "-fno-optimize-sibling-calls", "-fno-inline"]), begin="fib")
    assert result.verdict == "pass"
    assert sum(calls(result).values()) == 177  # calls of fib(10)


def test_stripped_and_raw_images_count_the_same_as_the_elf(tmp_path: Path) -> None:
    elf = build(tmp_path, SQUARES)
    whole = run(elf)
    tool("strip", tmp_path, "-o", "stripped.elf", elf.name)
    tool("objcopy", tmp_path, "-O", "ihex", elf.name, "image.hex")
    tool("objcopy", tmp_path, "-O", "binary", elf.name, "image.bin")
    for name in ("stripped.elf", "image.hex", "image.bin"):
        result = run(tmp_path / name)
        assert codes(result) == ["run.endless-loop"], "without symbols nobody knows that this is how it ends"
        end = result.findings[0].message.split("at 0x")[1][:8]
        result = run(tmp_path / name, stop=f"0x{end}")
        assert result.verdict == "pass"
        assert result.value("instructions") == (whole.value("instructions") or 0) - 1  # the branch to itself
        assert result.value("stack_hwm_bytes") == whole.value("stack_hwm_bytes")
        assert result.value("stack_margin_bytes") == whole.value("stack_margin_bytes")


def test_what_is_to_be_measured_but_never_reached_is_a_failure(tmp_path: Path) -> None:
    code = SQUARES + "__attribute__((used, noinline)) void never(void) { total = 1; }"
    elf = build(tmp_path, code, flags=["-Wl,--undefined=never"])
    result = run(elf, begin="never")
    assert codes(result) == ["run.stopped-early"] and "was never reached" in result.findings[0].message
    with pytest.raises(ElfError, match=r"begin: .* no symbol is called 'nevr'") as caught:
        run(elf, begin="nevr")
    assert "never" in caught.value.hint


def test_systick_can_be_polled(tmp_path: Path) -> None:
    code = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
int main(void) {
    REG(0xE000E014) = 999; REG(0xE000E018) = 0; REG(0xE000E010) = 5;
    for (int ticks = 0; ticks < 20; ) if (REG(0xE000E010) & 1 << 16) ticks++;
    return 0;
}
"""
    result = run(build(tmp_path, code))
    assert result.verdict == "pass"
    assert 19_000 < (result.value("instructions") or 0) < 22_000


def test_start_up_code_that_waits_for_its_clock_gets_past_it_and_that_is_said(tmp_path: Path) -> None:
    code = """
#include <stdint.h>
#define RCC ((volatile uint32_t *)0x40023800)
int main(void) {
    RCC[0] |= 1 << 16; while (!(RCC[0] & 1 << 17)) { }
    RCC[0] |= 1 << 24; while (!(RCC[0] & 1 << 25)) { }
    RCC[2] = 2; while ((RCC[2] & 0xC) != 0x8) { }
    return 0;
}
"""
    result = run(build(tmp_path, code))
    assert (result.verdict, codes(result)) == ("pass", ["firmware.made-up-registers"])
    assert "0x40023800" in result.findings[0].message


def test_heap_and_stack_are_told_apart(tmp_path: Path) -> None:
    code = """
#include <stdlib.h>
#include <string.h>
volatile char c;
__attribute__((noinline)) void deep(void) { volatile char local[2000]; memset((char *)local, 1, sizeof local); c = local[3]; }
int main(void) { volatile char *p = malloc(20000); p[19999] = 1; free((void *)p); p = malloc(100); deep(); return p == 0; }
"""
    result = run(build(tmp_path, code))
    assert result.verdict == "pass"
    assert 2000 <= (result.value("stack_hwm_bytes") or 0) < 2300
    assert 20000 <= (result.value("heap_hwm_bytes") or 0) < 25000  # the C library takes it in pieces


# Consoles.

ECHO = """
#include <stdint.h>
#define USART ((volatile uint32_t *)0x40004400)
volatile int total;
__attribute__((noinline)) int work(int n) { int s = 0; for (int i = 0; i < n; i++) s += i ^ total; return s; }
static int get(void) { while (!(USART[0] & 0x20)) { } return USART[1]; }
static void put(const char *s) { while (*s) { while (!(USART[0] & 0x80)) { } USART[1] = *s++; } }
int main(void) {
    put("m-ready\\r\\n");
    for (;;) {
        int n = 0, c = get();
        if (c == 'i') { while ((c = get()) != '%') n = n * 10 + c - '0'; for (int i = 0; i < n; i++) total = work(100); }
        else while (c != '%') c = get();
        put("m-ready\\r\\n");
    }
}
"""


def test_a_dialogue_delimits_what_is_measured(tmp_path: Path) -> None:
    elf = build(tmp_path, ECHO)
    ready = DialogueStep("", "m-ready")
    few = DialogueStep("i10%", "m-ready", measure=True)
    many = DialogueStep("i110%", "m-ready", measure=True)
    result = run(elf, dialogue=(ready, DialogueStep("name%", "m-ready"), few))
    assert result.verdict == "pass"
    assert result.console.count("m-ready") == 3
    assert calls(result)["work"] == 10
    one = run(elf, begin="work", stop_after=200_000, dialogue=(ready, DialogueStep("i10%", "m-ready")))
    slope = ((run(elf, dialogue=(ready, many)).value("instructions") or 0) - (result.value("instructions") or 0)) / 100
    assert 0 < slope - (one.value("instructions") or 0) < 12  # the loop around `work`
    each = run(elf, dialogue=(ready, DialogueStep("i110%", "m-ready", measure=True, inferences=110)))
    assert calls(each)["work"] == 1
    assert (each.value("instructions") or 0) == pytest.approx(slope, rel=0.05)


def test_an_answer_that_never_comes_is_named(tmp_path: Path) -> None:
    elf = build(tmp_path, ECHO)
    result = run(elf, stop_after=100_000, dialogue=(DialogueStep("", "m-ready"), DialogueStep("x%", "m-done")))
    assert codes(result) == ["run.stopped-early"]
    assert "step 2 of 2 of the console dialogue: 'm-done' did not come" in result.findings[0].message


def test_a_dialogue_works_by_semihosting_too(tmp_path: Path) -> None:
    code = """
#include <stdio.h>
int main(void) { char line[40]; puts("name?"); fgets(line, sizeof line, stdin); printf("hello %s", line); return 0; }
"""
    elf = build(tmp_path, code, specs="rdimon")
    result = run(elf, dialogue=(DialogueStep("", "name?"), DialogueStep("world\n", "hello world")))
    assert (result.verdict, result.console) == ("pass", "name?\nhello world\n")


# Scenarios and the command line.


def test_a_scenario_builds_its_firmware_first(tmp_path: Path) -> None:
    build(tmp_path, SQUARES)
    (tmp_path / "make.py").write_text(
        "import os, pathlib, shutil, sys\n"
        "out = pathlib.Path(sys.argv[1]); out.mkdir(exist_ok=True)\n"
        "assert os.environ['MCU_HARNESS_BOARD'] == sys.argv[1]\n"
        "shutil.copy('firmware.elf', out / 'fw.elf')\n"
    )
    path = tmp_path / "fw.toml"
    command = json.dumps([sys.executable, "make.py", "{board}"])
    path.write_text(
        f'boards = ["{BOARD}"]\n[firmware]\nelf = "{{board}}/fw.elf"\nbuild = {command}\nbegin = "sum"\n'
        '[profile]\nregions = {squares = ["square"]}\n[budgets]\ninstructions = 10\n'
    )
    result = run_case(load_scenario(path))
    assert codes(result) == ["budget.instructions", "firmware.windows-differ"]
    assert [part.name for part in result.findings[0].contributors] == ["layer squares"]


@pytest.mark.parametrize(
    ("code", "timeout", "problem"),
    [
        ("import sys; print('undefined reference'); sys.exit(3)", "1 s", "undefined reference"),
        ("import time; time.sleep(60)", "0.3 s", "did not end within 0.3 s"),
    ],
)
def test_a_build_that_fails_or_hangs_is_one_error(tmp_path: Path, code: str, timeout: str, problem: str) -> None:
    path = tmp_path / "fw.toml"
    command = json.dumps([sys.executable, "-c", code])
    path.write_text(
        f'boards = ["{BOARD}"]\n[firmware]\nelf = "fw.elf"\nbuild = {command}\nbuild_timeout = "{timeout}"\n'
    )
    with pytest.raises(BuildError, match=problem):
        run_case(load_scenario(path))


def test_a_build_by_make_in_a_folder_with_spaces(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("no make")
    folder = tmp_path / "my firmware"
    folder.mkdir()
    build(folder, SQUARES).rename(folder / "linked")
    (folder / "Makefile").write_text("all:\n\tmkdir -p 'build dir' && cp linked 'build dir/my fw.elf'\n")
    path = folder / "fw.toml"
    firmware = f'boards = ["{BOARD}"]\n[firmware]\nelf = "build dir/my fw.elf"\nbuild = '
    path.write_text(firmware + '["make"]\n')
    assert run_case(load_scenario(path)).verdict == "pass"
    path.write_text(firmware.replace("my fw", "other") + '["make"]\n')
    with pytest.raises(ElfError, match=r"ended well and there is no .*build dir/other\.elf"):
        run_case(load_scenario(path))


def test_the_command_prints_and_writes_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elf = build(tmp_path, SQUARES)
    out = tmp_path / "r.json"
    arguments = ["profile", str(elf), "--board", BOARD, "--board", "nucleo_l4r5zi", "--emulator", "unicorn"]
    status = main([*arguments, "--begin", "sum", "--region", "squares=squ*", "--json", str(out)])
    text = capsys.readouterr().out
    assert status == 0
    assert "squares" in text and "nucleo_l4r5zi" in text
    runs = json.loads(out.read_text())["runs"]
    assert [run["layers"][0]["name"] for run in runs] == ["squares", "squares"]
    assert main(["profile", str(elf)]) == 2
    assert "which board" in capsys.readouterr().err


def test_firmware_for_another_board_does_not_fit(tmp_path: Path) -> None:
    result = run(build(tmp_path, SQUARES), board="nrf52840dk")
    assert codes(result) == ["fit.outside"]
