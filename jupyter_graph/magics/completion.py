"""What <TAB> offers after our magics: options, and the names they may take."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from jupyter_graph.deployment.options import RUNTIMES
from jupyter_graph.deployment.targets.target_registry import TARGETS
from jupyter_graph.errors import JupyterGraphError
from jupyter_graph.magics import deploy_commands, graph_commands
from jupyter_graph.magics.argument_parser import split_line, words
from jupyter_graph.magics.deploy_commands import FOR_INVOKE
from jupyter_graph.magics.deploy_magic import DeployMagics
from jupyter_graph.magics.display import FORMATS
from jupyter_graph.magics.graph_magic import GraphMagics
from jupyter_graph.magics.step_magic import StepMagics
from jupyter_graph.magics.subcommand import Command
from jupyter_graph.session.session import Session
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.step_fields import BY_KEY, OPTIONS
from jupyter_graph.steps import BLOCKS

_MAGIC = re.compile(r"\s*(?:[\w, ]+=\s*)?%{1,2}(graph_step|graph|deploy)\s(.*)\Z", re.S)
_NAME = re.compile(r"\$?[A-Za-z_]\w*\Z|\$\Z|\Z")
_HIDDEN = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})
WORDS = {option.flag: BY_KEY[key].type.known for key, option in OPTIONS.items()}
"""The options of a step that take one of a few words."""

MAGICS: dict[str, tuple[Any, dict[str, Command]]] = {
    "graph_step": (StepMagics.graph_step, {}),
    "graph": (GraphMagics.graph, graph_commands.COMMANDS),
    "deploy": (DeployMagics.deploy, deploy_commands.COMMANDS),
}
"""Each magic and its subcommands."""

EXPRESSIONS = frozenset({"--args", "--arg", "--example", "--with"})
NOTHING: SimpleMatcherResult = {"completions": [], "suppress": False}


class Completions:
    """Completes the words of the magics from what the session holds."""

    def __init__(self, session: Session) -> None:
        self.session = session
        steps = self._steps
        self._values: dict[str, Callable[[], Iterable[str]]] = {
            "--after": lambda: [*steps(), "start"],
            **dict.fromkeys(("--before", "--cycle-to", "--until", "--from"), steps),
            "--queue": lambda: self._of_kind("queue"),
            "--function": self._functions,
            "--on-error": lambda: [*steps(), "graph"],
            "--graph": session.graphs.names,
            "--router": lambda: self._of_kind("router"),
            "--class": self._classes,
            "--to": lambda: TARGETS,
            "--runtime": lambda: RUNTIMES,
            "--format": lambda: FORMATS,
            "--allow-pickle": self._variables,
        }
        self._first_words: dict[str, Callable[[], Iterable[str]]] = {
            **dict.fromkeys(("remove", "code", "rename"), steps),
            **dict.fromkeys(("trace", "replay"), self._event_ids),
            "use": session.graphs.names,
            "add": self._what_can_be_added,
            **dict.fromkeys(("status", "logs", "invoke", "delete"), self._deployments),
        }

    @context_matcher(identifier="jupyter_graph", priority=200)
    def matcher(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete the word at the cursor when it belongs to one of our magics."""
        match = _MAGIC.match(context.text_until_cursor)
        if match is None:
            return NOTHING
        try:
            return self._complete(match[1], match[2])
        except JupyterGraphError:  # half a line need not make sense yet
            return NOTHING

    def _complete(self, magic: str, text: str) -> SimpleMatcherResult:
        fragment = re.search(r"\S*\Z", text)[0]  # type: ignore[index]
        before = text[: len(text) - len(fragment)]
        cut = split_line(before)
        head = words(cut.head)
        options = self._options(magic, head)
        name, value = cut.options[-1] if cut.options else ("", "")
        action = options.get(name)
        is_open = not value or name in EXPRESSIONS
        if action is not None and action.nargs != 0 and is_open:
            if name in EXPRESSIONS:
                return self._expression(fragment.rpartition("=")[2])
            typed = fragment.rpartition(",")[2]
            known = WORDS.get(name) or action.choices
            return _offer(typed, known or self._values.get(name, list)())
        if fragment.startswith("--"):
            used = {typed for typed, _ in cut.options} - {"--arg", "--env", "--config"}
            helps = {o: str(a.help) for o, a in options.items() if o not in used}
            return _offer(fragment, helps, helps)
        return self._word(magic, head, fragment)

    def _options(self, magic: str, head: list[str]) -> dict[str, Any]:
        declared, commands = MAGICS[magic]
        known: dict[str, Any] = declared.parser._option_string_actions
        command = commands.get(head[0] if head else "show")
        allowed: Collection[str] = known
        if command is not None:
            allowed = command.options
        elif magic != "graph_step":
            allowed = set(known) - FOR_INVOKE if magic == "deploy" else ()
        return {name: action for name, action in known.items() if name in allowed}

    def _word(self, magic: str, head: list[str], fragment: str) -> SimpleMatcherResult:
        _, table = MAGICS[magic]
        if not head:
            return _offer(fragment, table)
        command, place = table.get(head[0]), len(head) - 1
        if command is None:
            return NOTHING
        takes_name_first = magic == "deploy" and place == 0
        if command.takes_expression and not takes_name_first:
            return self._expression(fragment)
        names = self._first_words.get(head[0], tuple)
        return _offer(fragment, () if place else names())

    def _expression(self, fragment: str) -> SimpleMatcherResult:
        typed = _NAME.search(fragment)[0]  # type: ignore[index]
        if fragment[: len(fragment) - len(typed)].endswith("."):
            return NOTHING
        mark = "$" if typed.startswith("$") else ""
        offered = _offer(typed, [f"{mark}{name}" for name in self._variables()])
        return {**offered, "suppress": bool(mark)}

    def _what_can_be_added(self) -> list[str]:
        own = [name for name in BLOCKS if not name.startswith("mlrun.")]
        graphs = self.session.graphs
        others = [name for name in graphs.names() if name != graphs.current_name]
        return ["router", "queue", *own, *self._classes(), *others]

    def _spec(self) -> GraphSpec:
        """Return the current graph; asking for it does not make the first one."""
        graphs = self.session.graphs
        return graphs.current().spec if graphs.current_name else GraphSpec()

    def _steps(self) -> Iterable[str]:
        return self._spec().names()

    def _of_kind(self, kind: str) -> list[str]:
        every = self._spec().every_step()
        return [step.name for step in every if step.kind == kind]

    def _functions(self) -> list[str]:
        return [step.function for step in self._spec().steps if step.function]

    def _event_ids(self) -> list[str]:
        records = self.session.events() if self.session.graphs.current_name else []
        return ["last", *(record.event_id for record in reversed(records))]

    def _variables(self) -> list[str]:
        return [
            name
            for name, value in self.session.user_ns.items()
            if not name.startswith("_")
            and name not in _HIDDEN
            and not inspect.ismodule(value)
        ]

    def _classes(self) -> list[str]:
        names = self.session.user_ns
        return [n for n in self._variables() if inspect.isclass(names[n])]

    def _deployments(self) -> list[str]:
        from jupyter_graph.deployment.index import records

        return [record.name for record in records()]


def _offer(
    fragment: str, names: Iterable[str], helps: Mapping[str, str] | None = None
) -> SimpleMatcherResult:
    """Return the names that begin with a fragment, each with its description."""
    fitting = [name for name in dict.fromkeys(names) if name.startswith(fragment)]
    # JupyterLab shows a completion's type beside it; there is no field for a text.
    described = helps or {}
    return {
        "completions": [
            SimpleCompletion(text=name, type=described.get(name)) for name in fitting
        ],
        "suppress": bool(fitting),
        "matched_fragment": fragment,
        "ordered": True,
    }
