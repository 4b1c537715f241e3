# absent: len
# %%
if (n := len('abc')) > 2:
    pass
# %%
def step(x): return n
