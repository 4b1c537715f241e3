"""Call the steps of the awkward notebook."""

import asyncio
import inspect
import json

BODIES = [
    {"a": 0.5, "b": 0.25, "text": "%one !two"},
    {"a": 0.75, "b": 0.1, "kind": "fast"},
    {"a": 3},
    {"a": -1, "b": 0},
]


def answers(names):
    found = []
    for body in BODIES:
        try:
            enriched = names["enrich"](names["validate"](body))
            found.append(names["Predict"](name="predict").do(enriched))
        except ValueError as error:
            handled = names["on_error"](body)
            assert inspect.iscoroutine(handled)
            said = f"{type(error).__name__}: {error}"
            found.append([said, asyncio.new_event_loop().run_until_complete(handled)])
    return json.dumps(found, sort_keys=True)
