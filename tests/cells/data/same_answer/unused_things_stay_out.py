# absent: unused
# %%
import json
old = 1
def unused(): return old
# %%
def step(x): return x
