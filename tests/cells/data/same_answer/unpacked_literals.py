# %%
A, (B, C) = 1, (2, 3)
# %%
def step(x): return A + C + x
