# %%
from dataclasses import dataclass, field
SIZE = 3
# %%
@dataclass
class Row:
    a: int
    b: list = field(default_factory=list)
    c: int = SIZE
# %%
def step(x): return repr(Row(x))
