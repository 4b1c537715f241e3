"""What is typed after ``%deploy``, as the options of ``deploy``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from typing import Any

from jupyter_graph.deployment.nuclio.function_fields import merged, nested
from jupyter_graph.deployment.nuclio.triggers import read_trigger
from jupyter_graph.errors import MagicError
from jupyter_graph.frontend.factory import OPENAI
from jupyter_graph.magics.argument_parser import unquoted
from jupyter_graph.magics.notebook_expressions import pairs, read_value
from jupyter_graph.session.session import Session

AS_TYPED = ("graph", "workers", "port", "project", "dashboard", "runtime")
FLAGS = ("dry_run", "with_events", "fresh_env", "replace")


def read_deployment(
    name: str | None, words: argparse.Namespace, session: Session
) -> dict[str, Any]:
    """Return the options that were typed; what was not typed is left to ``deploy``."""
    options = {
        "name": name,
        "target": words.to,
        "wait_s": words.wait,
        "output": session.path(words.output) if words.output else None,
        "env": _texts(map(_with_value, words.env or ()), "--env"),
        "secrets": _texts(words.secret, "--secret", "K=NAME/KEY"),
        "triggers": {
            **_document(words.trigger_file, session, "--trigger-file"),
            **dict(map(read_trigger, words.trigger or ())),
        },
        "config": _config(words, session),
        "requirements": tuple(
            str(session.path(file)) for file in words.requirements or ()
        ),
        "pip": tuple(words.pip or ()),
        "api_handler": _document(words.api, session, "--api"),
        "openai_frontend": dict(OPENAI) if words.openai else None,
        "parity": False if words.no_parity else None,
        "allow_pickle": tuple(words.allow_pickle or ()),
        **{name: getattr(words, name) for name in AS_TYPED},
        **{name: getattr(words, name) or None for name in FLAGS},
    }
    return {key: value for key, value in options.items() if value not in (None, (), {})}


def _texts(
    given: Iterable[str] | None, option: str, form: str = "K=V"
) -> dict[str, str]:
    typed = pairs(given, what=option, form=form)
    return {key: unquoted(value) for key, value in typed}


def _with_value(text: str) -> str:
    """Return ``K=V`` for a variable's name alone: its value in the notebook now."""
    if "=" in text or not text.isidentifier():
        return text
    if text not in os.environ:
        raise MagicError(
            f"--env {text}: the notebook has no environment variable {text!r}; "
            f"say --env {text}=VALUE"
        )
    return f"{text}={os.environ[text]}"


def _config(words: argparse.Namespace, session: Session) -> dict[str, Any]:
    given = pairs(words.config, what="--config", form="FIELD=VALUE")
    typed = {field: read_value(value) for field, value in given}
    if not words.config_file:
        return typed
    document = _document(words.config_file, session, "--config-file")
    if "spec" in document:
        document = {k: document[k] for k in ("metadata", "spec") if k in document}
    return merged(nested(document), nested(typed))


def _document(file: str | None, session: Session, option: str) -> dict[str, Any]:
    if file is None:
        return {}
    import yaml  # reads JSON too

    path = session.path(file)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MagicError(f"{option}: cannot read {str(path)!r}: {error}") from None
    except yaml.YAMLError as error:
        raise MagicError(
            f"{option}: {str(path)!r} is neither YAML nor JSON: {error}"
        ) from None
    if not isinstance(document, dict):
        raise MagicError(
            f"{option}: {str(path)!r} must hold an object of names and values, "
            f"got {type(document).__name__}"
        )
    return {str(key): value for key, value in document.items()}
