"""Steps of the own cases that are storey's: maps and choices."""

import storey
from plain_steps import *  # noqa: F403  # their names are the cases'
from plain_steps import SINK, reset  # noqa: F401


class KeepPositive(storey.MapClass):
    def do(self, x):
        return 10 * x if x > 0 else self.filter()


class AsyncMapClass(storey.MapClass):
    async def do(self, x):
        return {"am": x}


class SizeChoice(storey.Choice):
    def select_outlets(self, body):
        return ["small" if body["n"] <= 10 else "big"]


class BothChoice(storey.Choice):
    def select_outlets(self, body):
        return ["big", "small"]


class DupChoice(storey.Choice):
    def select_outlets(self, body):
        return ["big", "big"]


class GhostChoice(storey.Choice):
    def select_outlets(self, body):
        return ["ghost"]


class SelectMap(storey.MapClass):
    def do(self, body):
        return body

    def select_outlets(self, body):
        to = body.get("to")
        return to and [to]
