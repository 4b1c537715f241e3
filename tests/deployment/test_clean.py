from base64 import b64decode

import pytest

from jupyter_graph.deployment.parity.clean_process import CleanProcess
from jupyter_graph.errors import BundleError

pytestmark = pytest.mark.slow

EVENT = {
    "payload": "",
    "id": "e1",
    "path": "/",
    "method": "POST",
    "headers": {},
    "content_type": "",
}
RUNTIME = {
    "jupyter_graph/__init__.py": "",
    "jupyter_graph/run/__init__.py": "",
    "jupyter_graph/answer/response.py": """
class Response:
    def __init__(self, body=None, status_code=200, content_type="text/plain"):
        self.body, self.status_code = body, status_code
        self.content_type = content_type
""",
    "jupyter_graph/event.py": """
class Event:
    def __init__(self, body, **facts):
        self.body, self.facts = body, facts
""",
}


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a bundle with this main.py."""

    def write(main):
        for path, text in {**RUNTIME, "main.py": main}.items():
            target = tmp_path / "bundle" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return tmp_path / "bundle"

    return write


def test_a_bundle_answers_from_a_process_of_its_own(folder):
    bundle = folder("def handler(context, event): return context.Response(b'hi')")
    with CleanProcess(bundle, []) as process:
        answer = process.ask(EVENT, 5)

    assert process.failed is None
    assert answer == {
        "status_code": 200,
        "content_type": "text/plain",
        "payload": "aGk=",
        "headers": {},
        "effects": [],
    }


def test_modules_that_are_not_admitted_are_not_there(folder):
    bundle = folder("import yaml\ndef handler(context, event): ...")
    with CleanProcess(bundle, ["numpy"]) as process:
        failed = process.failed

    assert failed["kind"] == "ModuleNotFoundError"
    assert failed["module"] == "yaml"


def test_admitted_modules_and_the_standard_library_are_there(folder):
    bundle = folder(
        "import importlib.util, sqlite3, yaml\n"
        "assert importlib.util.find_spec('pandas') is None\n"
        "def handler(context, event): return context.Response(b'')"
    )
    with CleanProcess(bundle, ["yaml"]) as process:
        assert process.failed is None


def test_the_bundles_own_package_is_used_and_not_the_installed_one(folder):
    bundle = folder(
        "import jupyter_graph\n"
        "def handler(context, event):\n"
        "    return context.Response(jupyter_graph.__file__.encode())"
    )
    with CleanProcess(bundle, ["jupyter_graph"]) as process:
        answer = process.ask(EVENT, 5)

    assert b64decode(answer["payload"]).decode().startswith(str(bundle))


def test_what_steps_print_does_not_disturb_the_answers(folder):
    bundle = folder(
        "import os\n"
        "print('at import')\n"
        "def handler(context, event):\n"
        "    print('{}'); os.write(1, b'raw')\n"
        "    return context.Response(b'ok')"
    )
    with CleanProcess(bundle, []) as process:
        answer = process.ask(EVENT, 5)

    assert answer["payload"] == "b2s="


def test_coroutines_and_streams_are_awaited(folder):
    bundle = folder(
        "async def init_context(context): context.user_data.n = 1\n"
        "async def handler(context, event):\n"
        "    async def items():\n"
        "        yield 'a'\n"
        "        yield b'b'\n"
        "    return context.Response(items())"
    )
    with CleanProcess(bundle, []) as process:
        answer = process.ask(EVENT, 5)

    assert answer["payload"] == "YWI="


def test_a_process_that_dies_is_an_error_with_what_it_said(folder):
    bundle = folder(
        "import os, sys\n"
        "def handler(context, event):\n"
        "    sys.stderr.write('out of luck'); sys.stderr.flush(); os._exit(3)"
    )
    with (
        CleanProcess(bundle, []) as process,
        pytest.raises(BundleError, match=r"(?s)exit code 3.*event e1.*out of luck"),
    ):
        process.ask(EVENT, 5)


def test_a_handler_that_hangs_is_given_up(folder):
    bundle = folder(
        "import time\ndef handler(context, event):\n    while True: time.sleep(1)"
    )
    with (
        CleanProcess(bundle, []) as process,
        pytest.raises(BundleError, match=r"did not answer within 0\.3 s"),
    ):
        process.ask(EVENT, 0.3)


def test_an_import_that_hangs_is_given_up(folder):
    bundle = folder("import time\ntime.sleep(60)")
    with (
        pytest.raises(BundleError, match="importing it"),
        CleanProcess(bundle, [], limit_s=0.5),
    ):
        pass


def test_an_exit_at_import_is_told(folder):
    with CleanProcess(folder("raise SystemExit(4)"), []) as process:
        assert process.failed["kind"] == "SystemExit"
