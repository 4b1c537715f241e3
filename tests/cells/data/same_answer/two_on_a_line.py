# absent: a = 1
# %%
a = 1; b = 2  # two
# %%
def step(x): return b
