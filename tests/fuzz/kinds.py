"""The kinds of cases: which files are spoilt, and which command reads them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from elf_builder import ordinary
from fuzz import child
from fuzz.mutate import spoil_bytes, spoil_json, spoil_text
from mcu_harness.results import baseline, results_file
from mcu_harness.results.records import Results
from mcu_harness.results.report.formats import FORMATS
from model_builder import ModelBuilder
from model_samples import SAMPLES, sample
from sample_results import FAILING, PASSING, RESULTS

BOARD = "stm32f4_discovery"
_BOARDS = Path(results_file.__file__).parents[1] / "hardware" / "boards"
_UNICORN = ["--emulator", "unicorn"]


@dataclass(frozen=True, slots=True)
class Case:
    """A command, and the files that it is asked to write; what it reads lies in its folder."""

    words: list[str]
    asked: frozenset[str] = frozenset()


Kind = Callable[[Path, random.Random], Case]


def model(folder: Path, chance: random.Random) -> Case:
    """A model of one operator, its bytes spoilt."""
    data = sample(chance.choice(list(SAMPLES)), seed=1).build()
    (folder / "m.tflite").write_bytes(spoil_bytes(data, chance))
    return Case(["run", "m.tflite", "--board", BOARD, *_UNICORN, "--json", "o.json"], frozenset({"o.json"}))


def graph(folder: Path, chance: random.Random) -> Case:
    """A net of operators one after the other, all right: LiteRT says which outputs are."""
    builder = ModelBuilder(seed=chance.randrange(1 << 30))
    sides = (chance.randrange(1, 12), chance.randrange(1, 12), chance.randrange(1, 9))
    x = builder.input((1, *sides))
    outputs = []
    for _ in range(chance.randrange(1, 6)):
        _, height, width, _ = builder.shape(x)
        padding = chance.choice(("SAME", "VALID"))
        kernel = (chance.randrange(1, min(height, 5) + 1), chance.randrange(1, min(width, 5) + 1))
        stride = (chance.randrange(1, 3), chance.randrange(1, 3))
        activation = chance.choice(("NONE", "RELU", "RELU6"))
        match chance.randrange(6):
            case 0 | 1:
                x = builder.conv_2d(
                    x,
                    channels=chance.randrange(1, 17),
                    kernel=kernel,
                    stride=stride,
                    padding=padding,
                    activation=activation,
                )
            case 2:
                x = builder.depthwise_conv_2d(x, kernel=kernel, stride=stride, padding=padding, activation=activation)
            case 3:
                x = builder.pool(x, chance.choice(("MAX", "AVERAGE")), kernel=kernel, stride=stride, padding=padding)
            case 4:
                x = builder.binary(chance.choice(("ADD", "MUL")), x, x)
            case 5:
                x = builder.unary(chance.choice(("HARD_SWISH", "RELU")), x)
    flat = builder.reshape(x, (1, -1))
    x = builder.fully_connected(flat, units=chance.randrange(1, 20))
    outputs.append(builder.softmax(x) if chance.random() < 0.5 else builder.logistic(x))
    builder.output(*outputs)
    (folder / "m.tflite").write_bytes(builder.build())
    return Case(["run", "m.tflite", "--board", chance.choice(("nucleo_h753zi", "nucleo_l4r5zi")), *_UNICORN])


_SCENARIO = """\
name = "case"
model = "m.tflite"
boards = ["stm32f4_discovery"]
kernels = "fast"

[inputs]
seed = 3
count = 2

[outputs]
oracle = "none"

[budgets]
flash = "64 KiB"
ram = "16 KiB"
latency = "20 ms"
instructions = 5_000_000

[budgets.stm32f4_discovery]
stack = "2 KiB"

[baseline]
cycles = "2 %"
flash = "+256"
"""


def scenario(folder: Path, chance: random.Random) -> Case:
    """A scenario file."""
    (folder / "m.tflite").write_bytes(_small_model())
    (folder / "s.toml").write_bytes(spoil_text(_SCENARIO, chance))
    return Case(["run", "s.toml", *_UNICORN, "--json", "o.json"], frozenset({"o.json"}))


def board(folder: Path, chance: random.Random) -> Case:
    """A board file: one of those that come with the harness, spoilt."""
    files = sorted(_BOARDS.glob("*.toml"))
    text = chance.choice(files).read_text(encoding="utf-8")
    (folder / "m.tflite").write_bytes(_small_model())
    (folder / "mine.toml").write_bytes(spoil_text(text, chance))
    (folder / "s.toml").write_text(_SCENARIO.partition("[budgets]")[0])
    return Case(["run", "s.toml", "--board", "./mine.toml", *_UNICORN])


def image(folder: Path, chance: random.Random) -> Case:
    """An ELF image: of the harness's own firmware, with debug information, or a small one made by hand."""
    data = _firmware() if chance.random() < 0.7 else ordinary().build()
    name = chance.choice(("f.elf", "f.elf", "f.elf", "f.hex", "f.bin"))
    (folder / name).write_bytes(spoil_bytes(data, chance))
    if name == "f.elf" and chance.random() < 0.3:
        return Case(["footprint", name, "--board", BOARD, "--json", "o.json"], frozenset({"o.json"}))
    words = ["profile", name, "--board", BOARD, *_UNICORN, "--stop-after", "20000", "--json", "o.json"]
    begin = chance.choice(([], ["--begin", "mcu_infer"], ["--begin", "main"], ["--region", "x=mcu_*"]))
    return Case([*words, *begin, *(["-vv"] if chance.random() < 0.3 else [])], frozenset({"o.json"}))


def results(folder: Path, chance: random.Random) -> Case:
    """A results file, read by a command over results."""
    text = results_file.to_text(RESULTS)
    (folder / "good.json").write_text(text)
    (folder / "r.json").write_bytes(spoil_json(text, chance))
    names = [name for name, form in FORMATS.items() if form.text is not None]
    words = chance.choice(
        (
            ["report", "r.json", "--format", chance.choice(names)],
            ["report", "r.json", "-vv"],
            ["report", "r.json", "--format", "html", "--output", "o.html"],
            ["report", "good.json", "--format", "pr-comment", "--baseline", "r.json"],
            ["compare", *chance.choice((("r.json", "good.json"), ("good.json", "r.json"))), "--fail", "cycles:2%", "--json", "o.json"],
            ["merge", "good.json", "r.json", "--output", "o.json"],
            ["history", "good.json", "r.json", "--format", chance.choice(("terminal", "csv", "svg", "html"))],
        )
    )  # fmt: skip
    return Case(list(words), frozenset({"o.json", "o.html"}))


def accepted(folder: Path, chance: random.Random) -> Case:
    """Baselines, held against results."""
    for place in ("before", "after"):
        (folder / place).mkdir()
        for run in (PASSING, FAILING):
            text = baseline.to_text(baseline.snapshot(run))
            name = baseline.baseline_name(run.scenario, "", run.board)
            (folder / place / name).write_bytes(spoil_json(text, chance) if chance.random() < 0.5 else text.encode())
    (folder / "good.json").write_text(results_file.to_text(Results((PASSING, FAILING))))
    words = chance.choice((["before", "after"], ["before", "good.json"], ["good.json", "after"]))
    return Case(["compare", *words, "--fail", "flash:+1", "--json", "o.json", "-v"], frozenset({"o.json"}))


def samples(folder: Path, chance: random.Random) -> Case:
    """Sample inputs: .npy and .npz."""
    stream = io.BytesIO()
    inputs = np.zeros((3, 6, 6, 2), np.int8)
    if chance.random() < 0.5:
        np.savez_compressed(stream, inputs=inputs, labels=np.array([0, 1, 2]))
        name = "x.npz"
    else:
        np.save(stream, inputs)
        name = "x.npy"
    (folder / "m.tflite").write_bytes(_small_model())
    (folder / name).write_bytes(spoil_bytes(stream.getvalue(), chance))
    text = _SCENARIO.replace("seed = 3\ncount = 2", f'file = "{name}"').partition("[budgets]")[0]
    (folder / "s.toml").write_text(text)
    return Case(["run", "s.toml", *_UNICORN])


def checkout(folder: Path, chance: random.Random) -> Case:
    """A scenario in somebody else's checkout, whose .git says what it likes."""
    git = folder / ".git"
    git.mkdir()
    heads = (
        "ref: refs/heads/main",
        "ref: ../../../../../etc/passwd",
        "ref: /dev/zero",
        "x" * 100_000,
        "\x00",
        "ref: .",
        "",
    )
    (git / "HEAD").write_text(chance.choice(heads))
    (git / "config").write_text(
        '[core]\n\tfsmonitor = "touch owned"\n\tpager = "touch owned"\n[gpg]\n\tprogram = ./owned.sh\n[log]\n\tshowSignature = true\n'
    )
    (git / "packed-refs").write_text(chance.choice(("", "x" * 5000, "\x1b[2J refs/heads/main\n")))
    (folder / "baselines").mkdir()
    (folder / "m.tflite").write_bytes(_small_model())
    (folder / "s.toml").write_text(_SCENARIO.partition("[budgets]")[0])
    return Case(chance.choice((["run", "s.toml", *_UNICORN], ["history", "baselines"])))


@cache
def _small_model() -> bytes:
    builder = ModelBuilder(seed=3)
    x = builder.conv_2d(builder.input((1, 6, 6, 2)), channels=4, activation="RELU")
    builder.output(builder.softmax(builder.fully_connected(builder.reshape(x, (1, -1)), units=5)))
    return builder.build()


_FIRMWARE: list[bytes] = []


def _firmware() -> bytes:
    return _FIRMWARE[0]


def prepare(folder: Path) -> None:
    """Build what cases need, fill the caches that they share, and see that what is to be spoilt is right before."""
    (folder / "m.tflite").write_bytes(_small_model())
    (folder / "s.toml").write_text(_SCENARIO)
    image = ["profile", "out/firmware.elf", "--board", BOARD, *_UNICORN]
    for words in (["build", "m.tflite", "--board", BOARD, "--output", "out"], ["run", "s.toml", *_UNICORN], image):
        ended = child.run(words, folder, set())
        if ended.status != 0:
            raise SystemExit(f"{' '.join(words)} fails before anything is spoilt:\n{ended.said}")
    _FIRMWARE.append((folder / "out" / "firmware.elf").read_bytes())


KINDS: dict[str, Kind] = {
    "model": model,
    "graph": graph,
    "scenario": scenario,
    "board": board,
    "image": image,
    "results": results,
    "baseline": accepted,
    "samples": samples,
    "checkout": checkout,
}
