"""Kernels for cores without the DSP extension: two positions in one word, so that one multiplication gives two products."""
