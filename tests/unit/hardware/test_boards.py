"""The boards that come with the harness: each file loads, is plausible, names its sources and what really exists."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.renode.find import find_renode
from mcu_harness.emulator.renode.repl import read_entries
from mcu_harness.hardware.arm.address_map import PERIPHERALS
from mcu_harness.hardware.board import Board, Memory
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.image.build import FIRMWARE

BOARDS = board_names()
CORES_COVERED = {"cortex-m0", "cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m23", "cortex-m33"}
# What the parts of the stock Cortex-M platforms of Renode 1.15.3 begin with.
STOCK_FAMILIES = (
    *("stm32f0", "stm32f1", "stm32f4", "stm32f7", "stm32g0", "stm32h7", "stm32l0", "stm32l1", "stm32l5", "stm32wba"),
    *("stm32w108", "nrf528", "mk6", "mimxrt", "s32k1", "s32k3", "vf6", "r7fa2", "r7fa4", "r7fa6", "da14", "atsame7"),
    *("atsamd5", "max3265", "amap", "eos", "npcx", "cc2538", "ut32", "efm32", "efr32"),
)
# A kind of document, or what stands in for one, said openly.
CITED = re.compile(
    r"\b(AN|DS|RM|UM|PM|DDI|SWRS|SWRU|R01)\s?\w*\d|data ?sheet|mlcommons/|manual|specification|product|SVD|Zephyr|Renode|"
    r"\bnot (known|stated|checked)|derived|without wait states",
    re.IGNORECASE,
)


def renode_directory() -> Path | None:
    """Where the Renode that would be used keeps its platforms: above the program, or above what its script starts."""
    try:
        program = find_renode().path.resolve()
    except EmulatorError:
        return None
    started = re.findall(rb"/[\w./+-]+", program.read_bytes()[:1000])
    for path in (program, *(Path(name.decode()) for name in started)):
        for directory in path.parents:
            if (directory / "platforms" / "cpus").is_dir():
                return directory
    return None


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> Board:
    return find_board(request.param)


def test_there_are_boards_to_choose_from() -> None:
    assert len(BOARDS) >= 25


def test_every_core_has_a_board() -> None:
    assert {find_board(name).core.name for name in BOARDS} >= CORES_COVERED


@pytest.mark.parametrize("family", STOCK_FAMILIES)
def test_every_stock_renode_family_has_a_board(family: str) -> None:
    parts = {find_board(name).part.lower().replace(" ", "") for name in BOARDS}
    assert any(part.startswith(family) for part in parts)


def test_file_is_named_after_its_board(board: Board) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", board.name)
    assert board.path.stem == board.name


def test_every_figure_names_its_document(board: Board) -> None:
    for key, text in board.sources:
        assert CITED.search(text), f"{key}: {text}"


def test_a_current_is_given_exactly_where_a_source_gives_one(board: Board) -> None:
    stated = not dict(board.sources)["current"].startswith("not stated")
    assert stated == (board.current_a_per_hz is not None) == (board.supply_v is not None)
    if board.current_a_per_hz is not None and board.supply_v is not None:
        assert 1e-12 < board.current_a_per_hz < 1e-9, "between 1 and 1000 uA/MHz"
        assert 1.0 < board.supply_v <= 3.6


def test_unknown_wait_states_are_said_to_be_unknown(board: Board) -> None:
    source = dict(board.sources)["wait_states"]
    if board.code_memory.kind == "flash" and board.code_memory.wait_states == 0:
        assert "left at 0" in source


def test_clock_is_that_of_a_microcontroller(board: Board) -> None:
    assert 16e6 <= board.clock_hz <= 600e6


def test_memories_lie_outside_the_peripherals(board: Board) -> None:
    for memory in board.memories:
        assert memory.end <= PERIPHERALS[0] or memory.origin >= PERIPHERALS[1], memory.name
        assert memory.end <= 0xE000_0000, memory.name
        assert memory.size % 1024 == 0 and memory.origin % 1024 == 0, memory.name


def test_caches_are_whole_lines_and_ways(board: Board) -> None:
    for memory in board.memories:
        if memory.cache_bytes:
            assert memory.cache not in ("none", "prefetch"), memory.name
            assert memory.cache_bytes % (max(1, memory.cache_line_bytes) * max(1, memory.cache_ways)) == 0, memory.name
        if memory.wait_states:
            assert memory.fetch_bytes in (4, 8, 16, 32), memory.name


def test_data_memory_is_the_largest_ram_that_code_does_not_use(board: Board) -> None:
    rivals = [
        memory.size
        for memory in board.memories
        if memory.kind == "ram" and memory.is_main and memory.name != board.code
    ]
    assert board.data_memory.size == max(rivals)
    assert not board.data_memory.alias_of


def test_what_makers_and_boards_add_has_a_source(board: Board) -> None:
    sources = dict(board.sources)
    assert ("info" in sources) == any(memory.kind == "info" for memory in board.memories)
    assert ("external" in sources) == any(memory.external for memory in board.memories)
    for memory in board.memories:
        assert memory.is_main or memory.name not in (board.code, board.data)


def test_every_part_of_st_and_nordic_has_its_unique_words() -> None:
    """Where firmware reads an identification or a flash size: the vendors' headers (UID_BASE, FLASHSIZE_BASE, NRF_FICR)."""
    words = {
        "stm32f4_discovery": (0x1FFF7A10, 0x1FFF7A22, 0x1FFFC000), "stm32f746g_disco": (0x1FF0F420, 0x1FF0F442, 0x1FFF0000),
        "nucleo_f103rb": (0x1FFFF7E8, 0x1FFFF7E0, 0x1FFFF800), "stm32f072b_disco": (0x1FFFF7AC, 0x1FFFF7CC, 0x1FFFF800),
        "nucleo_l4r5zi": (0x1FFF7590, 0x1FFF75E0), "nucleo_g071rb": (0x1FFF7590, 0x1FFF75E0, 0x1FFF7800),
        "nucleo_g0b1re": (0x1FFF7590, 0x1FFF75E0, 0x1FFF7800), "nucleo_l073rz": (0x1FF80050, 0x1FF8007C, 0x08080000),
        "nucleo_l152re": (0x1FF800D0, 0x1FF800CC, 0x08080000), "nucleo_h753zi": (0x1FF1E800, 0x1FF1E880),
        "nucleo_h7a3zi_q": (0x08FFF800, 0x08FFF80C), "nucleo_l552ze_q": (0x0BFA0590, 0x0BFA05E0),
        "nucleo_u575zi_q": (0x0BFA0700, 0x0BFA07A0), "nucleo_wba52cg": (0x0BF90700, 0x0BF907A0),
        "nrf52840dk": (0x10000060, 0x10000100, 0x10001014), "nrf5340dk": (0x00FF0204, 0x00FF8000),
        "arduino_zero": (0x00804000, 0x00806020, 0x0080A00C, 0x0080A048), "itsybitsy_m4": (0x00800080, 0x00804000, 0x008061FC),
    }  # fmt: skip
    for name, addresses in words.items():
        found = [find_board(name).memory_at(address) for address in addresses]
        assert all(memory is not None and memory.kind == "info" for memory in found), name


def test_contiguous_ram_is_one_memory_unless_it_differs(board: Board) -> None:
    """Banks side by side are merged, as vendors' linker scripts do, unless one is tightly coupled or holds the code."""
    ram = sorted((m for m in board.memories if m.kind == "ram" and not m.alias_of), key=lambda memory: memory.origin)
    for lower, upper in itertools.pairwise(ram):
        if lower.end == upper.origin:
            assert _differ(lower, upper), f"{lower.name} and {upper.name}"


def _differ(lower: Memory, upper: Memory) -> bool:
    return {"tcm", "dtcm", "itcm", "sram_l"} & {lower.name, upper.name} != set()


def test_console_driver_exists(board: Board) -> None:
    assert (FIRMWARE / "runtime" / "console" / f"{board.console.driver}.c").is_file()


def test_console_registers_are_peripherals(board: Board) -> None:
    assert PERIPHERALS[0] <= board.console.base < PERIPHERALS[1]
    for step in board.console.enable:
        assert PERIPHERALS[0] <= step.address < PERIPHERALS[1], hex(step.address)
        assert step.set or step.clear


def test_sets_and_clears_of_a_register_keep_their_order() -> None:
    """The pin of an STM32 resets to mode 3 (analogue): its low bit goes, its high bit stays."""
    steps = find_board("nucleo_g071rb").console.enable
    mode = 0xEBFF_FFFF  # GPIOA_MODER after reset, RM0444
    for step in steps:
        if step.address == 0x5000_0000:
            mode = mode & ~step.clear | step.set
    assert mode >> 4 & 3 == 2


def test_a_board_can_be_a_file_of_the_users(tmp_path: Path) -> None:
    text = find_board("nucleo_f103rb").path.read_text().replace('"nucleo_f103rb"', '"mine"')
    (tmp_path / "mine.toml").write_text(text)
    assert find_board("mine.toml", tmp_path).part == "STM32F103RB"


def test_renode_names_come_together(board: Board) -> None:
    assert bool(board.renode_platform) == bool(board.console.renode)
    if board.renode_platform:
        assert re.fullmatch(r"platforms/(cpus|boards)/[\w./-]+\.repl", board.renode_platform)
        assert re.fullmatch(r"sysbus\.\w+", board.console.renode)


@pytest.mark.renode
def test_renode_platform_has_the_uart_at_the_boards_address(board: Board) -> None:
    directory = renode_directory()
    if directory is None:
        pytest.skip("no Renode found, or not where it keeps its platforms")
    if not board.renode_platform:
        pytest.skip("Renode has no platform of this board")
    entries = read_entries(directory / board.renode_platform, directory)
    uart = board.console.renode.removeprefix("sysbus.")
    places = [place for entry in entries if entry.name == uart for place in entry.places]
    assert board.console.base in places
