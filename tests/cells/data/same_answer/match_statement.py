# %%
class Point:
    __match_args__ = ('x',)
    def __init__(self, x): self.x = x
# %%
class Status:
    OK = 200
# %%
def step(x):
    match x:
        case Status.OK: return 'ok'
        case Point(y): return y
        case [first, *rest]: return rest
        case {'a': a, **others}: return others
        case other: return other
