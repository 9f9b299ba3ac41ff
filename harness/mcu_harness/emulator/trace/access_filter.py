"""A few machine instructions before the compiled part of a memory trace, for the instructions that access nothing.

More than half of all do, and numba's way into a C callback costs more than to see that. This is LLVM assembly because
numba has no other way in; LLVM is there because numba is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import binding

from mcu_harness.emulator.trace.layout import DESCRIPTOR_STEP, TraceState

_TEXT = """
define void @filter(i64 %engine, i64 %address, i32 %size, i64 %state) {{
  %place = add i64 %state, {edge}
  %edge_at.p = inttoptr i64 %place to ptr
  %edge_at = load i64, ptr %edge_at.p
  %edge.p = inttoptr i64 %edge_at to ptr
  %edge = load i64, ptr %edge.p
  %last_at = add i64 %state, {last_edge}
  %last.p = inttoptr i64 %last_at to ptr
  %last = load i64, ptr %last.p
  %same = icmp eq i64 %edge, %last
  br i1 %same, label %look, label %pass
look:
  %table_at = add i64 %state, {descriptors}
  %table.p = inttoptr i64 %table_at to ptr
  %table = load i64, ptr %table.p
  %offset = mul i64 %address, {step}
  %entry = add i64 %table, %offset
  %entry.p = inttoptr i64 %entry to ptr
  %descriptor = load i64, ptr %entry.p
  %nothing = icmp eq i64 %descriptor, 0
  br i1 %nothing, label %done, label %pass
pass:
  %traced = inttoptr i64 {traced} to ptr
  tail call void %traced(i64 %engine, i64 %address, i32 %size, i64 %state)
  ret void
done:
  ret void
}}
"""


@cache
def filtered(traced: int) -> int:
    """The C address of a UC_HOOK_CODE callback that calls the one at `traced` when there is something to do.

    It is `traced` itself where this LLVM cannot read the text: those before 15 write pointers otherwise.
    """
    text = _TEXT.format(
        edge=TraceState.offset("edge"),
        last_edge=TraceState.offset("last_edge"),
        descriptors=TraceState.offset("descriptors"),
        step=DESCRIPTOR_STEP,
        traced=traced,
    )
    try:
        engine = _compiled(text)
    except RuntimeError:
        return traced
    return int(engine.get_function_address("filter"))


@cache
def _compiled(text: str) -> Any:
    """The engine that holds the code; it must be kept for as long as that may be called, which is for ever."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    module: Any = binding.parse_assembly(text)
    module.verify()
    machine = binding.Target.from_default_triple().create_target_machine(opt=2)
    engine: Any = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine
