"""Generated firmware beside TensorFlow Lite Micro with CMSIS-NN: modelled cycles of one inference on the same boards.

Ours are measured here, on the models of `scenarios/`, which have the shapes of MLPerf Tiny's. The peer's are quoted: tflite-micro
90b983c2b with CMSIS-NN 4ab83cc3, GCC 12.2 -O2, on MLPerf Tiny's own models, replayed on these boards by the same cycle models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.results.regression_gate import Gate
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import scenario_for_model

MODELS = Path(__file__).parent.parent.parent / "scenarios" / "models"

# Million cycles of the peer, and how many times as many ours are to take at most, by board and model.
PEER = {
    "nucleo_l4r5zi": {
        "keyword_spotting": (10.26, 0.48),
        "image_classification": (41.32, 0.49),
        "visual_wake_words": (33.49, 0.502),
        "anomaly_detection": (0.952, 0.56),
    },
    "nucleo_u575zi_q": {
        "keyword_spotting": (8.146, 0.48),
        "image_classification": (32.90, 0.48),
        "visual_wake_words": (25.67, 0.506),
        "anomaly_detection": (0.781, 0.618),
    },
    "stm32f746g_disco": {
        "keyword_spotting": (6.289, 0.46),
        "image_classification": (27.07, 0.40),
        "visual_wake_words": (20.09, 0.47),
        "anomaly_detection": (0.551, 0.55),
    },
    "nucleo_g0b1re": {
        "keyword_spotting": (45.95, 0.36),
        "image_classification": (158.0, 0.36),
        "visual_wake_words": (137.3, 0.38),
        "anomaly_detection": (3.088, 0.53),
    },
    "nucleo_l152re": {
        "keyword_spotting": (18.56, 0.65),
        "image_classification": (78.03, 0.58),
        "anomaly_detection": (2.011, 0.60),
    },
}

# MLPerf Tiny's own visual wake words (vww_96_int8.tflite), where this names it: half of its MACs only compute constants and are left out.
OWN_MODEL = "MLPERF_VWW"
OWN_LIMITS = {"nucleo_l4r5zi": 0.34, "nucleo_u575zi_q": 0.33, "stm32f746g_disco": 0.32, "nucleo_g0b1re": 0.26}


@dataclass(frozen=True)
class Compared:
    """Million cycles of ours with the fast and the portable kernels, and of the peer."""

    board: str
    model: str
    fast: float
    portable: float
    peer: float
    limit: float

    @property
    def ratio(self) -> float:
        return self.fast / self.peer


def compared() -> Iterator[Compared]:
    """Every model on every board that the peer was measured on."""
    for board, models in PEER.items():
        for model, (peer, limit) in models.items():
            path = MODELS / f"{model}.tflite"
            yield Compared(board, model, _cycles(board, path, "fast"), _cycles(board, path, "portable"), peer, limit)


def compared_on_its_own_model(model: Path) -> Iterator[Compared]:
    """The model that the peer's figures of visual wake words are of."""
    for board, limit in OWN_LIMITS.items():
        fast, portable = _cycles(board, model, "fast"), _cycles(board, model, "portable")
        yield Compared(board, f"MLPerf Tiny's {model.stem}", fast, portable, PEER[board]["visual_wake_words"][0], limit)


def _cycles(board: str, model: Path, kernels: str) -> float:
    """Million cycles; exits with what is wrong where outputs are not those of LiteRT."""
    session = Session(Gate())
    (case,) = cases_of(scenario_for_model(model, (board,)))
    run = session.run(case, Options(emulator="unicorn", toolchain="gnu", kernels=kernels))
    if not session.passed:
        raise SystemExit(
            f"{model.name} on {board} with {kernels} kernels: {[finding.message for finding in run.findings]}"
        )
    return run.measurements["cycles"].value / 1e6
