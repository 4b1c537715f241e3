# absent: +=
# %%
RATE = 0.5
# %%
RATE += 0.25
# %%
def step(x): return RATE * x
