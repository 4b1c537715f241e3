"""What asyncio does not document is there, and says what its public names say."""

import asyncio
import sys

import pytest

from jupyter_graph.run.aio import asyncio_private


def test_this_python_has_the_table_where_it_is_the_fast_way():
    if sys.version_info >= (3, 12):
        pytest.skip("asyncio.current_task is written in C here")

    assert asyncio_private.current_task != asyncio.current_task, (
        "asyncio.tasks._current_tasks is gone: mend run/aio/asyncio_private.py"
    )


@pytest.mark.parametrize("is_slow", [False, True], ids=["fast", "slow"])
def test_the_task_on_a_loop_is_the_current_one(monkeypatch, is_slow):
    if is_slow:
        monkeypatch.setattr(asyncio.tasks, "_current_tasks", None, raising=False)
    current_task = asyncio_private._current_task()
    monkeypatch.undo()

    async def main():
        return current_task(asyncio.get_running_loop()) is asyncio.current_task()

    assert asyncio.run(main())


@pytest.mark.parametrize("is_slow", [False, True], ids=["fast", "slow"])
def test_the_running_loop_is_the_one_that_runs_or_none(monkeypatch, is_slow):
    if is_slow:
        monkeypatch.delattr(asyncio, "_get_running_loop", raising=False)

    async def main():
        return asyncio_private.running_loop() is asyncio.get_running_loop()

    assert asyncio_private.running_loop() is None
    assert asyncio.run(main())
