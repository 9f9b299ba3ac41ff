"""Getting a Renode through renode-run, when the user asks for one."""

from __future__ import annotations

import importlib.util
import sys

from mcu_harness.base.errors import EmulatorError
from mcu_harness.base.process import run
from mcu_harness.emulator.renode import versions
from mcu_harness.emulator.renode.find import Install, find_renode

GET_RENODE_RUN = "pip install git+https://github.com/antmicro/renode-run"
_DOWNLOAD_TIMEOUT_S = 1800.0


def install(version: str = versions.INSTALLED_BY_DEFAULT) -> Install:
    """Download that version with renode-run and make it the one that is used; returns it.

    Raises EmulatorError when renode-run is missing, fails, or leaves something else than what was asked for.
    """
    if version not in versions.SUPPORTED:
        raise EmulatorError(f"Renode {version} is not supported", hint=f"choose one of {', '.join(versions.SUPPORTED)}")
    if importlib.util.find_spec("renode_run") is None:
        raise EmulatorError("renode-run is not installed: it gets Renode and keeps it", hint=GET_RENODE_RUN)
    done = run([sys.executable, "-m", "renode_run", "download", version], _DOWNLOAD_TIMEOUT_S)
    if done.exit_code:
        tail = "".join(f"\n    {line}" for line in done.output.replace("\r", "\n").strip().splitlines()[-5:])
        raise EmulatorError(f"renode-run could not get Renode {version}:{tail}", hint="check the network and try again")
    found = find_renode()
    if (found.origin, found.version) != ("renode-run", version):
        raise EmulatorError(
            f"renode-run was asked for Renode {version}, but {found.version} from {found.origin} would be used",
            hint="look at `renode-run list`, and make the one you want its default",
        )
    return found
