# absent: %%
# %%
%%time
K = 3
# %%
%%capture out
def helper(x): return x * K
# %%
%%graph_step step --after a
def step(x): return helper(x)
