# absent: load_value
# %%
def base(x): return x + 1
# %%
old_base = base
# %%
def base(x): return old_base(x) * 10
# %%
def step(x): return base(x)
