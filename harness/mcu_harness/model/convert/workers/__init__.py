"""Programs that run in child processes: `python -P -m mcu_harness.model.convert.workers.NAME REQUEST.json`.

Each answers with one line of JSON as the last line of its output (`answering.py`). Only they import heavy libraries.
"""
