"""Text that looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Shapes with a fixed beginning only: a guess by entropy would stop honest notebooks.
SHAPES = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b",
    "a GitLab token": r"\bglpat-[\w-]{20,}",
    "a Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{20,}",
    "an API key of OpenAI or Anthropic": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a PyPI token": r"\bpypi-AgEIcHlwaS5vcmc[\w-]{40,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
}
_SHAPES = {what: re.compile(shape) for what, shape in SHAPES.items()}
_WORDS = ("password", "passwd", "secret", "token", "apikey", "accesskey", "credential")
_HARMLESS = ("", "changeme", "none", "null", "todo", "xxx")


def leaks(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield line and kind of everything in a text that looks like a secret.

    >>> list(leaks("a = 1\nkey = 'AKIA" + "ABCDEFGHIJKLMNOP'"))
    [(2, 'an AWS access key')]
    """
    for what, shape in _SHAPES.items():
        for match in shape.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, what


def is_secret_name(name: str) -> bool:
    """Tell whether a variable's name says that it holds a secret.

    >>> is_secret_name("OPENAI_API_KEY"), is_secret_name("max_tokens")
    (True, False)
    """
    return name.lower().replace("_", "").endswith(_WORDS)


def is_secret(name: str, value: object) -> bool:
    """Tell whether a text under this name is likely a secret.

    >>> is_secret("password", "hunter2!"), is_secret("token", "")
    (True, False)
    """
    if not isinstance(value, str) or value.lower() in _HARMLESS:
        return False
    if any(leaks(value)):
        return True
    return is_secret_name(name) and len(value) >= 6 and " " not in value
