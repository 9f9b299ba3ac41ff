"""Taking channels out: those that do nothing, those that are there twice, and those whose filters are smallest."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.convert.shrink.groups import Group, groups, is_relu, per_channel, take_out
from mcu_harness.model.convert.shrink.net import Array, Net


def without_dead(net: Net) -> list[str]:
    """Take out channels that are always 0 and those that nothing looks at, until there are none; says what was done."""
    said: list[str] = []
    while changed := [line for group in groups(net)[0] if (line := _dead_gone(net, group))]:
        said += changed
    return said or ["no channel is always 0 or read by nothing"]


def _dead_gone(net: Net, group: Group) -> str:
    unread = np.ones(group.count, bool)
    for part in group.readers:
        unread &= ~per_channel(net, part, group.count).any(1)
    dead = _always_zero(net, group) | unread
    return _gone(net, group, np.flatnonzero(dead), "dead")


def _always_zero(net: Net, group: Group) -> Array:
    """Which channels are 0 wherever they are read, whatever goes in."""
    zero = np.full(group.count, group.keeps_zero)
    for part in group.makers:
        zero &= ~per_channel(net, part, group.count).any(1)
        clipped = all(is_relu(node, net) for node in net.readers(part.node.output[0]))
        for bias in group.biases:
            if bias.node is part.node:
                values = per_channel(net, bias, group.count)[:, 0]
                zero &= (values <= 0) if clipped else (values == 0)
    return zero


def without_duplicates(net: Net) -> list[str]:
    """Merge channels with the same filters, biases and constants on their way: readers look at one of them for all."""
    said = [line for group in groups(net)[0] if (line := _duplicates_gone(net, group))]
    return said or ["no two channels are the same"]


def _duplicates_gone(net: Net, group: Group) -> str:
    parts = (*group.makers, *group.biases, *group.carried)
    rows = np.concatenate([per_channel(net, part, group.count) for part in parts], axis=1)
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    kept = first[np.asarray(which).reshape(-1)]
    gone = np.flatnonzero(kept != np.arange(group.count))
    for part in group.readers:
        filters = np.moveaxis(net.constants[part.name], part.axis, 0).copy()
        by_channel = filters.reshape(group.count, part.block, *filters.shape[1:])
        for channel in gone:
            by_channel[kept[channel]] += by_channel[channel]
        net.constants[part.name] = np.ascontiguousarray(np.moveaxis(by_channel.reshape(filters.shape), 0, part.axis))
    return _gone(net, group, gone, "duplicate")


def pruned(net: Net, share: float) -> list[str]:
    """Take out the `share` of each group's channels whose filters have the least magnitude (sum of absolute weights)."""
    found, kept = groups(net)
    said = []
    for group in found:
        size = sum(_magnitude(net, group, nth) for nth in range(len(group.makers)))
        fewest = min(round(group.count * share), group.count - 1)
        said.append(_gone(net, group, np.argsort(size, kind="stable")[:fewest], "smallest"))
    return [*filter(None, said), *kept]


def _magnitude(net: Net, group: Group, nth: int) -> Array:
    """The sum of absolute weights of each filter, relative to the mean of its layer: layers that are added count alike."""
    rows = np.abs(per_channel(net, group.makers[nth], group.count).astype(np.float64)).sum(1)
    mean = rows.mean()
    return np.asarray(rows / mean if mean else rows)


def _gone(net: Net, group: Group, gone: Array, what: str) -> str:
    """Take out `gone`, but never all; a sentence that says what became of the layers, "" where nothing did."""
    gone = gone[: group.count - 1]
    if not len(gone):
        return ""
    before = group.count
    take_out(net, group, gone.tolist())
    return f"{group.name}: {before} -> {group.count} channels, {len(gone)} {what}"
