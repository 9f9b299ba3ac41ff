"""Executed blocks go in, counts per calling context come out; compiled by numba, one for every emulator."""
