# absent: old
# %%
def helper(x): return 'old'
# %%
def step(x): return helper(x)
# %%
def helper(x): return 'new'
