"""Twelve kinds of effects: only what the user himself runs has any."""

import http.server
import os
import queue
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SETUP = """
import os, queue, random, sqlite3, subprocess, tempfile, threading, urllib.request
count = 0
waiting = []
"""


def size(path):
    return Path(path).stat().st_size if Path(path).exists() else 0


def rows():
    connection = sqlite3.connect("data.db")
    [(count,)] = connection.execute("select count(*) from seen").fetchall()
    connection.close()
    return count


def temporary():
    return sum(1 for _ in Path(tempfile.gettempdir()).glob("jg-effect-*"))


KINDS = {
    "file": ("open('log.txt', 'a').write('x')", "writes log.txt"),
    "sqlite": (
        "db = sqlite3.connect('data.db'); db.execute('insert into seen values (1)');"
        " db.commit(); db.close()",
        "writes to the database data.db",
    ),
    "post": ("urllib.request.urlopen(body['url'], data=b'x').read()", "127.0.0.1"),
    "process": ("subprocess.run(['sh', '-c', 'echo x >> ran'])", "starts sh -c"),
    "thread": (
        "it = threading.Thread(target=lambda: open('late', 'a').write('x'));"
        " it.start(); it.join()",
        "writes late",
    ),
    "mode": ("os.chmod('kept', os.stat('kept').st_mode ^ 0o1)", "the mode of kept"),
    "counter": ("global count; count += 1", ""),
    "queue": ("waiting.append(1)", ""),
    "variable": ("os.environ['JG_SEEN'] = os.environ.get('JG_SEEN', '') + 'x'", ""),
    "temporary": (
        "file = tempfile.NamedTemporaryFile(prefix='jg-effect-', delete=False);"
        " file.close()",
        "",
    ),
    "print": ("print('hello')", ""),
    "chance": ("random.random()", ""),
}


@pytest.fixture
def server():
    """A server on this computer that counts what is posted."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/", seen
        found.shutdown()
        thread.join()


@pytest.fixture
def effects(run, session, server, monkeypatch):
    """Return a function that counts all effects there are."""
    monkeypatch.delenv("JG_SEEN", raising=False)
    Path("temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(Path("temporary").absolute()))
    Path("kept").write_text("x", encoding="utf-8")
    connection = sqlite3.connect("data.db")
    connection.execute("create table seen (n)")
    connection.close()
    run(SETUP)
    names = session.user_ns

    def count():
        files = [size(path) for path in ("log.txt", "late", "ran")]
        here = names["count"], len(names["waiting"]), len(os.environ.get("JG_SEEN", ""))
        return (
            *files,
            rows(),
            len(server[1]),
            *here,
            temporary(),
            Path("kept").stat().st_mode,
        )

    return count


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_user_runs_has_an_effect(run, effects, server, kind):
    code, named = KINDS[kind]
    body = {"url": server[0]}
    before = effects()

    def said(cell):
        try:
            return repr(run(cell))
        except Exception as error:
            return str(error)

    said_here = [
        said(
            f"%%graph_step act --example {body!r}\n"
            f"def act(body):\n    {code}\n    return body['url']"
        )
    ]
    assert effects() == before  # the example
    run(f"%graph run {body!r} --silent")
    after = effects()
    assert (after != before) == (kind not in ("print", "chance"))
    said_here.append(str(run("%deploy act --dry-run").parity))
    said_here.append(said("%graph replay last"))
    assert effects() == after

    assert all(named in text for text in said_here)
    assert all(("--side-effects" in text) == bool(named) for text in said_here)


def test_a_marked_step_gives_what_it_gave(run, effects):
    run(
        "%%graph_step act --side-effects\n"
        "def act(body):\n"
        "    open('log.txt', 'a').write('x')\n"
        "    return {'saved': (body, 1)}"
    )
    run("%%graph_step then\ndef then(body):\n    return len(body['saved'])")
    run("%graph run 5")
    before = effects()

    assert str(run("%deploy act --dry-run").parity) == "parity: 1 of 1 events equal"
    assert run("%graph replay last").body == 2
    assert effects() == before
    assert run("%graph replay last --effects").body == 2
    assert effects() != before


def test_what_a_marked_step_gave_must_be_known(run):
    run("%%graph_step act --side-effects\ndef act(body):\n    return body")

    with pytest.raises(Exception, match="what it gave for this event is not recorded"):
        run("%%graph_step then --example 1\ndef then(body):\n    return body")


def test_a_table_is_read_and_not_written(run, tmp_path):
    place = f"store:///{tmp_path}/counts.db"
    run(
        "%%graph_step count\n"
        "from jupyter_graph.connectors.tables.open_table import open_table\n"
        "class count:\n"
        "    def __init__(self, context):\n"
        f"        self.table = open_table({place!r}, context=context)\n"
        "    def do(self, body):\n"
        "        return self.table.update('n', lambda n: n + 1, 0)"
    )
    run("%graph run 1")
    report = run("%deploy count --dry-run").parity
    again = run("%graph replay last")

    assert run("%graph run 1").body == 2
    assert again.body == 2
    [one] = report.not_compared
    assert one.reason.startswith("its steps read tables that have changed since: store")


def test_an_example_sees_the_notebook(run, session):
    run("import os\nos.environ['JG_MODE'] = 'fast'")
    run("class Point:\n    def __init__(self, x): self.x = x")
    placed = run(
        "%%graph_step show --example Point(3)\n"
        "def show(body):\n"
        "    return [os.environ['JG_MODE'], isinstance(body, Point), body.x]"
    )

    assert placed.answer.body == ["fast", True, 3]
    assert session.events()[0].is_whole is False


def test_an_example_of_what_cannot_leave_the_notebook_is_told(run):
    run("numbers = (n for n in range(9))")

    with pytest.raises(Exception, match=r"(?s)numbers .*run it: %graph run EXPR"):
        run("%%graph_step take --example 1\ndef take(body):\n    return next(numbers)")


def test_an_error_of_a_replay_names_the_place_in_its_cell(run):
    run("%%graph_step bad\ndef bad(body):\n    return 1 / body")
    run("%graph run 0 --silent")

    with pytest.raises(Exception, match="ZeroDivisionError") as caught:
        run("%graph replay last")
    assert caught.value.step == "bad"
    assert caught.value.__cause__.__notes__ == ["at cell 2, line 3"]


def test_a_queue_of_the_standard_library_stays_as_it_was(run, session):
    run("import queue\nwaiting = queue.Queue()")
    run("%%graph_step put\ndef put(body):\n    waiting.put(body)\n    return 1")
    run("%graph run 1")

    with pytest.raises(Exception, match="waiting"):
        run("%graph replay last")
    held = session.user_ns["waiting"]
    assert isinstance(held, queue.Queue)
    assert held.qsize() == 1


ATTACKS = [
    "db = sqlite3.connect(':memory:'); db.execute(\"attach 'data.db' as x\")",
    "db = sqlite3.connect('data.db'); db.execute(\"vacuum into 'other.db'\")",
    "db = sqlite3.connect('file:data.db?mode=memory&mode=rwc', uri=True);"
    " db.execute('insert into seen values (1)'); db.commit()",
    "os.fchmod(os.open('kept', os.O_RDONLY), 0o600)",
    "os.link('kept', os.path.join(tempfile.mkdtemp(), 'linked'))",
]


@pytest.mark.parametrize("code", ATTACKS)
def test_other_ways_to_a_file_are_refused_too(run, effects, code):
    before = effects()

    with pytest.raises(Exception, match="mark it --side-effects"):
        run(f"%%graph_step act --example 1\ndef act(body):\n    {code}\n    return 1")
    assert effects() == before
    assert not Path("other.db").exists()


ALLOWED = [
    "db = sqlite3.connect('data.db'); db.execute('select n from seen').fetchall()",
    "db = sqlite3.connect(':memory:'); db.execute('create table q (a)'); db.commit()",
    "file = tempfile.TemporaryFile(); file.write(b'x'); file.truncate(0)",
    "import socket; socket.socket().bind(('127.0.0.1', 0))",
    "os.makedirs('temporary', exist_ok=True)",
]


@pytest.mark.parametrize("code", ALLOWED)
def test_what_changes_nothing_outside_runs(run, effects, code):
    placed = run(
        f"%%graph_step act --example 1\ndef act(body):\n    {code}\n    return 1"
    )

    assert placed.answer.body == 1
    assert placed.answer.notes == ()


def test_a_marked_step_that_gets_something_else_is_told(run):
    run("factor = 2")
    run("%%graph_step before\ndef before(body):\n    return {'n': body * factor}")
    run(
        "%%graph_step call --side-effects\n"
        "def call(body):\n    return {**body, 'ok': True}"
    )
    run("%graph run 5")
    assert run("%graph replay last").body == {"n": 10, "ok": True}
    run("factor = 1000")

    with pytest.raises(Exception, match=r"gets \{'n': 5000\}, and got \{'n': 10\}"):
        run("%graph replay last")


def test_a_remote_step_gives_what_it_gave_at_its_place(run, answering):
    run(f"%graph add RemoteStep call --arg url={answering} --result-path got --respond")
    wanted = {"hour": 19, "got": {"seen": True}}

    assert run("%graph run {'hour': 19}").body == wanted
    assert run("%graph replay last").body == wanted
    assert str(run("%deploy act --dry-run").parity) == "parity: 1 of 1 events equal"


@pytest.fixture
def answering():
    """A server on this computer that answers with an object."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "14")
            self.end_headers()
            self.wfile.write(b'{"seen": true}')

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/"
        found.shutdown()
        thread.join()


def test_chance_of_few_values_is_left_out(run):
    run("import random")
    run("%%graph_step act\ndef act(body):\n    return {'g': random.choice('AB')}")
    for _ in range(4):
        run("%graph run 1")

    assert run("%deploy act --dry-run").parity.is_equal


def test_what_ran_before_a_change_is_not_compared(run):
    run("table = {'a': 1}")
    run("%%graph_step act\ndef act(body):\n    return table['a']")
    run("%graph run 1")
    run("table['a'] = 2")
    run("%graph run 1")
    report = run("%deploy act --dry-run").parity
    assert (report.equal, len(report.not_compared)) == (1, 1)
    assert "may have changed a value" in report.not_compared[0].reason

    run("%%graph_step act\ndef act(body):\n    return 7", cell_id="again")
    run("%graph run 1")
    run("%graph undo")
    report = run("%deploy act --dry-run").parity
    assert report.is_equal
    assert "before the graph was changed" in str(report)
