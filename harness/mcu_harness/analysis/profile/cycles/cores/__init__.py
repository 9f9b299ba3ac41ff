"""Cycle tables, a module for each core, called as the core is: cortex-m0+ is `cortex_m0plus.py`, with a function `table`."""
