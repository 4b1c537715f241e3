# absent: *
# %%
from math import *
# %%
def step(x): return sqrt(x) + floor(pi)
