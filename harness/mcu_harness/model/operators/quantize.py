"""Between int8 and other types."""

from __future__ import annotations

from mcu_harness.model.operators.multipliers import ratio
from mcu_harness.model.operators.operator import Operator, Role
from mcu_harness.model.operators.options import options
from mcu_harness.model.operators.shapes import same

OPERATORS = (
    Operator(
        "QUANTIZE",
        (Role.FLOAT_OR_INTEGER,),
        same,
        options(89),
        output=Role.INTEGER,
        problem=ratio,
        in_place=(0,),
        widens=True,
    ),
    Operator("DEQUANTIZE", (Role.QUANTISED,), same, options(38), output=Role.FLOAT, in_place=(0,), widens=True),
    Operator("CAST", (Role.NUMBERS_OR_TRUTHS,), same, options(37), output=Role.COUNTED, in_place=(0,), widens=True),
)
