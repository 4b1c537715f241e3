"""Generated code, compiled, and its lines in tracebacks as long as it is there."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple, Self

from jupyter_graph.compile.failing_step import LINES
from jupyter_graph.compile.generator.fused_function import Fused
from jupyter_graph.compile.runtime.aside import Noted, log_it
from jupyter_graph.compile.runtime.branches import COPIES, copies_for_branches
from jupyter_graph.compile.runtime.joins import Joined
from jupyter_graph.compile.runtime.prelude import HELPERS
from jupyter_graph.spec.model import GraphSpec

_numbers = itertools.count(1)
_collected: deque[_Lines] = deque()
_lines: set[_Lines] = set()


class Functions(NamedTuple):
    """What generated code does, over the calls of one runner.

    Attributes:
        run: a body (or event) in, the answer out.
        resumes: step name to the function that sends on what the step gives later.
    """

    run: Callable[..., Any]
    resumes: Mapping[str, Callable[..., Any]]


@dataclass(eq=False)
class GeneratedModule:
    """Generated code, compiled.

    Attributes:
        fused: the code and what its names stand for.
        filename: its name in tracebacks.
        code: the compiled code.
        copy: copies a body for a branch.
    """

    fused: Fused
    filename: str
    code: CodeType
    copy: Callable[[Any], Any]

    def functions(
        self,
        calls: Mapping[str, Callable[..., Any]],
        instances: Mapping[str, Any],
        noted: Noted = log_it,
    ) -> Functions:
        """Return the module's functions over these calls.

        Args:
            calls: each step's name to what is called with the body.
            instances: the step instances by name, for choices and merges.
            noted: takes the failures of steps beside the answer.
        """
        fused, bound = self.fused, self.fused.names
        copies = copies_for_branches(self.copy, of_events=fused.takes_event)
        names: dict[str, Any] = {**HELPERS, "twin": self.copy, "twins": copies}
        names["noted"] = noted
        names |= {ident: calls[name] for ident, name in bound.calls.items()}
        for ident, name in bound.selectors.items():
            names[ident] = instances[name].select_outlets
        for ident, name in bound.holders.items():
            names[ident] = instances[name]
        for ident, step in bound.joins.items():
            names[ident] = Joined(step, fused.takes_event)
        # Each runner runs the code over names of its own: the functions read a step
        # as a global, the quickest way there is in Python.
        exec(self.code, names)
        resumes = {name: names[ident] for name, ident in fused.resumes.items()}
        return Functions(names["run"], resumes)


def module_of(spec: GraphSpec, fused: Fused, what: str = "graph") -> GeneratedModule:
    """Return generated code compiled, its lines known to tracebacks until forgotten."""
    filename = f"<{what} {spec.name} #{next(_numbers)}>"
    lines = fused.source.splitlines(keepends=True)
    # With None for the time of change linecache keeps the lines of what is no file.
    linecache.cache[filename] = (len(fused.source), None, lines, filename)
    LINES[filename] = fused.lines
    code = compile(fused.source, filename, "exec", dont_inherit=True)
    return GeneratedModule(fused, filename, code, COPIES[spec.copy])


# -- lines of modules that are there no more ------------------------------------


class _Lines(weakref.ref[Any]):
    """The lines of a generated module, as long as there is their owner.

    Python calls ``deque.append`` itself when the owner is collected: in code of ours
    there an interrupt would be lost.
    """

    __slots__ = ("filename",)

    def __new__(cls, owner: object, filename: str) -> Self:
        return super().__new__(cls, owner, _collected.append)

    def __init__(self, owner: object, filename: str) -> None:
        self.filename = filename

    # By identity: a weak reference is equal to any other of the same object, and a
    # graph has several modules.
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def keep_lines(owner: object, filename: str) -> None:
    """Keep the lines of a module until its owner is garbage-collected."""
    _lines.add(_Lines(owner, filename))


def forget_collected() -> None:
    """Drop the lines of modules whose owners no longer exist.

    Not in the finalizer itself: it may run while linecache walks over its table.
    """
    with suppress(IndexError):  # other threads do the same
        while True:
            lines = _collected.popleft()
            _lines.discard(lines)
            forget_lines(lines.filename)


def forget_lines(filename: str) -> None:
    """Drop the lines of one generated module."""
    linecache.cache.pop(filename, None)
    LINES.pop(filename, None)
