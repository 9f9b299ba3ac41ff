"""Digits four ways, in PyTorch: a large net, the same net pruned and trained on, a small one, and the small one distilled.

The images are scikit-learn's handwritten digits (8x8, 16 grey levels, 1,797 images; E. Alpaydin, C. Kaynak, 1998,
CC BY 4.0). A stratified fifth is held out as `digits.npz`; 200 of the others are `calibration.npz`.

Run: python train.py   (needs torch, onnxscript and scikit-learn; a minute or two). Writes the .onnx files beside it.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
HELD_OUT, SEED = 360, 5
LARGE, SMALL = (16, 32), (6, 12)
KEPT = (8, 16)  # channels that pruning leaves of LARGE
TEMPERATURE = 2.0  # at which the small net learns from the large one


class Net(nn.Module):
    """Two convolutions with pooling and a dense layer, `channels` wide."""

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels[0], 3, padding=1)
        self.second = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.dense = nn.Linear(channels[1] * 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.first(x)), 2)
        x = functional.max_pool2d(functional.relu(self.second(x)), 2)
        return self.dense(x.flatten(1))


def images() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training and held-out images, (n, 1, 8, 8) float32 in 0..1, and their digits."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    pixels = (data.images / 16.0).astype(np.float32)[:, np.newaxis]
    parts = train_test_split(pixels, data.target, test_size=HELD_OUT, random_state=0, stratify=data.target)
    x_train, x_test, y_train, y_test = map(torch.from_numpy, parts)
    return x_train, y_train, x_test, y_test


def shifted(x: torch.Tensor) -> torch.Tensor:
    """Each image moved by -1, 0 or 1 pixel in both directions, black moving in."""
    padded = functional.pad(x, (1, 1, 1, 1))
    moves = torch.randint(0, 3, (len(x), 2)).tolist()
    return torch.stack([image[:, dy : dy + 8, dx : dx + 8] for image, (dy, dx) in zip(padded, moves, strict=True)])


def trained(net: Net, x: torch.Tensor, y: torch.Tensor, epochs: int, rate: float, teacher: Net | None = None) -> Net:
    """`net` after `epochs`; with a `teacher`, its softened outputs count beside the labels."""
    optimiser = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            seen = shifted(x[rows])
            scores = net(seen)
            loss = functional.cross_entropy(scores, y[rows])
            if teacher is not None:
                with torch.no_grad():
                    wanted = functional.softmax(teacher(seen) / TEMPERATURE, 1)
                found = functional.log_softmax(scores / TEMPERATURE, 1)
                loss = 0.5 * loss + 0.5 * TEMPERATURE**2 * functional.kl_div(found, wanted, reduction="batchmean")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return net


def pruned(net: Net, kept: tuple[int, int]) -> Net:
    """`net` without the filters of least magnitude: the shapes shrink, which is what saves anything on a dense kernel."""
    small = Net(kept)
    keep = [
        layer.weight.detach().abs().sum((1, 2, 3)).topk(count).indices.sort().values
        for layer, count in zip((net.first, net.second), kept, strict=True)
    ]
    features = torch.cat([torch.arange(4) + 4 * channel for channel in keep[1]])
    with torch.no_grad():
        small.first.weight.copy_(net.first.weight[keep[0]])
        small.first.bias.copy_(net.first.bias[keep[0]])
        small.second.weight.copy_(net.second.weight[keep[1]][:, keep[0]])
        small.second.bias.copy_(net.second.bias[keep[1]])
        small.dense.weight.copy_(net.dense.weight[:, features])
        small.dense.bias.copy_(net.dense.bias)
    return small


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    x, y, x_test, y_test = images()
    np.savez_compressed(HERE / "digits.npz", inputs=x_test.numpy(), labels=y_test.numpy())
    np.savez_compressed(HERE / "calibration.npz", inputs=x[:200].numpy())
    large = trained(Net(LARGE), x, y, epochs=60, rate=4e-3)
    nets = {
        "large": large,
        "pruned": trained(pruned(copy.deepcopy(large), KEPT), x, y, epochs=60, rate=4e-3),
        "small": trained(Net(SMALL), x, y, epochs=120, rate=4e-3),
        "distilled": trained(Net(SMALL), x, y, epochs=120, rate=4e-3, teacher=large),
    }
    for name, net in nets.items():
        net.eval()
        accuracy = (net(x_test).argmax(1) == y_test).float().mean()
        print(f"{name}: {accuracy:.2%} in float, {sum(p.numel() for p in net.parameters()):,} parameters")
        torch.onnx.export(
            net, (x_test[:1],), HERE / f"{name}.onnx", dynamo=True, external_data=False, opset_version=18, verbose=False
        )


if __name__ == "__main__":
    main()
