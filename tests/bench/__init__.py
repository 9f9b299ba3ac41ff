"""Speed and size, as ratios against a named limit or peer: `tox -e bench`. Prints a table and fails on nothing."""
