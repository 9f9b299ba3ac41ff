"""Every way in which firmware of ours goes wrong is named, with place, line, layer, calls, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from explained import explained
from fault_programs import FAULTS, program

from mcu_harness.app.cli.main import main
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import read_program
from mcu_harness.results.records import Finding
from mcu_harness.scenario.firmware_tables import Region
from profiled_firmware import failed, line_of, profiled
from user_firmware import START, build

pytestmark = pytest.mark.gnu
BOARD = "stm32f4_discovery"
UNICORN = UnicornEmulator()


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_explained(name: str, tmp_path: Path) -> None:
    body, code, message, detail = FAULTS[name]
    text = program(body)
    elf = build(tmp_path, text)
    finding = only(failed(profiled(elf, regions=(Region("network", ("infer",)),))))
    assert finding.code == code
    assert re.search(message, finding.message), finding.message
    place = rf"in wrong at 0x0800[0-9a-f]{{4}} \(firmware\.c:{line_of(text, 'HERE')}\), layer network"
    assert re.search(place, finding.message), finding.message
    assert any(re.search(detail, line) for line in finding.details), finding.details
    assert any(re.match("calls: Reset_Handler > main > infer > wrong", line) for line in finding.details)
    caller = ("infer", line_of(text, "wrong(n) + n")) if code != "fault.not-thumb" else ("wrong", line_of(text, "HERE"))
    last = rf"last call from 0x[0-9a-f]+ {caller[0]} \(firmware\.c:{caller[1]}\)"
    assert any(re.fullmatch(last, line) for line in finding.details), finding.details
    assert any(line.startswith("r0 0x") for line in finding.details)
    assert any(re.match(r"r12 0x[0-9a-f]+  sp 0x2000[0-9a-f]+  lr 0x0800", line) for line in finding.details)
    assert len(finding.advice) > 20


def test_a_fault_handler_that_is_enabled_is_the_one_that_is_taken(tmp_path: Path) -> None:
    body = '*(volatile unsigned *)0xE000ED24 |= 7u << 16; __asm__ volatile("udf #1"); return 0;'
    finding = only(failed(profiled(build(tmp_path, program(body)))))
    assert "on the board: UsageFault, CFSR 0x00010000 (UNDEFINSTR)" in finding.details


def test_a_fault_under_faultmask_is_a_lock_up(tmp_path: Path) -> None:
    finding = only(failed(profiled(build(tmp_path, program('__asm__ volatile("cpsid f\\n udf #1"); return 0;')))))
    assert any(line.startswith("on the board: lock-up; FAULTMASK is set") for line in finding.details)


def test_a_fault_under_primask_is_a_hard_fault_though_its_handler_is_enabled(tmp_path: Path) -> None:
    body = '*(volatile unsigned *)0xE000ED24 |= 7u << 16; __asm__ volatile("cpsid i\\n udf #1"); return 0;'
    finding = only(failed(profiled(build(tmp_path, program(body)))))
    assert any("HardFault (a UsageFault that PRIMASK keeps out), CFSR 0x00010000" in line for line in finding.details)


@pytest.mark.parametrize("board", ["nucleo_g071rb", "stm32f072b_disco"])
def test_an_unaligned_access_on_a_small_core_is_explained(board: str, tmp_path: Path) -> None:
    body = 'volatile char b[8]; char *p = (char *)b + 1; __asm__("" : "+r"(p)); return *(volatile int *)p;  // HERE'
    cpu = find_board(board).core.gcc_cpu
    finding = only(failed(profiled(build(tmp_path, program(body), cpu=cpu, ram_size=8 << 10), board)))
    assert finding.code == "fault.unaligned" and "(firmware.c:4)" in finding.message
    assert any("on the board: HardFault; the Cortex-M0" in line for line in finding.details), finding.details
    assert not any("CFSR" in line for line in finding.details), "it has no such register"


def test_a_return_address_that_was_overwritten_is_told_from_a_bad_pointer(tmp_path: Path) -> None:
    body = "volatile char b[8]; for (int i = 0; i < 32; i++) b[i] = 'a' + n - 2; return b[3];"
    finding = only(failed(profiled(build(tmp_path, program(body)))))
    assert finding.code == "fault.jump"
    assert "it jumps to 0x61616160, where no code can be: the bytes are text, 'aaaa'" in finding.message
    assert "look in infer, and in what it called, for a local array written beyond its end" in finding.advice


# Division by zero: a fault where the program has asked for one.

TRAP = "*(volatile unsigned *)0xE000ED14 |= 1u << 4; "
DIVIDE = 'int r = 1; __asm__ volatile("{}" : "+l"(r) : "l"(n - 2), "l"(n) : "cc"); return r;  // HERE'


@pytest.mark.parametrize("instruction", ["udiv %0, %2, %1", "sdiv %0, %2, %1"])
def test_a_division_by_zero_is_a_fault_once_the_program_traps_it(instruction: str, tmp_path: Path) -> None:
    text = program(TRAP + DIVIDE.format(instruction))
    finding = only(failed(profiled(build(tmp_path, text))))
    assert finding.code == "fault.divide-by-zero"
    assert re.search(r"in wrong at .* \(firmware\.c:4\): `[us]div r\d, r\d, r\d` divides by zero", finding.message)
    assert any("CFSR 0x02000000 (DIVBYZERO)" in line for line in finding.details)


@pytest.mark.parametrize(
    "body",
    [
        DIVIDE.format("udiv %0, %2, %1"),  # not trapped: it gives 0
        TRAP + DIVIDE.format("cmp %1, #0\\n it ne\\n udivne %0, %2, %1"),  # skipped
        TRAP + DIVIDE.format("cmp %1, #0\\n ite eq\\n moveq %0, #7\\n sdivne %0, %2, %1"),
        TRAP + "int s = 0; for (volatile int i = 1; i < 3000; i++) s += 100000 / i; return s;",
    ],
    ids=["not-trapped", "skipped", "skipped-by-else", "no-zero"],
)
def test_other_divisions_are_none(body: str, tmp_path: Path) -> None:
    assert [f.code for f in failed(profiled(build(tmp_path, program(body))))] == ["run.status"]


def test_a_library_s_division_by_zero_on_a_core_without_division_is_seen(tmp_path: Path) -> None:
    code = (
        "void __attribute__((noinline)) __aeabi_idiv0(void) { for (;;) { } }\n"
        "void __aeabi_ldiv0(void) { for (;;) { } }\n" + program("volatile int z = 0; return n / z;")
    )
    finding = only(failed(profiled(build(tmp_path, code, cpu="cortex-m0", ram_size=8 << 10), "stm32f072b_disco")))
    assert finding.code == "fault.divide-by-zero" and "a division by zero in a library routine" in finding.message


# The stack.


def test_recursion_without_end_is_a_stack_overflow(tmp_path: Path) -> None:
    body = "volatile int x[100]; x[1] = n; return wrong(n + 1) + x[1];  // HERE"
    finding = only(failed(profiled(build(tmp_path, program(body)))))
    assert finding.code == "run.stack-overflow" and finding.limit == 64 << 10
    assert "the stack grew beyond its 65,536 B, in wrong at" in finding.message and "(firmware.c:4)" in finding.message
    assert any(re.fullmatch(r"calls: Reset_Handler > main > infer > wrong \(1\d\d times\)", x) for x in finding.details)
    frames = {part.name: part.value for part in finding.contributors}
    assert max(frames, key=frames.get) == "frame of wrong"  # type: ignore[arg-type]
    assert 400 <= frames["frame of wrong"] <= 432


def test_a_frame_larger_than_the_stack_is_an_overflow(tmp_path: Path) -> None:
    body = "volatile char x[70000]; x[1] = n; return x[1];"
    finding = only(failed(profiled(build(tmp_path, program(body)))))
    assert finding.code == "run.stack-overflow"
    assert finding.contributors[0].name == "frame of wrong" and 70_000 <= finding.contributors[0].value <= 70_016


def test_a_stack_that_runs_into_data_names_the_deepest_path(tmp_path: Path) -> None:
    code = (
        "volatile char data[20000];\n" + program("volatile char x[45600]; for (int i = 0; i < 45600; i++) x[i] = 1;"
        " return data[n];")
    )  # fmt: skip
    finding = next(f for f in failed(profiled(build(tmp_path, code))) if f.code == "run.stack-overflow")
    assert "may have overwritten the data below it" in finding.message
    (line,) = finding.details
    assert re.match(r"deepest path by the frames of its functions, about 45,6\d\d B: .*infer > wrong$", line)
    assert finding.contributors[0].name == "frame of wrong"


def test_a_stack_limit_of_the_program_s_own_is_an_overflow(tmp_path: Path) -> None:
    body = (
        'volatile int x[100]; x[0] = n; __asm__ volatile("mov r3, sp\\n subs r3, #32\\n msr msplim, r3\\n'
        ' push {r0-r12}" ::: "r3"); return x[0];  // HERE'
    )
    elf = build(tmp_path, program(body), cpu="cortex-m33+nodsp", flags=["-mfloat-abi=soft"])
    finding = only(failed(profiled(elf, "nucleo_u575zi_q")))
    assert finding.code == "run.stack-overflow" and "MSPLIM" in finding.message
    assert any("CFSR 0x00100000 (STKOF)" in line for line in finding.details)


# Checks that failed, and loops.

ENDINGS = {
    "assert": (
        '#include <assert.h>\n', 'assert(n == 3 && "three"); return n;  // HERE', {},
        "fault.assert", r'an assertion failed: `n == 3 && "three"` \(firmware.c:5\), in wrong at',
    ),
    "abort": (
        "#include <stdlib.h>\n", "abort();  // HERE", {}, "fault.abort", r"the program called abort\(\), in wrong at",
    ),
    "stack-protector": (
        "", "volatile char b[8]; for (int i = 0; i < 16; i++) b[i] = 7; return b[n];", {"flags": ["-fstack-protector-all"]},
        "fault.stack-smashed", r"had overwritten its own frame, in wrong at",
    ),
    "hook-of-an-rtos": (
        "void __attribute__((noinline)) vApplicationStackOverflowHook(void) { for (;;) { } }\n",
        "vApplicationStackOverflowHook(); return n;  // HERE", {}, "run.stack-overflow",
        r"FreeRTOS found that a task has used up its stack, in wrong at",
    ),
    "error-handler": (
        "void __attribute__((noinline)) Error_Handler(void) { for (;;) { } }\n",
        "Error_Handler(); return n;  // HERE", {}, "fault.error-handler", r"called its error handler, in wrong at",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_a_check_that_failed_is_named(name: str, tmp_path: Path) -> None:
    top, body, options, code, message = ENDINGS[name]
    text = top + program(body)
    elf = build(tmp_path, text, **options)  # type: ignore[arg-type]
    finding = only(failed(profiled(elf, regions=(Region("network", ("infer",)),))))
    assert finding.code == code
    assert re.search(message, finding.message), finding.message
    assert ", layer network" in finding.message
    assert any("infer > wrong" in line for line in finding.details)


CPP = {
    "pure-virtual": (
        "struct A { A() { early(); } void early(); virtual int f() = 0; };\n"
        "__attribute__((noinline)) void A::early() { f(); }\nstruct B : A { int f() { return 3; } };\n"
        "int main() { B b; return b.f(); }",
        "fault.pure-virtual", "a pure virtual function was called",
    ),
    "out-of-range": (
        "#include <vector>\nint main() { std::vector<int> v(3); return v.at(7); }",
        "fault.exception-thrown", "a C++ exception was thrown that nothing catches, in ",
    ),
    "terminate": (
        "#include <exception>\nint main() { std::terminate(); }",
        "fault.terminate", "the C++ runtime ended the program",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CPP)
def test_what_the_cpp_runtime_ends_a_program_for_is_named(name: str, tmp_path: Path) -> None:
    code, expected, message = CPP[name]
    flags = ["-fno-inline", "-Wl,-u,__cxa_pure_virtual"]  # which compiled code refers to weakly
    elf = build(tmp_path, code, language="c++", libraries=["-lstdc++"], flags=flags)
    finding = only(failed(profiled(elf)))
    assert finding.code == expected
    assert message in finding.message


def test_a_loop_in_a_default_handler_says_whose_handler_it_is(tmp_path: Path) -> None:
    code = program("Default_Handler(); return n;").replace(
        "int main(void);", "int main(void); void Default_Handler(void);"
    )
    finding = only(failed(profiled(build(tmp_path, code))))
    assert finding.code == "run.endless-loop" and "endless loop in Default_Handler at" in finding.message
    assert "that is the handler of NMI" in finding.details
    assert "calls: Reset_Handler > main > infer > wrong > Default_Handler" in finding.details


def test_outside_of_windows_the_link_register_says_who_called(tmp_path: Path) -> None:
    code = """
    __attribute__((noinline)) int setup(int n) { return *(volatile int *)0x30000000; }
    __attribute__((noinline)) int infer(int n) { return n; }
    int main(void) { return setup(1) + infer(1); }  // HERE
    """
    finding = only(failed(profiled(build(tmp_path, code), begin="infer")))
    assert finding.code == "fault.read"
    assert any(re.match(rf"lr 0x[0-9a-f]+: called from 0x[0-9a-f]+ main \(firmware.c:{line_of(code, 'HERE')}\)", line)
               for line in finding.details)  # fmt: skip


def test_a_program_without_vectors_says_where_the_table_should_be(tmp_path: Path, firmware_cache: Path) -> None:
    from dataclasses import replace

    from explained import firmware_of
    from small_firmware import SUM_OF_SQUARES, firmware

    from mcu_harness.analysis.diagnose.findings import execution_findings

    board = find_board(BOARD)
    made = firmware(board, SUM_OF_SQUARES, firmware_cache)
    under_test = firmware_of(made, board)
    under_test = replace(under_test, plan=replace(under_test.plan, vectors=0x08010000))
    execution = UNICORN.run(made, board, under_test.plan)
    finding = only(execution_findings(execution, under_test, board))
    assert finding.code == "fault.no-vectors" and "at 0x08010000" in finding.message
    assert any("on the board: lock-up" in line for line in finding.details)


# Handlers that are entered.

HANDLERS = """
static void in_interrupt(void) { for (;;) { } }
__attribute__((aligned(512))) void *table[64];
static void use_table(void) {
    for (int i = 2; i < 64; i++) table[i] = (void *)in_interrupt;
    REGISTER(0xE000ED08) = (uintptr_t)table;
    __asm__ volatile("dsb\\n isb");
}
"""


def test_a_fault_in_the_handler_of_nmi_is_a_lock_up(tmp_path: Path) -> None:
    start = START.replace("(void *)Default_Handler, (void *)HardFault", "(void *)NMI_Handler, (void *)HardFault")
    start = start.replace("int main(void);", "int main(void);\nvoid NMI_Handler(void);", 1)
    text = program("*(volatile unsigned *)0xE000ED04 = 1u << 31; return 0;") + (
        'void NMI_Handler(void) {\n    __asm__ volatile("udf #1");  // HERE\n}\n'
    )
    finding = only(failed(profiled(build(tmp_path, text, start=start))))
    assert finding.code == "fault.undefined-instruction"
    assert "in NMI_Handler at" in finding.message and f"(firmware.c:{line_of(text, 'HERE')})" in finding.message
    assert "on the board: lock-up; a fault in the handler of NMI stops the core until a reset" in finding.details


def test_an_interrupt_in_the_default_handler_is_named(tmp_path: Path) -> None:
    start = START.replace("vectors[16]", "vectors[80]").replace(
        "(void *)HardFault_Handler,", "(void *)HardFault_Handler, [37 + 16] = (void *)Default_Handler,"
    )
    body = "*(volatile unsigned *)0xE000E104 = 1u << 5; *(volatile unsigned *)0xE000E204 = 1u << 5; return n;"
    text = program(body)
    # It is taken between blocks: where `wrong` has returned to.
    finding = only(failed(profiled(build(tmp_path, text, start=start))))
    assert finding.code == "run.endless-loop"
    assert finding.message.startswith("interrupt 37 came in infer at 0x0800")
    assert f"(firmware.c:{line_of(text, 'wrong(n) + n')}), and its handler waits for ever, in Default_Handler at" in (
        finding.message
    )


@pytest.mark.renode
def test_an_interrupt_without_a_handler_of_its_own_is_named(renode: RenodeEmulator, firmware_cache: Path) -> None:
    code = HANDLERS + (
        "void mcu_infer(void) { use_table(); REGISTER(0xE000E100) = 1u << 21; REGISTER(0xE000E200) = 1u << 21;\n"
        "for (;;) { } }"
    )
    finding = only(explained(renode, find_board(BOARD), code, firmware_cache)[1])
    assert finding.code == "run.endless-loop"
    assert re.search(
        r"interrupt 21 came in mcu_infer at 0x[0-9a-f]+ \(.*model\.c:\d+\), and its handler waits for ever, "
        r"in in_interrupt at",
        finding.message,
    )
    assert "write a handler for interrupt 21" in finding.advice


@pytest.mark.renode
def test_a_supervisor_call_that_nobody_handles_is_named(renode: RenodeEmulator, firmware_cache: Path) -> None:
    code = 'void mcu_infer(void) { __asm__ volatile("svc #1"); }'
    finding = only(explained(renode, find_board(BOARD), code, firmware_cache)[1])
    assert finding.code == "run.endless-loop" and finding.message.startswith("SVCall came in mcu_infer at")


# How it is shown.


def test_details_are_in_the_terminal_and_in_the_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elf = build(tmp_path, program("return *(volatile int *)0x30000004;"), name="bad")
    status = main(["profile", str(elf), "--board", BOARD, "--emulator", "unicorn", "--report-dir", str(tmp_path / "r"),
                   "--json", str(tmp_path / "r.json")])  # fmt: skip
    assert status == 1
    shown = capsys.readouterr().out
    assert "BFAR 0x30000004" in shown and "  calls: Reset_Handler > main > infer > wrong" in shown
    assert "what to do: look at where the pointer in that line comes from" in shown
    assert "calls: Reset\\_Handler \\> main" in (tmp_path / "r" / f"{BOARD}.md").read_text()
    page = tmp_path / "page.html"
    assert main(["report", str(tmp_path / "r.json"), "--format", "html", "--output", str(page)]) == 0
    assert "<li>calls: Reset_Handler &gt; main &gt; infer &gt; wrong</li>" in page.read_text()
    capsys.readouterr()
    main(["report", str(tmp_path / "r.json"), "--format", "junit"])
    assert "BFAR 0x30000004" in capsys.readouterr().out


def test_a_damaged_line_table_costs_the_lines_only(tmp_path: Path) -> None:
    elf = build(tmp_path, program("return *(volatile int *)0x30000004;"))
    from mcu_harness.image.elf_reader import read_elf_file

    section = next(s for s in read_elf_file(elf).section_headers if s.name == ".debug_line")
    data = bytearray(elf.read_bytes())
    data[section.offset : section.offset + section.size] = b"\xff" * section.size
    elf.write_bytes(data)
    finding = only(failed(profiled(elf)))
    assert finding.code == "fault.read" and "firmware.c" not in finding.message
    assert f"in wrong at {read_program(elf).symbol('wrong').address:#06x}"[:12] in finding.message


def test_a_start_up_file_that_returns_into_nothing_is_explained(tmp_path: Path) -> None:
    start = START.replace("for (;;) { }\n}\n__attr", "}\n__attr").replace("main();", "")
    finding = only(failed(profiled(build(tmp_path, "int main(void) { return 0; }", start=start))))
    assert finding.code == "fault.return-from-reset" and "Reset_Handler" in finding.message
