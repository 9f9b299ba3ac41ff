"""What quantisation cost, as figures of a run: see `mcu_harness.model.faithfulness` for what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.model.faithfulness import Faithfulness, lowest
from mcu_harness.results.origin import Origin, OriginKind, not_measured
from mcu_harness.results.records import Contributor, Measurement

NO_LABELS = 'the samples have no labels, an array "labels" beside "inputs" in their .npz ([inputs] file, or --dataset)'
_NAMES = ("accuracy_drop", "argmax_agreement", "sqnr_db")
_NAMED = 5  # layers among the contributors


def measurements(found: Faithfulness | str, regions: Sequence[CodeRegion]) -> tuple[Measurement, ...]:
    """The figures of a converted model; a text says why there are none. `regions` are its layers."""
    if isinstance(found, str):
        return tuple(Measurement.of(name, None, not_measured(found)) for name in _NAMES)
    compared = f"beside {found.original}, on {found.samples} {found.source}"
    seen = Origin(OriginKind.OBSERVED, compared)
    worst = found.worst_layer
    noisy = seen
    if worst is not None:
        noisy = seen.and_(f"worst layer {regions[worst].name}: {found.layers[worst]:.1f} dB")
    drop = seen
    if found.accuracy is None or found.original_accuracy is None:
        drop = not_measured(NO_LABELS)
    else:
        drop = seen.and_(f"{found.original_accuracy:.2%} in float, {found.accuracy:.2%} quantised")
    return (
        Measurement.of("accuracy_drop", found.accuracy_drop, drop),
        Measurement.of(
            "argmax_agreement",
            found.agreement,
            seen if found.agreement is not None else not_measured("the first output has one element"),
        ),
        Measurement.of(
            "sqnr_db",
            found.sqnr_db,
            noisy if found.sqnr_db is not None else not_measured("the outputs are equal to those of the float model"),
        ),
    )


def contributors(found: Faithfulness | str, regions: Sequence[CodeRegion]) -> dict[str, tuple[Contributor, ...]]:
    """The layers with the lowest ratios, lowest first, for the figures that they explain."""
    if isinstance(found, str):
        return {}
    noisiest = tuple(Contributor(f"layer {regions[k].name}", ratio) for k, ratio in lowest(found.layers, _NAMED))
    return {"sqnr_db": noisiest}


def with_ratios(found: Faithfulness | str, regions: Sequence[CodeRegion]) -> tuple[CodeRegion, ...]:
    """`regions` with the ratio of each."""
    if isinstance(found, str):
        return tuple(regions)
    return tuple(replace(region, sqnr_db=found.layers.get(k)) for k, region in enumerate(regions))
