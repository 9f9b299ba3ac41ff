"""The embedded emulator, on Unicorn: what a board has around its core is made here."""
