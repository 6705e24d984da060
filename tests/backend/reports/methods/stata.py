"""Enough of Stata to know whether a do-file of ours would be read: its commands, its quotes, and the names it uses."""

from __future__ import annotations

import re
from collections.abc import Collection

COMMANDS = {
    "version", "clear", "set", "import", "display", "preserve", "restore", "keep", "drop", "generate", "replace",
    "summarize", "encode", "regress", "gmm", "foreach",
}  # fmt: skip
PREFIXES = {"quietly", "capture", "noisily"}
OPTIONS = {"vce", "cluster", "instruments", "onestep", "generate"}
WORDS = {"double", "if", "in", "missing", "invlogit", "xb", "_cons", "_N", "r", "sum", "c", "i", "as", "text"}
PAIRS = {")": "(", "}": "{", "]": "["}


class WrongError(Exception):
    """Stata would not read the file."""


def check(text: str, names: Collection[str]) -> list[str]:
    """The commands that are run, loops unrolled; WrongError. `names`: the table's columns."""
    commands = _unrolled([line for line in _logical(text) if line])
    known = set(names)
    kept = [set(known)]
    for command in commands:
        _balanced(command)
        words = [word for word in command.split() if word not in PREFIXES]
        if words[0] not in COMMANDS:
            raise WrongError(f"no command: {command}")
        if words[0] == "preserve":
            kept.append(set(known))
        elif words[0] == "restore":
            known = kept.pop()
        elif words[0] in ("generate", "replace", "keep", "drop", "summarize", "encode", "regress", "gmm"):
            made = re.search(r"^(?:\w+ )*?generate (?:double )?(\w+) =|generate\((\w+)\)", command)
            new = {one for one in made.groups() if one} if made else set()
            if new & known:
                raise WrongError(f"there already: {command}")
            used = set(re.findall(r"[A-Za-z_]\w*", " ".join(words[1:]))) - WORDS - OPTIONS
            if lost := used - known - new:
                raise WrongError(f"no variable {sorted(lost)}: {command}")
            known |= new
            if words[0] == "drop":
                known -= set(words[1:])
    if len(kept) != 1:
        raise WrongError("preserve without restore")
    return commands


def _logical(text: str) -> list[str]:
    """Lines without comments, those that go on joined."""
    joined = re.sub(r"\s*///\n\s*", " ", text)
    return ["" if line.lstrip().startswith("*") else line.strip() for line in joined.split("\n")]


def _unrolled(lines: list[str]) -> list[str]:
    found: list[str] = []
    while lines:
        line = lines.pop(0)
        loop = re.fullmatch(r"foreach (\w+) in ([\w ]+) \{", line)
        if not loop:
            if line.startswith("foreach") or line == "}" or "`" in line:
                raise WrongError(f"a loop that is none: {line}")
            found.append(line)
            continue
        end = lines.index("}")
        body, lines = lines[:end], lines[end + 1 :]
        macro = f"`{loop[1]}'"
        found += [inner.replace(macro, value) for value in loop[2].split() for inner in body]
    return found


def _balanced(command: str) -> None:
    bare = re.sub(r'"[^"]*"', "", command)
    if '"' in bare or "`" in bare or "'" in bare:
        raise WrongError(f"a quote that is not closed: {command}")
    open_ones: list[str] = []
    for sign in bare:
        if sign in PAIRS.values():
            open_ones.append(sign)
        elif sign in PAIRS and (not open_ones or open_ones.pop() != PAIRS[sign]):
            raise WrongError(f"a bracket too many: {command}")
    if open_ones:
        raise WrongError(f"a bracket that is not closed: {command}")
