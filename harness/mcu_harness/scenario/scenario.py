"""Scenarios: a model or firmware, the boards it runs on, inputs, expected outputs and budgets, in one TOML file.

Paths in a scenario are relative to its file. `Scenario.budgets_for(name)` merges the common and per-board budgets.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import ScenarioError, UnitError
from mcu_harness.base.files import why_no_file
from mcu_harness.base.text import one_line
from mcu_harness.hardware.board_file import board_names
from mcu_harness.scenario.budget_tables import read_budgets
from mcu_harness.scenario.coverage_table import CoverageSpec, read_coverage
from mcu_harness.scenario.custom_operators import CustomOperator, read_operators
from mcu_harness.scenario.figure_catalogue import tolerated
from mcu_harness.scenario.firmware_tables import BOARD_PLACEHOLDER, FirmwareSpec, read_firmware
from mcu_harness.scenario.kernels import CMSIS_NN, KERNEL_CHOICES
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.model_files import model_stem, why_no_model
from mcu_harness.scenario.placement import PLACEMENTS
from mcu_harness.scenario.quantize import NOT_GIVEN, QuantizeSpec, read_quantize
from mcu_harness.scenario.renode_table import NO_RENODE, RenodeSpec, read_renode
from mcu_harness.scenario.tolerance import Tolerance, parse_tolerance
from mcu_harness.scenario.variants import Variant, read_variants

DEFAULT_SEED = 1
DEFAULT_COUNT = 4
BASELINES = "baselines"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Where inputs come from: `file` (.npy or .npz), or `count` seeded random ones. `count` None = all of the file.

    `emulated` of a file's are run, None = all; the accuracy over the others is that of the oracle, while the firmware equals it.
    """

    file: Path | None = None
    seed: int = DEFAULT_SEED
    count: int | None = DEFAULT_COUNT
    emulated: int | None = None


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What outputs are compared with: `oracle` "litert", "tflm" or "none", or the arrays in `file`.

    Above `threshold`, a sample is of class 1, where classes are told by a score.
    """

    oracle: str = "litert"
    file: Path | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario file, or what the command line says in place of one (`path` None).

    With `firmware` it is about that and not about a model: `models` is then its image, as the scenario names it.
    """

    name: str
    description: str
    models: tuple[Path, ...]
    boards: tuple[str, ...]
    inputs: InputSpec
    outputs: OutputSpec
    budgets: dict[str, Budget]
    board_budgets: dict[str, dict[str, Budget]]
    tolerances: tuple[Tolerance, ...]  # how far figures may grow over their baseline; () = not compared
    baseline_directory: str  # relative to `directory`
    directory: Path
    path: Path | None
    digest: str
    firmware: FirmwareSpec | None = None
    renode: RenodeSpec = NO_RENODE
    quantize: QuantizeSpec = NOT_GIVEN  # how a float model becomes int8
    what_if: tuple[str, ...] = ()  # questions about every run, as on the command line
    kernels: str = KERNEL_CHOICES[0]
    operators: tuple[CustomOperator, ...] = ()  # of the model, that the user gives C for
    placement: str = PLACEMENTS[0]
    cmsis_nn: Path | None = None  # the user's tree of it, for the kernels of that name
    variants: tuple[Variant, ...] = ()  # one for each of `models`, or none
    coverage: CoverageSpec | None = None  # what of the source is to be covered, if asked for

    @property
    def model_names(self) -> tuple[str, ...]:
        """The names of `models` in reports and baselines."""
        return tuple(each.name for each in self.variants) or tuple(map(model_stem, self.models))

    def models_for(self, board: str) -> tuple[Path, ...]:
        """The models, or the firmware's image, for `board`."""
        return (self.firmware.image_for(board, self.directory),) if self.firmware else self.models

    def budgets_for(self, board: str) -> dict[str, Budget]:
        """The budgets that hold on `board`: its own over the common ones."""
        return {**self.budgets, **self.board_budgets.get(board, {})}


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario file; raises ScenarioError with file, line and key."""
    top = toml_reader.load(path, ScenarioError)
    directory = path.resolve().parent
    name = top.text("name", path.stem)
    if not name or not all(c.isalnum() or c in "_-." for c in name):
        raise top.fail("name", f"{name!r} is not a plain name", hint="use letters, digits, '_', '-' and '.'")
    boards = top.texts("boards")
    if not boards:
        raise top.fail("boards", "no board", hint="name at least one: " + ", ".join(board_names()))
    for board in boards:
        known = board.endswith(".toml") or board in board_names()
        if not known:
            raise top.fail(
                "boards", f"no board named {board!r}", hint=toml_reader.did_you_mean(board, tuple(board_names()))
            )
    if len(set(boards)) != len(boards):
        raise top.fail("boards", "a board is named twice")
    budgets, board_budgets = read_budgets(top, boards)
    tolerances, baselines = _baseline(top)
    firmware = read_firmware(top)
    variants = read_variants(top, directory, boards)
    scenario = Scenario(
        name=name,
        description=top.text("description", ""),
        models=_models(top, directory, variants) if firmware is None else _image(top, firmware, directory),
        boards=boards,
        inputs=_inputs(top, directory),
        outputs=_outputs(top, directory),
        budgets=budgets,
        board_budgets=board_budgets,
        tolerances=tolerances,
        baseline_directory=baselines,
        directory=directory,
        path=path,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        firmware=firmware,
        renode=read_renode(top, directory),
        quantize=read_quantize(top, directory),
        what_if=top.texts("what_if", ()),
        kernels=_kernels(top),
        operators=read_operators(top, directory),
        cmsis_nn=_cmsis_nn(top, directory),
        placement=top.text("placement", PLACEMENTS[0], choices=PLACEMENTS),
        variants=variants,
        coverage=read_coverage(top),
    )
    top.done()
    return scenario


def scenario_for_model(model: Path, boards: tuple[str, ...]) -> Scenario:
    """The scenario that `mcu-harness run MODEL --board ...` means: seeded inputs, LiteRT's outputs, no budgets."""
    return _without_file(model, boards, why_no_model(model), hint="give a model file or a scenario .toml")


def scenario_for_variants(
    name: str, variants: tuple[Variant, ...], boards: tuple[str, ...], inputs: InputSpec, quantize: QuantizeSpec
) -> Scenario:
    """The scenario that `mcu-harness variants A B --board ...` means; raises ScenarioError for what is no model."""
    for variant in variants:
        if problem := why_no_model(variant.model):
            raise ScenarioError(f"{variant.model}: {problem}", hint="give a model file, or name=model")
    first = variants[0].model
    scenario = _without_file(first, boards, "", hint="")
    models = tuple(variant.model for variant in variants)
    return replace(scenario, name=name, models=models, variants=variants, inputs=inputs, quantize=quantize)


def scenario_for_firmware(image: Path, boards: tuple[str, ...], firmware: FirmwareSpec) -> Scenario:
    """The scenario that `mcu-harness profile IMAGE --board ...` means."""
    scenario = _without_file(image, boards, why_no_file(image), hint="give firmware: a linked .elf, a .hex or a .bin")
    firmware.check()
    return replace(scenario, firmware=firmware)


def _without_file(subject: Path, boards: tuple[str, ...], problem: str, hint: str) -> Scenario:
    """What a model or an image on the command line stands for; ScenarioError with `hint` where there is a `problem`."""
    if problem:
        raise ScenarioError(f"{subject}: {problem}", hint=hint)
    return Scenario(
        name=one_line(model_stem(subject)),
        description="",
        models=(subject.absolute(),),
        boards=boards,
        inputs=InputSpec(),
        outputs=OutputSpec(),
        budgets={},
        board_budgets={},
        tolerances=(),
        baseline_directory=BASELINES,
        directory=Path.cwd(),
        path=None,
        digest="",
    )


def _image(top: toml_reader.Table, firmware: FirmwareSpec, directory: Path) -> tuple[Path, ...]:
    for key in (
        "model",
        "models",
        "variants",
        "inputs",
        "outputs",
        "quantize",
        "kernels",
        "cmsis_nn",
        "operators",
        "placement",
    ):
        if key in top:
            raise top.fail(key, "belongs to a model, and this scenario is about firmware", hint=f"remove `{key}`")
    if not firmware.build and BOARD_PLACEHOLDER not in firmware.image and not (directory / firmware.image).is_file():
        table = top.needed_table("firmware")
        key = "image" if "image" in table else "elf"
        raise table.fail(
            key, f"no such file: {directory / firmware.image}", hint="paths are relative to the scenario file"
        )
    return (directory / firmware.image,)


def _kernels(top: toml_reader.Table) -> str:
    choice = top.text("kernels", KERNEL_CHOICES[0])
    if choice not in KERNEL_CHOICES:
        raise top.fail("kernels", f"no kernels are called {choice!r}", hint="one of " + ", ".join(KERNEL_CHOICES))
    return choice


def _cmsis_nn(top: toml_reader.Table, directory: Path) -> Path | None:
    if "cmsis_nn" not in top:
        return None
    named = top.text("cmsis_nn")
    if top.text("kernels", "") != CMSIS_NN:
        raise top.fail(
            "cmsis_nn", f"belongs to the kernels {CMSIS_NN}", hint=f'add kernels = "{CMSIS_NN}", or remove it'
        )
    return directory / Path(named).expanduser()


def _models(top: toml_reader.Table, directory: Path, variants: tuple[Variant, ...]) -> tuple[Path, ...]:
    if variants:
        for key in ("model", "models"):
            if key in top:
                raise top.fail(key, f"give either `{key}` or [[variants]], not both")
        return tuple(variant.model for variant in variants)
    if "model" in top and "models" in top:
        raise top.fail("models", "give either `model` or `models`, not both")
    key = "models" if "models" in top else "model"
    names = top.texts(key) if key == "models" else (top.text(key),)
    if not names:
        raise top.fail(key, "no model")
    paths = []
    for name in names:
        path = directory / name
        if problem := why_no_model(path):
            raise top.fail(key, f"{problem}: {path}", hint="paths are relative to the scenario file")
        paths.append(path)
    stems = [model_stem(path) for path in paths]
    if len(set(stems)) != len(stems):
        raise top.fail(key, "two models have the same file name")
    return tuple(paths)


def _existing(table: toml_reader.Table, key: str, directory: Path, name: str) -> Path:
    path = directory / name
    if problem := why_no_file(path):
        raise table.fail(key, f"{problem}: {path}", hint="paths are relative to the scenario file")
    return path


def _inputs(top: toml_reader.Table, directory: Path) -> InputSpec:
    table = top.table("inputs")
    if table is None:
        return InputSpec()
    if "file" in table:
        if "seed" in table:
            raise table.fail("seed", "give either `file` or `seed`, not both")
        count = table.whole("count") if "count" in table else None
        emulated = table.whole("emulated") if "emulated" in table else None
        if emulated == 0:
            raise table.fail("emulated", "must be 1 or more")
        file = _existing(table, "file", directory, table.text("file"))
        spec = InputSpec(file=file, count=count, emulated=emulated)
    else:
        spec = InputSpec(seed=table.whole("seed", DEFAULT_SEED), count=table.whole("count", DEFAULT_COUNT))
    if spec.count == 0:
        raise table.fail("count", "must be 1 or more")
    table.done()
    return spec


def _outputs(top: toml_reader.Table, directory: Path) -> OutputSpec:
    table = top.table("outputs")
    if table is None:
        return OutputSpec()
    if "file" in table:
        if "oracle" in table:
            raise table.fail("oracle", "give either `file` or `oracle`, not both")
        spec = OutputSpec(oracle="file", file=_existing(table, "file", directory, table.text("file")))
    else:
        spec = OutputSpec(oracle=table.text("oracle", "litert", choices=("litert", "tflm", "none")))
    threshold = table.quantity("threshold", "number") if "threshold" in table else None
    table.done()
    return replace(spec, threshold=threshold)


def _baseline(top: toml_reader.Table) -> tuple[tuple[Tolerance, ...], str]:
    """[baseline]: `cycles = "2 %"`, `flash = "+256 B"`, and `directory`."""
    table = top.table("baseline")
    if table is None:
        return (), BASELINES
    directory = table.text("directory", BASELINES)
    tolerances = []
    for key in tolerated():
        if key in table:
            try:
                tolerances.append(parse_tolerance(f"{key}:{table.text(key)}"))
            except UnitError as error:
                raise table.fail(key, error.message, hint=error.hint) from error
    table.done()
    return tuple(tolerances), directory
