# absent: split
# %%
def split(): return [1, 2], [3]
train, test = split()
# %%
def step(x): return test
