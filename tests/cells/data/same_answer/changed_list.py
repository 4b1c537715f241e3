# absent: append
# %%
SEEN = [1]
# %%
SEEN.append(2)
# %%
def step(x): return SEEN
