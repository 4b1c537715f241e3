# %%
LIMIT = 5
# %%
def step(x, y=LIMIT): return x, y, LIMIT
# %%
LIMIT = 10
