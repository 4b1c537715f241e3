# %%
from functools import singledispatch
# %%
@singledispatch
def kind(x): return 'any'
# %%
@kind.register
def _(x: int): return 'int'
@kind.register(str)
def _(x): return 'str'
# %%
def step(x): return kind(x), kind('a'), kind(1.5)
