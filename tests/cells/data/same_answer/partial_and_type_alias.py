# absent: load_value
# %%
from functools import partial, lru_cache
from typing import Any, Callable, Optional
import operator

def add(a, b): return a + b
# %%
inc = partial(add, b=1)
first = operator.itemgetter(0)
Body = dict[str, Any]
Maybe = Optional[int]
Number = int | float
Handler = Callable[[Body], "Body"]
cached = lru_cache(maxsize=None)(add)
MISSING = object()
BOUND = "{}-{}".format(1, 2)
# %%
def step(x: Body) -> Maybe:
    known = isinstance(x, Number), Handler is not None, MISSING is not None
    return inc(x), first([x]), cached(1, x), BOUND, known
