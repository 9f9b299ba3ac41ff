"""The zoo's nets that come from PyTorch: exported with torch.export, and made int8 .tflite by mcu-harness. Untrained, with fixed seeds.

The int8 files are kept, so that the scenarios need no PyTorch.

Run: python scenarios/zoo/make_torch.py   (needs torch, and mcu-harness with the extra torch)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mcu_harness.model.int8_model import int8_model
from mcu_harness.scenario.quantize import QuantizeSpec

HERE = Path(__file__).resolve().parent
SEED, SAMPLES = 13, 64


class Tcn(nn.Module):
    """Causal convolutions in time whose steps grow by twos, with a way around each pair: 32 steps of 6 values."""

    shape = (6, 32)

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(6, 12, 1)
        self.layers = nn.ModuleList(nn.Conv1d(12, 12, 3, dilation=step) for step in (1, 2, 4))
        self.last = nn.Linear(12, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        for step, layer in zip((1, 2, 4), self.layers, strict=True):
            x = x + functional.relu(layer(functional.pad(x, (2 * step, 0))))
        return functional.softmax(self.last(x[:, :, -1]), 1)


class MobileBertBlock(nn.Module):
    """Attention and four small dense pairs inside a bottleneck; a scale and an offset stand for normalisation, as there."""

    shape = (12, 32)
    width, inner, heads = 32, 16, 2

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(self.width, self.inner), nn.Linear(self.inner, self.width)
        self.parts = nn.ModuleList(nn.Linear(self.inner, self.inner) for _ in range(4))
        self.pairs = nn.ModuleList(
            nn.Sequential(nn.Linear(self.inner, 2 * self.inner), nn.ReLU(), nn.Linear(2 * self.inner, self.inner))
            for _ in range(4)
        )
        self.scales = nn.ParameterList(nn.Parameter(1 + 0.2 * torch.randn(self.inner)) for _ in range(5))
        self.offsets = nn.ParameterList(nn.Parameter(0.1 * torch.randn(self.inner)) for _ in range(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        narrow = self.into(x)
        query, key, value = (part(narrow) for part in self.parts[:3])
        found, size = [], self.inner // self.heads
        for head in range(self.heads):
            q, k, v = (each[:, :, head * size : (head + 1) * size] for each in (query, key, value))
            weights = functional.softmax(q @ k.transpose(1, 2) * size**-0.5, -1)
            found.append(weights @ v)
        y = (self.parts[3](torch.cat(found, -1)) + narrow) * self.scales[0] + self.offsets[0]
        for pair, scale, offset in zip(self.pairs, self.scales[1:], self.offsets[1:], strict=True):
            y = (pair(y) + y) * scale + offset
        return self.out(y) + x


class ConvAutoencoder(nn.Module):
    """Two convolutions down and two transposed ones up, on pictures of 16x16."""

    shape = (1, 16, 16)

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 3, 2, 1), nn.ReLU())
        self.up = nn.Sequential(nn.ConvTranspose2d(4, 8, 2, 2), nn.ReLU(), nn.ConvTranspose2d(8, 1, 2, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x))


NETS = {"tcn": Tcn, "mobilebert_block": MobileBertBlock, "conv_autoencoder": ConvAutoencoder}


def main() -> None:
    for name, kind in NETS.items():
        torch.manual_seed(SEED)
        net = kind().eval()
        samples = torch.randn(SAMPLES, *net.shape)
        with tempfile.TemporaryDirectory() as folder:
            program, file = Path(folder) / f"{name}.pt2", Path(folder) / "samples.npz"
            torch.export.save(torch.export.export(net, (samples[:1],)), program)
            np.savez(file, inputs=samples.numpy())
            content = int8_model(program, QuantizeSpec(file)).model.read_bytes()
        (HERE / f"{name}.tflite").write_bytes(content)
        print(f"{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
