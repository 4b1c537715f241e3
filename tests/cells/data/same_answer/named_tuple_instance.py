# absent: load_value
# %%
from collections import namedtuple
from typing import NamedTuple

Point = namedtuple("Point", "x y", defaults=[0])

class Pair(NamedTuple):
    a: int
    b: str = "b"
# %%
origin, pair = Point(1), Pair(2)
# %%
def step(x): return origin, pair
