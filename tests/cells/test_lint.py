"""What would surprise in production is said before it ships."""

import pytest

from jupyter_graph.cells import lint

FINDINGS = [
    pytest.param(
        "import time\nasync def step(x):\n    time.sleep(1)",
        ("warning", "time.sleep blocks the event loop", 3),
        id="sleep-in-a-coroutine",
    ),
    pytest.param(
        "import requests as r\ndef ask(): return r.get('u')\n"
        "async def step(x):\n    return ask()",
        ("warning", "requests.get blocks the event loop", 2),
        id="blocking-helper-of-a-coroutine",
    ),
    pytest.param(
        "class step:\n    async def do(self, x):\n        import subprocess\n"
        "        return subprocess.run(x)",
        ("warning", "subprocess.run blocks the event loop", 4),
        id="blocking-call-in-a-class",
    ),
    pytest.param(
        "SEEN = []\ndef step(x):\n    SEEN.append(x)\n    return x",
        ("warning", "'SEEN' is changed while events run", 3),
        id="list-as-state",
    ),
    pytest.param(
        "COUNT = 0\ndef step(x):\n    global COUNT\n    COUNT += 1",
        ("warning", "'COUNT' is changed while events run", 4),
        id="global-as-state",
    ),
    pytest.param(
        "CACHE = {}\ndef step(x):\n    CACHE[x] = 1",
        ("warning", "'CACHE' is changed while events run", 3),
        id="dict-as-state",
    ),
    pytest.param(
        "api_key = 'very-secret-thing'\ndef step(x): return api_key",
        ("warning", "'api_key' looks like a secret", 1),
        id="secret-by-name",
    ),
    pytest.param(
        "def step(x): return ask('AKIAABCDEFGHIJKLMNOP', password='hunter22')\n"
        "def ask(*a, **k): return k",
        ("warning", "'password' looks like a secret", 1),
        id="secret-argument",
    ),
    pytest.param(
        "import pandas as pd\ndef step(x):\n    return pd.read_csv('data/rows.csv')",
        ("warning", "'data/rows.csv' is a file of this machine", 3),
        id="local-file",
    ),
    pytest.param(
        "from pathlib import Path\ndef step(x):\n    return Path('a.txt').read_text()",
        ("warning", "'a.txt' is a file of this machine", 3),
        id="local-path",
    ),
    pytest.param(
        "LIMITS = [1]\nLIMITS.append(2)\ndef step(x): return LIMITS",
        ("note", "'LIMITS' was changed after this line", 1),
        id="changed-constant",
    ),
    pytest.param(
        "data = list(map(str, range(9)))\ndef step(x): return data",
        ("note", "'data' ships as a value: list, about", 1),
        id="value",
    ),
    pytest.param(
        "import os\nROOT = os.getenv('NO_SUCH_NAME')\ndef step(x): return ROOT",
        ("note", "reads the environment variable 'NO_SUCH_NAME'", 2),
        id="environment",
    ),
    pytest.param(
        "import os\nos.environ['MODE'] = 'fast'\n"
        "def step(x): return os.environ['MODE']",
        ("note", "the function has 'MODE' as this line sets it", 2),
        id="environment-set-here",
    ),
    pytest.param(
        "rows = {}\nopen('/dev/null').close()\ndef step(x): return x",
        ("note", "this line ran here and is left out", 2),
        id="a-line-left-out",
    ),
    pytest.param(
        "def step(x):\n    if x is None:\n        exit(1)",
        ("warning", "exit() ends the worker", 3),
        id="exit",
    ),
    pytest.param(
        "import os as o\nclass step:\n    def do(self, x):\n        o._exit(1)",
        ("warning", "os._exit() ends the worker", 4),
        id="exit-of-a-module",
    ),
    pytest.param(
        "def step(x):\n    return nme",
        ("error", "name 'nme' is not", 2),
        id="undefined",
    ),
    pytest.param(
        "def step(x):\n    !ls", ("error", "'!ls' works only in a", 2), id="shell-line"
    ),
]


@pytest.mark.parametrize(("source", "wanted"), FINDINGS)
def test_findings_name_the_line(kernel, source, wanted):
    kernel.run(source)
    found = lint(kernel.cells, ["step"], kernel.namespace, folder=kernel.folder)
    severity, message, line = wanted

    assert [(f.severity, f.line) for f in found if message in f.message] == [
        (severity, line)
    ]
    assert all(finding.cell == 1 for finding in found)


@pytest.mark.parametrize(
    "source",
    [
        "import time\ndef step(x):\n    time.sleep(1)",
        "import asyncio\nasync def step(x):\n    await asyncio.sleep(1)",
        "def step(x):\n    print(x)\n    return open('/dev/null').read()",
        "import pandas as pd\ndef step(x): return pd.read_csv('https://a.b/c.csv')",
        "LIMIT = 3\ntoken = 'many words in here'\ndef step(x): return LIMIT, token",
        "def step(x):\n    seen = []\n    seen.append(x)\n    return seen",
        "import os\nAPI_KEY = 'unused-secret'\ndef step(x): return x",
    ],
)
def test_honest_code_has_no_findings(kernel, source):
    kernel.run(source)

    assert lint(kernel.cells, ["step"], kernel.namespace, folder=kernel.folder) == []


def test_a_finding_knows_its_step(kernel):
    kernel.run("SEEN = []\ndef step(x):\n    SEEN.append(x)")
    [finding] = lint(kernel.cells, ["step"], kernel.namespace, folder=kernel.folder)

    assert finding.step == "step"
    assert finding.fix == "keep state in a class step, or in a store outside"
