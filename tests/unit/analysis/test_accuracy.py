"""How far cycles can be trusted: what the package says, and where it comes from."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from mcu_harness.analysis.profile.cycles.accuracy import Accuracy, known, statement, written
from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.app.cli.commands.validate import summary
from mcu_harness.app.cycle_validation import ground_truths
from sample_boards import board

FAST = Accuracy("a", "cortex-m4", "", "cortex-m4 9", 19, 1.23, 4.56, 0.999, "rules were chosen on them")
HERE = replace(FAST, name="b", board="board_b", programs=5, mean_percent=0.34, worst_percent=0.5, chosen="lines were")


def test_what_is_written_is_read_again() -> None:
    assert [Accuracy(**entry) for entry in tomllib.loads(written([FAST, HERE]))["accuracy"]] == [FAST, HERE]


def test_the_package_states_an_error_for_every_published_measurement_and_for_the_models_it_has() -> None:
    entries = known()
    assert {entry.name for entry in entries} == {truth.name for truth in ground_truths()}
    for entry in entries:
        assert entry.model == CYCLE_TABLES[entry.core](1).name, "another version of the model: validate it again"
        assert entry.mean_percent <= entry.worst_percent < 12


def test_the_readme_shows_what_the_package_says() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    assert summary(known()) in readme


def test_the_measurement_on_the_board_itself_comes_first() -> None:
    made = replace(board("cortex-m4"), name="board_b")
    slow = replace(made, memories=tuple(replace(memory, wait_states=2) for memory in made.memories))
    here = statement(slow, "cortex-m4 9", [FAST, HERE])
    assert here == "+-0.3 % (worst 0.5 %) on 5 measured programs on this board; lines were"
    held_out = [
        replace(HERE, name="c", programs=3, mean_percent=2, worst_percent=3, chosen="nothing was"),
        replace(HERE, name="d", programs=1, mean_percent=4, worst_percent=4, chosen="nothing was"),
    ]
    both = statement(slow, "cortex-m4 9", [FAST, *held_out, HERE])
    assert both == f"{here}; +-2.5 % (worst 4.0 %) on 4 measured programs that nothing was chosen on"
    fast = statement(made, "cortex-m4 9", [FAST, HERE])
    assert fast == "+-1.2 % (worst 4.6 %) on 19 measured programs without wait states; rules were chosen on them"
    other = statement(replace(slow, name="c"), "cortex-m4 9", [FAST, HERE])
    assert other == f"{fast}; what this board's memories add is not validated"


def test_without_a_measurement_it_says_so() -> None:
    made = board("cortex-m4")
    assert statement(made, "cortex-m4 8", [FAST, HERE]) == "not validated"
    elsewhere = replace(
        HERE, name="c", board="board_c", programs=3, mean_percent=2, worst_percent=3, chosen="nothing was"
    )
    assert statement(made, "cortex-m4 9", [HERE, elsewhere]) == (
        "not validated on this board; +-2.0 % (worst 3.0 %) on 3 measured programs on board_c"
    )
    assert statement(made, "cortex-m4 9", [HERE]) == (
        "not validated on this board; +-0.3 % (worst 0.5 %) on 5 measured programs on board_b"
    )


def test_a_board_file_that_is_silent_about_wait_states_borrows_no_error() -> None:
    stated = board()
    memories = tuple(replace(memory, wait_states=0) for memory in stated.memories)
    zero = replace(stated, memories=memories)
    silent = replace(stated, memories=tuple(replace(memory, waits_stated=False) for memory in memories))
    assert "%" in statement(zero, "cortex-m4 9", [FAST, HERE])
    said = statement(silent, "cortex-m4 9", [FAST, HERE])
    assert said.startswith("not validated: the board file states no wait states of ")
    assert "%" not in said
