"""What the subcommands of a line magic have in common."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.errors import MagicError
from jupyter_graph.magics.argument_parser import plain_words, read_options
from jupyter_graph.magics.notebook_expressions import evaluate, pairs
from jupyter_graph.session.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed after a subcommand, read.

    Attributes:
        magic: how messages call it, such as ``%graph run``.
        words: the words that belong to no option, the subcommand left out.
        expression: the raw text before the first option.
        options: the values of the options.
        session: the notebook's session.
    """

    magic: str
    words: list[str]
    expression: str
    options: Namespace
    session: Session

    @property
    def call(self) -> dict[str, Any]:
        """How the event is sent that ``%graph run`` and ``%deploy invoke`` send."""
        return {
            "path": self.options.path or "/",
            "method": self.options.method.upper(),
            "headers": dict(pairs(self.options.header, what="--header")),
            "silent": self.options.silent,
        }

    def body(self) -> Any:
        """Return the value of the expression that was typed."""
        return self.evaluate(self.expression, f"EXPR of {self.magic}")

    def evaluate(self, text: str, what: str) -> Any:
        return evaluate(text, self.session.user_ns, what=what)


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand.

    Attributes:
        run: does it.
        form: the words it takes, as the help shows them; ``[X]`` may be left out.
        options: the options it takes, with their dashes.
        takes_expression: its last word is one EXPR.
    """

    run: Callable[[Any], Any]
    form: str = ""
    options: frozenset[str] = frozenset()
    takes_expression: bool = False

    def read(self, parser: ArgumentParser, line: str, *, magic: str) -> dict[str, Any]:
        """Read what was typed after the subcommand: the fields of a ``Request``.

        Raises:
            MagicError: an option is wrong, or there are too few or too many words.
        """
        given = read_options(parser, line, magic=magic, allowed=self.options)
        options, loose, head = given
        forms = [form for form in self.form.split() if form != "EXPR"]
        words, expression = loose, head
        if self.takes_expression:
            words, rest = loose[: len(forms)], loose[len(forms) :]
            after = head.split(maxsplit=len(forms))[len(forms) :]
            expression = " ".join(after or rest)
        least = sum(not form.startswith("[") for form in forms)
        if not least <= len(plain_words(words, magic=magic)) <= len(forms):
            usage = f"{magic} {self.form}".strip()
            raise MagicError(f"usage: {usage}, got {' '.join(words) or 'nothing'}")
        typed = {"words": words, "expression": expression, "options": options}
        return {"magic": magic, **typed}
