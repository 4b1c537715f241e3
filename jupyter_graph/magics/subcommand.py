"""What the subcommands of a line magic have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.errors import MagicError
from jupyter_graph.magics.notebook_expressions import evaluate
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
    options: argparse.Namespace
    session: Session

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

    def check_count(self, magic: str, words: list[str]) -> None:
        """Raise a MagicError when there are too few or too many words."""
        forms = [form for form in self.form.split() if form != "EXPR"]
        least = sum(not form.startswith("[") for form in forms)
        if not least <= len(words) <= len(forms):
            usage = f"{magic} {self.form}".strip()
            raise MagicError(f"usage: {usage}, got {' '.join(words) or 'nothing'}")
