# %%
i = 'global'
# %%
def step(x): return [i for i in range(3)], {k: i for k in 'a'}
