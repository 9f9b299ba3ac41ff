"""A PyTorch program to ONNX: a .pt2 file, or what a function of a Python file makes.

Request: model, function ("" for a .pt2 file), output.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from mcu_harness.model.convert import pt2_guard
from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.workers.answering import answer

_OPSET = 20  # the first with Gelu as an operator of its own
_RETURNS = "it returns (module, example inputs), the inputs a tuple of tensors, or what torch.export.export gives"


def convert(request: dict[str, Any]) -> dict[str, Any]:
    path = Path(request["model"])
    if request["function"]:
        program, arguments = _made(path, request["function"])
    else:
        program, arguments = _loaded(path), ()
    write_onnx(program, arguments, Path(request["output"]))
    return {}


def write_onnx(program: Any, arguments: tuple[Any, ...], output: Path) -> None:
    """Write a module with example inputs, or an ExportedProgram with (), as ONNX; raises Refusal."""
    import torch

    try:
        torch.onnx.export(
            program, arguments, str(output), dynamo=True, opset_version=_OPSET, external_data=False, verbose=False
        )
    except Exception as error:
        raise Refusal(
            f"PyTorch cannot export the model to ONNX: {_cause(error)}",
            "replace what it names; `torch.onnx.export(..., dynamo=True)` gives the same error with more text",
        ) from error


def _loaded(path: Path) -> Any:
    """The program in a .pt2 file; nothing in it is unpickled but tensors."""
    pt2_guard.check(path)
    import torch
    from torch.export.pt2_archive import _package

    _know_quantised_operators()
    load = torch.load
    torch.load = lambda *given, **named: load(*given, **{**named, "weights_only": True})
    _package.pickle = _NoPickles
    torch._C._pickle_load_obj = _NoPickles.loads
    try:
        return torch.export.load(path)
    except Refusal:
        raise
    except Exception as error:
        raise Refusal(
            f"PyTorch {torch.__version__} cannot load the program: {_cause(error)}", "export it again with this version"
        ) from error
    finally:
        torch.load = load


class _NoPickles:
    """In place of the module `pickle` where PyTorch reads archives."""

    @staticmethod
    def loads(*_: Any, **__: Any) -> Any:
        raise Refusal("it holds pickled objects, which run whatever code is in them", "export plain tensors alone")

    load = loads


def _made(path: Path, function: str) -> tuple[Any, tuple[Any, ...]]:
    """What `function` of the user's file `path` returns, ready to export."""
    made = called(path, function, {})
    found = program_of(made)
    if found is None:
        raise Refusal(f"{function}() returned {type(made).__name__}", _RETURNS)
    return found


def called(path: Path, function: str, arguments: dict[str, Any]) -> Any:
    """What `function` of the user's file `path` returns for `arguments`; raises Refusal that names the line at fault."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    place = "while it was imported"
    try:
        spec.loader.exec_module(module)
        if "torch" in sys.modules:
            _know_quantised_operators()
        factory = getattr(module, function, None)
        if not callable(factory):
            raise Refusal(f"it has no function {function!r}", _RETURNS)
        place = f"{function}()"
        return factory(**arguments)
    except Refusal:
        raise
    except BaseException as error:  # SystemExit of a script too
        raise Refusal(f"{_where(error, path) or place}: {type(error).__name__}: {first_line(error)}") from error


def program_of(made: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """An ExportedProgram and (), or a module, in evaluation mode, with its example inputs; None for anything else."""
    if "torch" not in sys.modules:
        return None
    import torch

    if isinstance(made, torch.export.ExportedProgram):
        return made, ()
    if not isinstance(made, tuple) or len(made) != 2 or not isinstance(made[0], torch.nn.Module):
        return None
    network, examples = made
    return network.eval(), (examples,) if isinstance(examples, torch.Tensor) else tuple(examples)


def _know_quantised_operators() -> None:
    """PT2E programs call quantized_decomposed operators, which exist once their module is imported."""
    for module in ("torch.ao.quantization.fx._decomposed", "torchao.quantization.pt2e._affine_quantization"):
        try:
            importlib.import_module(module)
        except ImportError:
            continue


def _where(error: BaseException, path: Path) -> str:
    """The last line of the user's own file that the error went through, "" where it went through none."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"line {lines[-1]}" if lines else ""


def _cause(error: BaseException) -> str:
    """The first line of what an error came from."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)


if __name__ == "__main__":
    answer(convert)
