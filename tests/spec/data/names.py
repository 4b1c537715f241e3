"""The functions and classes that documents.yaml names."""

from jupyter_graph.steps import Model, V2ModelServer

clf = 0.5


def f(body):
    return body


def g(body):
    return body


def h(event):
    return event


async def slow(body):
    return body


def many(body):
    yield body
    yield body


class C:
    def __init__(self, limit=1, more=None):
        self.limit, self.more = limit, more

    def do(self, body):
        return body

    def other(self, body):
        return body

    def whole(self, event):
        return event


class Choose:
    def select_outlets(self, body):
        return []


class M(V2ModelServer):
    def load(self):
        self.model = "loaded"

    def predict(self, request):
        return request["inputs"]


class LM(Model):
    def __init__(self, *, k=1, **options):
        super().__init__(**options)
        self.k = k

    def predict(self, body, **_):
        return {**body, "k": self.k}


class R:
    def __init__(self, routes=None):
        self.routes = routes

    def do_event(self, event):
        return self.routes["x"](event)


class Nothing:
    pass


def takes_nothing():
    return None


def takes_much(body, more):
    return body
