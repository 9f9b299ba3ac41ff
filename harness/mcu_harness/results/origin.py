"""How a figure was obtained: a kind, which says how far it can be trusted, and a text for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class OriginKind(StrEnum):
    """The kinds. A value that is missing is of the kind NOT_MEASURED, whatever would have measured it."""

    COUNTED = "counted"  # by an emulator: exact
    SCANNED = "painted and scanned"  # memory that a run left as it was painted
    OBSERVED = "observed"  # otherwise seen in a run
    ESTIMATED = "estimated"  # by a model with an error
    ELF = "ELF"  # read from the image
    COMPUTED = "computed"  # from the image's machine code
    PLAN = "memory plan"
    MODEL = "model"  # read from the model file
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Origin:
    """`text` says more than the kind does, "" = nothing more."""

    kind: OriginKind
    text: str = ""

    def __str__(self) -> str:
        """As reports show it: "counted: unicorn 2.1.4", "memory plan"."""
        if self.kind is OriginKind.OBSERVED:
            return self.text
        return f"{self.kind}: {self.text}" if self.text else str(self.kind)

    def and_(self, *notes: str) -> Origin:
        """The same with more said."""
        return replace(self, text="; ".join((self.text, *notes)))


def not_measured(why: str) -> Origin:
    """The origin of a value that is missing."""
    return Origin(OriginKind.NOT_MEASURED, why)


def kind_of(text: str, is_measured: bool) -> OriginKind:
    """The kind of an origin that is known as text only, as results of format 1 have it."""
    if not is_measured:
        return OriginKind.NOT_MEASURED
    return next((kind for kind in OriginKind if text.startswith(kind)), OriginKind.OBSERVED)
