# absent: get_ipython
# %%
files = !ls
# %%
def step(x): return files
