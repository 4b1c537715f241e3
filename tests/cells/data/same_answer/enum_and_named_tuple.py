# %%
from enum import Enum
from typing import NamedTuple, TypedDict
# %%
class Color(Enum):
    RED = 1
class Point(NamedTuple):
    x: int
    y: int = 0
class Body(TypedDict):
    a: int
# %%
DEFAULT = Color.RED
# %%
def step(x): return Point(x).y, DEFAULT.name, Body(a=x)
