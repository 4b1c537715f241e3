"""Tests of storey's steps are skipped where it cannot be had: on Python 3.13."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

HAS_STOREY = find_spec("storey") is not None
WHY = "storey is not installed"


def is_missing(error: BaseException | None) -> bool:
    """Tell whether storey is what an error, or one behind it, did not find."""
    while error is not None:
        name = getattr(error, "name", None)
        if name == "storey" or "storey, which is not installed" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    try:
        return (yield)
    except Exception as error:
        if not HAS_STOREY and is_missing(error):
            pytest.skip(WHY)
        raise


pytest_runtest_setup = pytest_runtest_call  # fixtures may ask for it too
