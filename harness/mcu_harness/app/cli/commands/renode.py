"""The command `renode`: get Renode, and say which one is used."""

from __future__ import annotations

import argparse

from mcu_harness.app.cli.commands.shared import PASS


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    install = actions.add_parser("install", help="download it with renode-run, and use it from then on")
    install.add_argument("--version", metavar="V", help="which version (default: the newest supported one)")
    install.set_defaults(command=_install)
    path = actions.add_parser("path", help="print the path of the Renode that is used")
    path.set_defaults(command=_path)


def _path(_: argparse.Namespace) -> int:
    from mcu_harness.emulator.renode.find import find_renode

    print(find_renode().path)
    return PASS


def _install(arguments: argparse.Namespace) -> int:
    from mcu_harness.emulator.renode import install, versions

    found = install.install(arguments.version or versions.INSTALLED_BY_DEFAULT)
    print(f"Renode {found.version} is installed: {found.path}")
    return PASS
