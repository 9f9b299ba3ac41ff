"""The ways to make a model smaller without training, by name; light, since the command line asks for them always."""

from __future__ import annotations

from dataclasses import dataclass

DENSE = "kernels compute every weight, zero or not, and store each in a byte"


@dataclass(frozen=True, slots=True)
class Method:
    """`option` is what it takes besides the model, "" for nothing; `structural` ones change a float model's shapes."""

    name: str
    about: str
    structural: bool = True
    option: str = ""


METHODS = {
    method.name: method
    for method in (
        Method("dead-channels", "take out channels that are always 0, or that nothing looks at: the same outputs"),
        Method("duplicate-channels", "merge channels with the same weights: the same outputs, but for float rounding"),
        Method("prune", "take out the channels whose filters are smallest; train on afterwards", option="share"),
        Method("low-rank", "dense and 1x1 layers as two smaller ones, by singular values", option="energy"),
        Method("per-channel", "int8 with a scale for each output channel", structural=False),
        Method("per-tensor", "int8 with one scale for each filter tensor", structural=False),
        Method("minmax", "int8 with ranges that hold all that the samples showed", structural=False),
        Method("percentile", "int8 with ranges without the outermost values", structural=False),
        Method(
            "16x8",
            "activations of 16 bits, weights of 8: nearer to float, twice the RAM, more cycles",
            structural=False,
        ),
        Method("int4", "weights of 4 bits: a smaller file, and firmware as large as before", structural=False),
    )
}

# What people ask for that saves nothing here, and why.
_ZEROS = f"single weights of 0 save nothing: {DENSE}; `prune` takes out whole channels"
SAVES_NOTHING = {
    "zero-weights": _ZEROS,
    "sparse": _ZEROS,
    "cluster": f"weights that share values save nothing: {DENSE}; `low-rank` and `prune` make layers smaller",
}
