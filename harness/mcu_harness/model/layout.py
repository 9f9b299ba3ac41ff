"""How a tensor of the model that the user has lies in the int8 model that was made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Layout:
    """Dimension i in the int8 model is dimension `order[i]` of the original; () = nothing was moved.

    `name` and `shape`, batch included, are the original's.
    """

    name: str
    shape: tuple[int, ...]
    order: tuple[int, ...] = ()

    def moved(self, samples: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """(count, *shape of the original) as (count, *shape in the int8 model)."""
        if not self.order:
            return samples
        return np.ascontiguousarray(samples.transpose(0, *(1 + axis for axis in self.order)))

    def restored(self, samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The inverse of `moved`."""
        if not self.order:
            return samples
        back = [0] * len(self.order)
        for here, axis in enumerate(self.order):
            back[axis] = here
        return np.ascontiguousarray(samples.transpose(0, *(1 + place for place in back)))
