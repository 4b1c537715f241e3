# absent: load_value
# %%
OPS = []
# %%
def inc(x): return x + 1
# %%
OPS.append(inc)
OPS.append(abs)
# %%
def step(x): return [op(x) for op in OPS]
