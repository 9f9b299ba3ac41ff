"""Kernels whose numbers are searched so that one step of arithmetic equals the reference's many: plain C, for all cores."""
