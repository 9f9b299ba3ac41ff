"""Which kernels compute a model, as a word that a scenario or an option gives."""

from __future__ import annotations

CMSIS_NN = "cmsis-nn"
# The default first: the keys of CHOICES in mcu_harness.model.codegen.kernel_sets, which says what they stand for.
KERNEL_CHOICES = ("fast", "portable", CMSIS_NN)
