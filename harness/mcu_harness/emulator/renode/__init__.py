"""Renode, the emulator of record: see `emulator.RenodeEmulator`."""
