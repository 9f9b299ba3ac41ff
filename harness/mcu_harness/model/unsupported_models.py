"""What kind of model it is that no kernel here takes, and what its owner can do: told from types and custom operators."""

from __future__ import annotations

from collections.abc import Iterable

from mcu_harness.model.graph import Tensor

_OWN_FIRMWARE = "firmware that runs it as it is can be measured with `mcu-harness profile`"

# By the type of an activation where int8 is expected.
_BY_TYPE = {
    "float32": "it computes in float here: quantise the whole model (mcu-harness convert MODEL --calibration FILE --output FILE); "
    + _OWN_FIRMWARE,
    "uint8": "it is quantised to uint8, as TensorFlow 1 did, of which this operator computes otherwise than of int8: quantise the original model again, to int8; "
    + _OWN_FIRMWARE,
    "int16": "it has int16 activations (16x8), which this operator has no kernel for: quantise the original model to int8; "
    + _OWN_FIRMWARE,
}

# By the beginning of a custom operator's name, in small letters.
_ACCELERATORS = {
    "ethos-u": "Arm Ethos-U, by Vela",
    "edgetpu": "Coral's Edge TPU, by edgetpu_compiler",
    "neutron": "NXP's Neutron, by the neutron-converter",
    "stm32": "ST's Neural-ART, by ST Edge AI",
    "ai8x": "Analog Devices' MAX78000",
    "hailo": "a Hailo accelerator",
    "vsi_npu": "a VeriSilicon NPU",
    "vx-delegate": "a VeriSilicon NPU",
}


# Operators that LiteRT has, but not for int8: there is nothing that firmware could be equal to.
_WITHOUT_INT8 = frozenset(
    """
    ELU SQUARE POW SIN COS FLOOR CEIL ROUND SIGN CUMSUM ADD_N RANK L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION RNN
    BIDIRECTIONAL_SEQUENCE_RNN ATAN2 CONV_3D CONV_3D_TRANSPOSE RFFT2D
    """.split()  # noqa: SIM905
)


def hint_of_operators(names: Iterable[str]) -> str:
    """The next step for operators that are not supported, "" where LiteRT has kernels for all of them."""
    without = [name for name in names if name in _WITHOUT_INT8]
    if not without:
        return ""
    return (
        f"LiteRT itself has no int8 kernel for {', '.join(without)}: build the model without "
        "(SQUARE is MUL of a tensor with itself; ELU can be LEAKY_RELU or RELU), and convert it again"
    )


def hint_of_type(tensor: Tensor | None, problem: str) -> str:
    """The next step for a layer whose operand has another type than int8; "" where the type is not the problem."""
    return (
        _BY_TYPE.get(tensor.dtype, "")
        if tensor is not None and f" of {tensor.dtype}, expected an int8" in problem
        else ""
    )


def hint_of_custom_operator(name: str) -> str:
    """The next step for a custom operator, "" where nothing is known of it. `name` is text of the model file."""
    made_for = next((what for start, what in _ACCELERATORS.items() if name.lower().startswith(start)), None)
    if made_for:
        return f"the model was compiled for {made_for}, and only runs there: give the .tflite file that was compiled"
    if name.lower().startswith("flex"):
        return "the model needs TensorFlow's own operators (Flex), which no microcontroller has: convert it without SELECT_TF_OPS"
    return ""
