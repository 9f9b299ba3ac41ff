"""Putting it together: the line from a case to a result, sessions, and the adapters: `cli/` and the pytest plugin.

May import every room, and no room imports it. Adapters translate options and text; what is decided is decided elsewhere.
"""
