"""Which set of kernels computes a layer: the door for kernels that are written for some cores only.

A set is a row of `SETS`: for which targets it is made, and one emitter an operator. For every layer the sets of a choice are asked in
turn. An emitter that cannot compute a layer exactly, or not faster, raises Unsuited with the reason, and the next set is
asked; the portable set takes every layer. What was chosen, and why not an earlier one, goes into the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from mcu_harness.base.errors import ModelError
from mcu_harness.hardware.core import CORES
from mcu_harness.model.codegen.cmsis_nn import convolution as cmsis_convolution
from mcu_harness.model.codegen.cmsis_nn import elementwise as cmsis_elementwise
from mcu_harness.model.codegen.cmsis_nn import fully_connected as cmsis_fully_connected
from mcu_harness.model.codegen.cmsis_nn import pooling as cmsis_pooling
from mcu_harness.model.codegen.dsp import convolution as dsp_convolution
from mcu_harness.model.codegen.dsp import fully_connected as dsp_fully_connected
from mcu_harness.model.codegen.emitters import EMITTERS, LEGACY_EMITTERS, PLAIN_EMITTERS, WIDE_EMITTERS
from mcu_harness.model.codegen.fitted import add as fitted_add
from mcu_harness.model.codegen.layer import Context, Emitter, LayerCode, Unsuited, in_file
from mcu_harness.model.codegen.operators import lookup
from mcu_harness.model.codegen.operators.lookup import TABLE
from mcu_harness.model.codegen.pairs import convolution as pairs_convolution
from mcu_harness.model.codegen.pairs import fully_connected as pairs_fully_connected
from mcu_harness.model.graph import Layer
from mcu_harness.model.legacy_uint8 import AS_UINT8
from mcu_harness.model.operators.catalogue import computes_in

_WIDE = "int16"
_PLAIN = ("int32", "float32")
_OTHERS = (_WIDE, *_PLAIN)  # types in which layers compute otherwise than in int8


def _form(layer: Layer, context: Context) -> str:
    """ "" for layers that compute as of int8, else the key of `KernelSet.others`."""
    if layer.attributes.get(AS_UINT8):
        return AS_UINT8
    kind = computes_in(context.graph, layer)
    return kind if kind in _OTHERS else ""


@dataclass(frozen=True, slots=True)
class KernelSet:
    """Kernels that are chosen together. `name` is that of their folder under firmware/kernels.

    `version` goes into every result and must rise when any kernel's cost may have changed. `runs_on` tells by
    Board.target whether a target has what they need. `others` are emitters of layers of another form than int8.
    """

    name: str
    version: int
    runs_on: Callable[[str], bool]
    emitters: Mapping[str, Emitter]
    others: Mapping[str, Mapping[str, Emitter]] = field(default_factory=dict)

    def emitters_for(self, form: str) -> Mapping[str, Emitter]:
        return self.others.get(form, {}) if form else self.emitters

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}"


def _has_dsp(target: str) -> bool:
    # "cortex-m0+" ends in the sign that parts options: the longest name that fits
    core = max((name for name in CORES if target == name or target.startswith(f"{name}+")), key=len)
    return CORES[core].dsp == "always" or "dsp" in target.removeprefix(core).split("+")


PORTABLE = KernelSet(
    "portable",
    2,
    lambda target: True,
    EMITTERS,
    {_WIDE: WIDE_EMITTERS, AS_UINT8: LEGACY_EMITTERS, **dict.fromkeys(_PLAIN, PLAIN_EMITTERS)},
)
FITTED = KernelSet("fitted", 1, lambda target: True, {"ADD": fitted_add.emit, "SUB": fitted_add.emit})
DSP = KernelSet(
    "dsp",
    8,
    _has_dsp,
    {
        "CONV_2D": dsp_convolution.emit,
        "DEPTHWISE_CONV_2D": dsp_convolution.emit,
        "FULLY_CONNECTED": dsp_fully_connected.emit,
    },
)
PAIRS = KernelSet(
    "pairs",
    4,
    lambda target: not _has_dsp(target),
    {
        "CONV_2D": pairs_convolution.emit,
        "DEPTHWISE_CONV_2D": pairs_convolution.emit,
        "FULLY_CONNECTED": pairs_fully_connected.emit,
    },
)


def _cmsis_nn(*, has_dsp: bool) -> KernelSet:
    """Functions of the user's own CMSIS-NN (`mcu_harness.image.cmsis_nn`); scratch differs with the DSP extension."""
    convolve, pool = (partial(each.emit_with, has_dsp=has_dsp) for each in (cmsis_convolution, cmsis_pooling))
    return KernelSet(
        "cmsis-nn",
        1,
        lambda target: _has_dsp(target) is has_dsp,
        {
            "CONV_2D": convolve,
            "DEPTHWISE_CONV_2D": convolve,
            "FULLY_CONNECTED": cmsis_fully_connected.emit,
            "AVERAGE_POOL_2D": pool,
            "MAX_POOL_2D": pool,
            "ADD": cmsis_elementwise.emit_add,
            "MUL": cmsis_elementwise.emit_mul,
            "SOFTMAX": cmsis_elementwise.emit_softmax,
        },
    )


# What `kernels` of a scenario stands for: the sets that are asked, in this order.
CHOICES: dict[str, tuple[KernelSet, ...]] = {
    "fast": (DSP, PAIRS, FITTED, PORTABLE),
    "portable": (PORTABLE,),
    "cmsis-nn": (_cmsis_nn(has_dsp=True), _cmsis_nn(has_dsp=False), DSP, PAIRS, FITTED, PORTABLE),
}
DEFAULT = "fast"


def kernel_sets(choice: str, target: str) -> tuple[KernelSet, ...]:
    """The sets of `choice` (a key of CHOICES) that run on `target` (Board.target), the preferred one first."""
    return tuple(kernel_set for kernel_set in CHOICES[choice] if kernel_set.runs_on(target))


def emit(layer: Layer, context: Context, sets: tuple[KernelSet, ...]) -> LayerCode:
    """The layer as C with the kernels of the first set that takes it; `refused` in the result says why others do not.

    Raises ModelError for an operator that cannot be turned into C.
    """
    refused, form = [], _form(layer, context)
    for kernel_set in sets:
        emitter = kernel_set.emitters_for(form).get(layer.operator)
        if TABLE in layer.attributes:  # whatever operators it was
            emitter = lookup.emit if kernel_set is PORTABLE else None
        if emitter is None:
            continue
        try:
            code = emitter(layer, context)
        except Unsuited as reason:
            refused.append(f"{kernel_set.name}: {reason}")
            continue
        except ModelError as error:
            raise ModelError(in_file(context.graph, error.message), hint=error.hint) from error
        return replace(code, refused="; ".join(refused))
    raise ModelError(
        in_file(context.graph, f"{layer.place}: there is no C for this operator"),
        hint="supported: " + ", ".join(sorted(EMITTERS)),
    )
