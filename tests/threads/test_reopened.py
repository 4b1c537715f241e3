"""A cell that runs again closes what it opened before, in a real kernel."""

import pytest

pytestmark = pytest.mark.slow

SETUP = """
from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.threads.reaper import all_open

closed = []

class Step:
    def do(self, body):
        return body
    def close(self):
        closed.append(1)

graph = Graph("g")
graph.to(name="step", class_name=Step).respond()
def opened():
    return sorted(one.what.split()[0] for one in all_open() if one.what)
def counted():
    found = len(closed)
    closed.clear()
    return found
None
"""


CLOSE_ALL = """
for one in all_open():
    if (owner := one.owner) is not None:  # else collected, the reaper has its note
        owner.close()
one = owner = None
"""


class Kernel:
    """A kernel whose cells have ids, as JupyterLab gives them."""

    def __init__(self):
        from jupyter_client.manager import start_new_kernel

        self._manager, self._client = start_new_kernel()

    def run(self, code, cell=None):
        """Run a cell; return what it shows."""
        client = self._client
        message = client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": False,
            },
            metadata={"cellId": cell} if cell else {},
        )
        client.shell_channel.send(message)
        shown = []
        while True:
            got = client.get_iopub_msg(timeout=30)
            if got["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            content = got["content"]
            if got["msg_type"] == "execute_result":
                shown.append(content["data"]["text/plain"])
            elif got["msg_type"] == "error":
                shown.append(content["ename"])
            elif content.get("execution_state") == "idle":
                return "\n".join(shown)

    def close(self):
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel():
    found = Kernel()
    found.run(SETUP, "setup")
    yield found
    found.close()


def again(kernel, code, cell, times=3):
    """Run a cell several times; return how many steps were closed, and what is open."""
    for _ in range(times):
        shown = kernel.run(code, cell)
    return shown, kernel.run("counted(), opened()")


@pytest.fixture(autouse=True)
def nothing_open(kernel):
    yield
    kernel.run(CLOSE_ALL)
    kernel.run("counted()")


def test_a_cell_closes_the_one_before_it(kernel):
    code = "runner = Runner(graph).open()\nrunner.run(1)"

    assert again(kernel, code, "a") == ("1", "(2, ['Runner'])")


def test_a_cell_without_an_id_is_known_by_its_text(kernel):
    code = "other = Runner(graph).open()\nother.run(1)"

    assert again(kernel, code, None) == ("1", "(2, ['Runner'])")


def test_what_a_cell_showed_or_failed_with_does_not_keep_it(kernel):
    kernel.run("runner = Runner(graph).open()\nrunner.itself = runner", "b")
    kernel.run("runner", "show")
    code = "runner = Runner(graph).open()\nrunner.itself = runner\n1 / 0"

    assert again(kernel, code, "b") == ("ZeroDivisionError", "(3, ['Runner'])")


@pytest.mark.parametrize(
    "holding", ["kept = runner", "kept = [runner]", "def kept(it=runner): ..."]
)
def test_one_that_somebody_holds_stays_open(kernel, holding):
    code = "runner = Runner(graph).open()\nrunner.run(1)"
    kernel.run(code, "c")
    kernel.run(holding, "holds")

    assert again(kernel, code, "c", 1) == ("1", "(0, ['Runner', 'Runner'])")
    kernel.run("del kept")


def test_one_of_another_cell_stays_open(kernel):
    kernel.run("first = Runner(graph).open()", "d")
    kernel.run("second = Runner(graph).open()", "e")

    assert kernel.run("counted(), opened()") == "(0, ['Runner', 'Runner'])"


def test_one_that_a_thread_uses_stays_open(kernel):
    code = "runner = Runner(graph).open()"
    kernel.run(code, "f")
    kernel.run(
        "import threading\n"
        "may_end = threading.Event()\n"
        "def use(it): may_end.wait(20)\n"
        "threading.Thread(target=use, args=(runner,)).start()"
    )

    assert again(kernel, code, "f", 1)[1] == "(0, ['Runner', 'Runner'])"
    kernel.run("may_end.set()")


def test_a_mock_server_is_closed_with_its_runner(kernel):
    code = "server = MockServer(graph)\nserver.test(body=3)"

    assert again(kernel, code, "g") == ("3", "(2, ['MockServer'])")


def test_processes_are_closed_too(kernel):
    code = (
        "from jupyter_graph.processes.process_pool import WorkerPool\n"
        "pool = WorkerPool({'abs': abs}, 1, 'function')\n"
        "pool.submit('abs', -1).result().value"
    )

    assert again(kernel, code, "h") == ("1", "(0, ['processes'])")
