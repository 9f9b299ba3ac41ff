"""The C of mcu_requantize.h, compiled for this machine, against exact integers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from host_firmware import FIRMWARE, host_compiler
from mcu_harness.model.codegen.fixed_point import doubling_high_multiply, multiply_by_quantized_multiplier

PROGRAM = """
#include <stdio.h>
#include "mcu_requantize.h"
int main(void) {
    int32_t row[3];
    while (fread(row, sizeof row, 1, stdin) == 1) {
        const int32_t results[5] = {
            mcu_doubling_high_multiply(row[0], row[1]),
            mcu_doubling_high_multiply_by_halves(row[0], row[1]),
            mcu_high_multiply(row[0], row[1]),
            mcu_high_multiply_by_halves(row[0], row[1]),
            mcu_requantize_twice(row[0], row[1], -row[2]),
        };
        fwrite(results, sizeof results, 1, stdout);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Values, multipliers, shifts that meet the contract of mcu_requantize_twice: random ones and all corners."""
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.integers(1 - 2**k, 2**k, 300) for k in range(1, 31)])
    corners = [0, 1, -1, 2, -2, 0xFFFF, 0x10000, -0xFFFF, -0x10000, -0x10001, 2**30 - 1, 1 - 2**30]
    multipliers = [0, 2**30, 2**30 + 1, 2**31 - 1, 0x40010000, 0x4000FFFF, 0x7FFF0000, 1634567891]
    random = np.stack([values, rng.integers(2**30, 2**31, len(values)), rng.integers(-31, 1, len(values))], axis=1)
    grid = np.array([(v, m, s) for v in corners for m in multipliers for s in range(-31, 1)])
    left = np.stack([values % 997 - 500, random[:, 1], rng.integers(1, 21, len(values))], axis=1)
    ends = np.array([2**31 - 1, 1 - 2**31, 2**31 - 2**12, 3 * 2**29, -3 * 2**29])
    large = np.array([(v, m, s) for v in ends for m in multipliers for s in range(-31, 1)])
    kept = [s == 0 or (abs(v) * m >> 31) + 2 + (1 << (-s - 1)) < 2**31 for v, m, s in large.tolist()]
    assert any(kept) and not all(kept)
    return np.concatenate([random, grid, left, large[kept]]).astype(np.int32)


@pytest.fixture(scope="module")
def computed(rows: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    folder: Path = tmp_path_factory.mktemp("requantize")
    (folder / "main.c").write_text(PROGRAM)
    program = folder / "program"
    command = [*host_compiler(), f"-I{FIRMWARE / 'include'}", "-o", program, folder / "main.c"]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert compiled.returncode == 0, compiled.stderr
    ran = subprocess.run([program], input=rows.tobytes(), capture_output=True, timeout=60)
    assert ran.returncode == 0, ran.stderr.decode()
    return np.frombuffer(ran.stdout, np.int32).reshape(len(rows), 5)


def test_products_are_exact_with_and_without_a_long_multiply(rows: np.ndarray, computed: np.ndarray) -> None:
    pairs = rows[:, :2].tolist()
    doubling = np.array([doubling_high_multiply(a, b, 32) for a, b in pairs])
    high = np.array([(a * b) >> 32 for a, b in pairs])
    assert np.array_equal(computed[:, 0], doubling)
    assert np.array_equal(computed[:, 1], doubling)
    assert np.array_equal(computed[:, 2], high)
    assert np.array_equal(computed[:, 3], high)


def test_rounding_twice_is_that_of_the_reference_kernels(rows: np.ndarray, computed: np.ndarray) -> None:
    expected = [multiply_by_quantized_multiplier(*row) for row in rows.tolist()]
    assert np.array_equal(computed[:, 4], np.array(expected))
