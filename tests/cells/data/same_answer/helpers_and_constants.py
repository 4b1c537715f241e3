# %%
LIMIT = 3
# %%
def helper(x):
    return x > LIMIT
# %%
def step(x): return helper(x)
