"""The command line: arguments in, library calls, text and an exit status out."""
