"""From a model file to C: `convert/`, `importers/`, the graph, its checks, the memory plan, the oracle, and `codegen/`.

May import `base`, `hardware`, `scenario` and `results`. Knows no compiler and no emulator.
"""
