"""The zoo's nets that come from PyTorch: trained, exported with torch.export, and made int8 .tflite by mcu-harness; fixed seeds.

The int8 files are kept, so that the scenarios need no PyTorch. The transformer's block has random weights: alone it has no task.

Run: python scenarios/zoo/make_torch.py [NAME ...]   (needs torch, and mcu-harness with the extra torch)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import data
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
DATA = {"tcn": lambda: data.waves(6, 32), "conv_autoencoder": data.machine_sounds}
EPOCHS = {"tcn": 20, "conv_autoencoder": 40}


def train(net: nn.Module, half: data.Half, epochs: int, *, gives_back: bool) -> None:
    """Adam on the logarithm of the right class's probability, or on the distance of what is given back."""
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for inputs, labels in data.batches(half, epochs):
        given = torch.from_numpy(inputs)
        found = net(given)
        if gives_back:
            loss = functional.mse_loss(found, given)
        else:
            loss = functional.nll_loss(torch.log(found + 1e-7), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    for name, kind in NETS.items():
        if names and name not in names:
            continue
        torch.manual_seed(SEED)
        net = kind().eval()
        if name in DATA:
            halves = DATA[name]()
            train(net, halves[0], EPOCHS[name], gives_back=name == "conv_autoencoder")
            samples = torch.from_numpy(halves[0][0][:SAMPLES])
        else:
            samples = torch.randn(SAMPLES, *net.shape)
        with tempfile.TemporaryDirectory() as folder:
            program, file = Path(folder) / f"{name}.pt2", Path(folder) / "samples.npz"
            torch.export.save(torch.export.export(net, (samples[:1],)), program)
            np.savez(file, inputs=samples.numpy())
            made = int8_model(program, QuantizeSpec(file))
        content = made.model.read_bytes()
        if name in DATA:  # the test as the int8 model takes it
            tested, labels = halves[1]
            data.write(name, (halves[0], (made.inputs[0].moved(tested[:, np.newaxis]), labels)))
        (HERE / f"{name}.tflite").write_bytes(content)
        print(f"{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
