"""Ready models of peripherals, for live boards in the embedded emulator: Renode has its own."""
