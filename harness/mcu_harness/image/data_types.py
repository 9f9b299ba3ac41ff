"""Types of variables as the debug information has them (DWARF 2 to 5): what lies where in memory, and what it means.

Read once a program, when the first variable is asked for. Names are untrusted text; what nests too deeply or is too large is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mcu_harness.base.errors import ElfError
from mcu_harness.image import elf_reader
from mcu_harness.image.elf_reader import DebugEntry
from mcu_harness.image.program import Program

_DEEPEST = 64
_LARGEST = 16 << 20  # bytes of a type
_TRANSPARENT = {f"DW_TAG_{name}" for name in ("typedef", "const_type", "volatile_type", "restrict_type", "atomic_type")}
_POINTERS = {f"DW_TAG_{name}" for name in ("pointer_type", "reference_type", "rvalue_reference_type")}
_STRUCTURES = {"DW_TAG_structure_type": "struct ", "DW_TAG_class_type": "", "DW_TAG_union_type": "union "}
_ADDRESS = 0x03  # DW_OP_addr
_PLUS = 0x23  # DW_OP_plus_uconst


class Kind(StrEnum):
    """What the bytes of a type mean."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    CHARACTER = "character"
    BOOL = "bool"
    FLOAT = "float"
    POINTER = "pointer"
    ENUM = "enum"
    ARRAY = "array"
    STRUCTURE = "structure"


# DW_AT_encoding (DWARF 5, 7.8). A character is text where it is called so, and else a number, as in uint8_t.
_SCALARS = {
    0x01: Kind.POINTER,
    0x02: Kind.BOOL,
    0x04: Kind.FLOAT,
    0x05: Kind.SIGNED,
    0x06: Kind.SIGNED,
    0x07: Kind.UNSIGNED,
    0x08: Kind.UNSIGNED,
    0x10: Kind.UNSIGNED,
}
_CHARACTERS, _TEXT = (0x06, 0x08, 0x10), ("char", "char8_t")


@dataclass(frozen=True, slots=True)
class Member:
    """A member at `offset` bytes; of a bit field, `bits` from `first_bit` on, counted from the lowest of that byte."""

    name: str
    offset: int
    type: DataType
    first_bit: int = 0
    bits: int = 0


@dataclass(frozen=True, slots=True)
class DataType:
    """`name` as in C. Structures and unions have `members`, arrays `count` times `element`, enums `names` by value."""

    kind: Kind
    name: str
    size: int
    members: tuple[Member, ...] = ()
    element: DataType | None = None
    count: int = 0
    names: Mapping[int, str] = field(default_factory=dict)


class DataTypes:
    """Types of `program`'s variables, and types by name. Nothing is read before the first question."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._variables: dict[int, DebugEntry] | None = None
        self._named: dict[str, DebugEntry] = {}
        self._known: dict[int, DataType] = {}

    def of_variable(self, address: int, name: str) -> DataType:
        """The type of the variable `name` at `address`; ElfError where the image does not say."""
        self._read()
        assert self._variables is not None
        entry = self._variables.get(address)
        if entry is None:
            raise ElfError(
                f"{self._program.path}: the debug information has no type of {name!r}",
                hint="build with -g, or give the type, as in 'u32'",
            )
        return self._type_of(entry, 0)

    def named(self, name: str) -> DataType | None:
        """The type called `name`, as in "struct point" or a typedef; None where there is none."""
        self._read()
        entry = self._named.get(name) or self._named.get(f"struct {name}") or self._named.get(f"union {name}")
        return self._made(entry, 0) if entry else None

    @property
    def names(self) -> tuple[str, ...]:
        """All types that have a name."""
        self._read()
        return tuple(self._named)

    def _read(self) -> None:
        if self._variables is not None:
            return
        self._variables = {}
        try:
            file = elf_reader.read_elf_file(self._program.path)
        except ElfError:  # not an ELF (.hex, .bin)
            return
        for entry in elf_reader.debug_entries(file):
            if entry.tag == "DW_TAG_variable":
                location = entry.attributes.get("DW_AT_location")
                if isinstance(location, bytes) and len(location) == 5 and location[0] == _ADDRESS:
                    self._variables.setdefault(int.from_bytes(location[1:], "little"), entry)
            elif entry.name and "DW_AT_declaration" not in entry.attributes:
                prefix = _STRUCTURES.get(entry.tag, "enum " if entry.tag == "DW_TAG_enumeration_type" else "")
                if prefix or entry.tag in ("DW_TAG_typedef", "DW_TAG_base_type", "DW_TAG_class_type"):
                    self._named.setdefault(prefix + entry.name, entry)

    def _type_of(self, entry: DebugEntry, depth: int) -> DataType:
        found = entry.referred("DW_AT_type")
        if found is None:
            declared = entry.referred("DW_AT_specification") or entry.referred("DW_AT_abstract_origin")
            if declared is not None and depth < _DEEPEST:
                return self._type_of(declared, depth + 1)
            return DataType(Kind.UNSIGNED, "void", 0)
        return self._made(found, depth)

    def _made(self, entry: DebugEntry, depth: int) -> DataType:
        if depth > _DEEPEST:
            raise ElfError(f"{self._program.path}: types nest more than {_DEEPEST} deep")
        if entry.offset not in self._known:
            made = self._make(entry, depth)
            if made.size > _LARGEST:
                raise ElfError(f"{self._program.path}: type {made.name!r} has {made.size} B, which are not read")
            self._known[entry.offset] = made
        return self._known[entry.offset]

    def _make(self, entry: DebugEntry, depth: int) -> DataType:
        size = entry.number("DW_AT_byte_size") or 0
        if entry.tag in _TRANSPARENT:
            return self._type_of(entry, depth + 1)
        if entry.tag in _POINTERS:
            return DataType(Kind.POINTER, "pointer", size or 4)
        if entry.tag == "DW_TAG_base_type":
            encoding = entry.number("DW_AT_encoding") or 0
            is_text = entry.name in _TEXT and encoding in _CHARACTERS
            return DataType(Kind.CHARACTER if is_text else _SCALARS.get(encoding, Kind.UNSIGNED), entry.name, size)
        if entry.tag == "DW_TAG_enumeration_type":
            return DataType(Kind.ENUM, f"enum {entry.name}".strip(), size, names=dict(_enumerators(entry)))
        if entry.tag == "DW_TAG_array_type":
            return self._array(entry, depth)
        if entry.tag in _STRUCTURES:
            name = (_STRUCTURES[entry.tag] + entry.name).strip()
            return DataType(Kind.STRUCTURE, name, size, members=tuple(self._members(entry, depth)))
        return DataType(Kind.UNSIGNED, entry.name or entry.tag.removeprefix("DW_TAG_"), size)

    def _array(self, entry: DebugEntry, depth: int) -> DataType:
        made = self._type_of(entry, depth + 1)
        counts = [_count(child) for child in entry.children() if child.tag == "DW_TAG_subrange_type"]
        for count in reversed(counts):
            size = made.size * count
            made = DataType(Kind.ARRAY, f"{made.name}[{count}]", size, element=made, count=count)
            if size > _LARGEST:
                break
        return made

    def _members(self, entry: DebugEntry, depth: int) -> Iterator[Member]:
        for child in entry.children():
            if child.tag not in ("DW_TAG_member", "DW_TAG_inheritance") or "DW_AT_external" in child.attributes:
                continue
            made = self._type_of(child, depth + 1)
            offset = _offset(child.attributes.get("DW_AT_data_member_location", 0))
            bits = child.number("DW_AT_bit_size") or 0
            first = child.number("DW_AT_data_bit_offset")
            if bits and first is not None:  # DWARF 4 and 5: from the start of the structure
                offset, first = offset + first // 8, first % 8
            elif bits:  # before: from the highest bit of a unit of the member's size
                unit = child.number("DW_AT_byte_size") or made.size
                first = 8 * unit - (child.number("DW_AT_bit_offset") or 0) - bits
                offset, first = offset + first // 8, first % 8
            if child.name or not made.members:
                yield Member(child.name or "base", offset, made, first or 0, bits)
            else:  # an anonymous structure or union, or a base class: its members are this one's
                for inner in made.members:
                    yield Member(inner.name, offset + inner.offset, inner.type, inner.first_bit, inner.bits)


def _enumerators(entry: DebugEntry) -> Iterator[tuple[int, str]]:
    for child in entry.children():
        value = child.number("DW_AT_const_value")
        if child.tag == "DW_TAG_enumerator" and value is not None:
            yield value, child.name


def _count(subrange: DebugEntry) -> int:
    count = subrange.number("DW_AT_count")
    if count is None:
        highest = subrange.number("DW_AT_upper_bound")
        count = 0 if highest is None or highest >= 1 << 31 else highest + 1
    return max(0, count)


def _offset(location: int | str | bytes) -> int:
    if isinstance(location, int):
        return location
    if isinstance(location, bytes) and location[:1] == bytes([_PLUS]):  # DWARF 2 and 3: an expression
        value = 0
        for shift, byte in enumerate(location[1:]):
            value |= (byte & 0x7F) << 7 * shift
        return value
    return 0
