# absent: load_value
# %%
def inc(x): return x + 1
# %%
OPS = {'inc': inc, 'neg': lambda x: -x, 'abs': abs}
# %%
def step(x): return [op(x) for op in OPS.values()]
