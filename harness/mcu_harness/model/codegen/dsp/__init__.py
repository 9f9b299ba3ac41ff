"""Kernels for cores with the DSP extension (two multiplications an instruction): layouts, constants, scratch."""
