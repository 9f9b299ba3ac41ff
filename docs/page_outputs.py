"""The outputs that pages show, from runs of the commands above them: `python docs/generate.py --outputs`.

A block of a page is a command, and lines of what it prints:

    ```console
    $ mcu-harness run my_model.tflite --board nucleo_g071rb -v
    my_model on nucleo_g071rb
    layer                 MACs    instructions ...
    ...
    ```

Lines that follow each other on the page follow each other in the output; a line of `...` stands for those left out, and an output that
ends earlier on the page ends with one. A passage is found again by the words of its first line, whatever its figures are, and takes as many
lines as it has on the page. A block of firmware that is not in the repository is ```text, and is not run. Durations of the machine and versions of tools stay as the page has them.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from mcu_harness.app.cli import main as command_line

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
MODELS = "scenarios/models/"

Runner: TypeAlias = Callable[[str], str]  # a command of a page, and what it prints


class PageError(Exception):
    """A page shows what its command does not print."""


@dataclass(frozen=True)
class Page:
    """What a page's commands find: files of the repository, and the first blocks of TOML or Python of the page itself."""

    files: dict[str, str] = field(default_factory=dict)  # name there -> path in the repository
    blocks: tuple[str, ...] = ()  # names of the page's first blocks of a language, in their order
    before: tuple[str, ...] = ()  # commands that the page does not show
    written: tuple[str, ...] = ()  # files that the commands write and that are kept beside the page
    quick: bool = True  # small models that need no extra: these the tests run, too


_NETS = ("large.onnx", "pruned.onnx", "small.onnx", "distilled.onnx", "digits.npz", "calibration.npz", "digits.toml")
NETS = {name: f"docs/examples/which-variant/{name}" for name in _NETS}
PAGES = {
    "tutorial.md": Page({"my_model.tflite": MODELS + "digits.tflite"}, ("my_model.toml",)),
    "howto/own-board.md": Page({"my_model.tflite": MODELS + "digits.tflite"}, ("my_board.toml",)),
    "howto/versus.md": Page(
        {"digits.tflite": MODELS + "digits.tflite"},
        before=(
            "mcu-harness build digits.tflite --board nucleo_l4r5zi --kernels portable --output built",
            "cp built/firmware.elf firmware.elf",
        ),
    ),
    "howto/layers.md": Page({"scenarios": "scenarios"}),
    "howto/memory.md": Page({"scenarios": "scenarios"}),
    "howto/what-if.md": Page({"scenarios": "scenarios"}, quick=False),
    "howto/search.md": Page(blocks=("net.py",), quick=False),
    "howto/shrink.md": Page(NETS, quick=False),
    "howto/variants.md": Page({**NETS, "int8.tflite": MODELS + "digits.tflite"}, quick=False),
    "examples/which-variant/README.md": Page(NETS, written=("variants.html",), quick=False),
    "howto/placement.md": Page({"ad.tflite": MODELS + "anomaly_detection.tflite"}, quick=False),
    "examples/regression-gate/README.md": Page(
        {name: f"docs/examples/regression-gate/{name}" for name in ("gesture.tflite", "gesture_wider.tflite", "gesture.toml")},
        before=("git init --quiet", "git add gesture.tflite gesture.toml", "git commit --quiet -m 'gesture: a model'"),
        quick=False,  # the test of the example runs it
    ),
}  # fmt: skip
PYTEST_OPTIONS = "-p no:cacheprovider --mcu-emulator=unicorn"
_TOOLS = ("mcu-harness", "pytest", "cp", "git")  # blocks with other commands are not run
_BLOCK = re.compile(r"(?<=^```console\n)\$ .*?(?=^```$)", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".toml": "toml", ".py": "python"}
_EDIT = re.compile(r"[Pp]ut `(.+?)` in place of `(.+?)` in `(.+?)`")
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
_OF_THE_MACHINE = re.compile(r"\d+(?:\.\d+){2,}|\bin \d+\.\d+ ?s\b|={3,}|\(\d\S*-\d\)")
_UNITS = {"ns", "us", "ms", "s", "B", "KiB", "MiB", "nJ", "uJ", "mJ", "J", "x", "points"}


def renewed(page: str, run: Runner, edit: Callable[[str, str, str], None] | None = None) -> str:
    """`page` with the outputs that `run` gives for its commands, in their order; raises PageError where they differ in more than figures.

    `edit` (new text, old text, file) is called for what the page says to put in place of what.
    """
    made, at = "", 0
    for block in _BLOCK.finditer(page):
        if edit:
            for new, old, file in _EDIT.findall(page[at : block.start()]):
                edit(new, old, file)
        commands = list(_COMMAND.finditer(block[0]))
        if any(each[1].split()[0] not in _TOOLS for each in commands):
            continue
        text = ""
        for number, command in enumerate(commands):
            end = commands[number + 1].start() if number + 1 < len(commands) else len(block[0])
            printed = run(command[1].replace("\\\n", " "))
            shown = block[0][command.end() : end]
            text += command[0] + (_renewed_output(shown, printed, command[1]) if shown else "")
        made += page[at : block.start()] + text
        at = block.end()
    return made + page[at:]


def _renewed_output(shown: str, printed: str, command: str) -> str:
    output = [line.rstrip() for line in printed.splitlines()]
    made: list[str] = []
    at, at_passage = 0, True
    lines = shown.splitlines()
    for line in lines:
        if line.strip() == "...":
            made.append(line)
            at_passage = True
            continue
        if at_passage and not line:
            made.append(line)
            continue
        if at_passage:
            words = _words(line)
            found = next((nth for nth in range(at, len(output)) if words and _words(output[nth]) == words), None)
            if found is None:
                raise PageError(f"`{command}` prints no line like: {line}\n\n{printed}")
            at, at_passage = found, False
        if at == len(output):
            raise PageError(f"`{command}` ends before: {line}\n\n{printed}")
        if bool(output[at]) != bool(line):
            raise PageError(
                f"`{command}` prints more or fewer lines than the page has before: {line or output[at]}\n\n{printed}"
            )
        same = _OF_THE_MACHINE.sub("", line) == _OF_THE_MACHINE.sub("", output[at])
        made.append(line if same else output[at])
        at += 1
    if not at_passage and any(output[at:]):
        raise PageError(
            f"`{command}` goes on after the last line on the page, which has no `...` there:\n\n"
            + "\n".join(output[at:])
        )
    return "".join(line + "\n" for line in made)


def _words(line: str) -> list[str]:
    """The words of a line, without figures and their units: what stays when the figures change. Of a row of a layer, which layer it is."""
    if layer := re.match(r"\d\d [A-Z]\w+", line):
        return [layer[0]]
    return [word for word in re.findall(r"[A-Za-z_][\w.:/\[\]-]*", line) if word not in _UNITS]


@contextlib.contextmanager
def folder_of(
    name: str, folder: Path, pytest: Runner | None = None
) -> Iterator[tuple[str, Runner, Callable[[str, str, str], None]]]:
    """The text of the page `name`, and what runs its commands and makes its edits in `folder`, which is the current directory until the end."""
    page = PAGES[name]
    text = (DOCS / name).read_text(encoding="utf-8")
    for file, source in page.files.items():
        path = REPOSITORY / source
        shutil.copytree(path, folder / file) if path.is_dir() else shutil.copy(path, folder / file)
    for file in page.blocks:
        language = _LANGUAGES[Path(file).suffix]
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        same = [each for each in page.blocks if _LANGUAGES[Path(each).suffix] == language]
        (folder / file).write_text(blocks[same.index(file)], encoding="utf-8")

    def run(command: str) -> str:
        words = shlex.split(command, comments=True)
        if words[0] == "mcu-harness":
            return _in_process(words[1:])
        if words[0] == "pytest" and pytest:
            return pytest(command)
        return _in_shell(command)

    def edit(new: str, old: str, file: str) -> None:
        path = folder / file
        before = path.read_text(encoding="utf-8")
        replaced = f"{new.partition(' = ')[0]} = {old}\n"
        if before.count(replaced) != 1:
            raise PageError(f"{name} puts {new} in place of {old}, which {file} does not have once")
        path.write_text(before.replace(replaced, f"{new}\n"), encoding="utf-8")

    with contextlib.chdir(folder):
        for command in page.before:
            run(command)
        yield text, run, edit


def _in_process(words: list[str]) -> str:
    if words[0] in ("run", "fit", "versus", "variants", "search", "shrink") and "--emulator" not in words:
        words = [*words, "--emulator", "unicorn"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        command_line.main(words)
    return out.getvalue()


def _in_shell(command: str) -> str:
    """With this interpreter's `pytest`, in no CI, with a git that has an author and asks for nothing."""
    author = {f"GIT_{who}_{what}": "docs" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **author, "COLUMNS": "100", "PYTEST_ADDOPTS": PYTEST_OPTIONS, "CI": ""}
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    ended = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, timeout=300
    )
    if ended.returncode > 1:  # 1 is a verdict
        raise PageError(f"`{command}`: exit status {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout
