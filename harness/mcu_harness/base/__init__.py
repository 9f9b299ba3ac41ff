"""Tools without a domain: errors with a hint, files written whole, processes with a deadline, units, TOML with line numbers, a cache.

Imports nothing of the other rooms, and knows no board, model, figure or emulator: it could be a library of its own.
"""
