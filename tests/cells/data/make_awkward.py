"""Write awkward.ipynb, the notebook with everything that is hard to slice."""

import json
from pathlib import Path

CELLS = [
    # 1
    '''%load_ext autoreload
from __future__ import annotations

import os, re, json as js
import numpy as np
from collections import defaultdict
from sklearn.linear_model import LogisticRegression
%matplotlib --list
''',
    # 2
    '''!echo "installing things"
files = !echo a.csv && echo b.csv
print(files)
where = %pwd
''',
    # 3: used before the cell that defines what it calls
    '''%%graph_step predict --after enrich
class Predict:
    """A step that uses a model of the notebook.

    %matplotlib inline is no magic in here
    !neither is this
    """

    threshold = THRESHOLD if "THRESHOLD" in globals() else 0.5  # cell runs again below

    def __init__(self, context=None, name=None):
        self.name = name

    def do(self, body):
        row = np.array([[body[c] for c in COLUMNS]])
        p = float(clf.predict_proba(row)[0, 1])
        return {**body, "p": round(p, 9), "label": label_of(p), "files": files}
''',
    # 4
    '''%%bash
echo "not python at all: if [ 1 ]; then"
''',
    # 5
    '''COLUMNS = ["a", "b"]          # what the model takes
LIMITS = {"a": (0, 1), "b": (0, None)}
SECONDS = 60 * 60
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
''',
    # 6
    '''%%time
clf = LogisticRegression()
clf.fit(X, y)
''',
    # 7
    '''def label_of(p):
    return "OLD LABEL"
''',
    # 8
    '''async def fetch_rate():
    return 0.25

RATE = await fetch_rate()
history = []
history.append(RATE)
''',
    # 9
    '''WORD = re.compile(r"%\\w+")   # looks like a magic
TEXT = """
%time is in a string
!ls too
who? me
"""

def words(text):
    # %timeit in a comment
    return WORD.findall(text + TEXT)
''',
    # 10
    '''def timed(fn):
    import functools, time

    @functools.wraps(fn)
    def run(*args, **kwargs):
        started = time.perf_counter()
        try:
            return fn(*args, **kwargs)
        finally:
            timings[fn.__name__].append(time.perf_counter() - started)
    return run

timings = defaultdict(list)
''',
    # 11
    '''%%graph_step enrich
@timed
def enrich(body, scale=SECONDS):
    body = dict(body, words=words(body.get("text", "")), scaled=body["a"] * scale)
    match body:
        case {"kind": "fast", **rest}:
            return {**rest, "fast": True}
        case _:
            return body | {"rate": RATE, "root": os.path.basename("/x/y")}
''',
    # 12
    '''for name in ("check", "again"):
    attempts = name

if __name__ == "__main__":
    %time squares = [n * n for n in range(5)]
    print("training", squares)
''',
    # 13: the latest definition
    '''def label_of(p):
    return "yes" if p > THRESHOLD else "no"
''',
    # 14
    '''THRESHOLD = 0.4
THRESHOLD += 0.05
Predict.threshold = 0.45
''',
    # 15
    '''%%graph_step validate
class ValidationError(ValueError):
    pass

def validate(body):
    missing = [c for c in COLUMNS if c not in body]
    if missing:
        raise ValidationError(f"missing {missing!r:>{len(missing)}}")
    for column, (low, high) in LIMITS.items():
        if low is not None and body[column] < low:
            raise ValidationError(f"{column} < {low}")
    return {**body, "squares": squares, "attempts": attempts}
''',
    # 16
    '''%%graph_step on_error
async def on_error(body):
    return {"error": js.dumps(body, sort_keys=True)}
''',
    # 17
    '''label_of?
!echo done
%timeit -n1 -r1 label_of(0.1)
validate({"a": 1, "b": 2})
''',
]  # fmt: skip


def notebook():
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {"tags": ["awkward"]},
            "outputs": [],
            "source": source.rstrip("\n").splitlines(keepends=True),
        }
        for number, source in enumerate(CELLS, 1)
    ]
    cells.insert(0, {"cell_type": "markdown", "id": "intro", "metadata": {}, "source": "# A"})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


if __name__ == "__main__":
    path = Path(__file__).with_name("awkward.ipynb")
    path.write_text(json.dumps(notebook(), indent=1) + "\n")
