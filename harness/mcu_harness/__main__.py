"""`python -m mcu_harness` is the command `mcu-harness`."""

from __future__ import annotations

import sys

from mcu_harness.app.cli.main import main

sys.exit(main())
