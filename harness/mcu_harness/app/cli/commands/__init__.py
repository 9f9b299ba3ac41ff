"""Subcommands of `mcu-harness`, a module for each family: adapters from arguments to library calls."""
