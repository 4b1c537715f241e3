# absent: append
# %%
class Config:
    limit = 1
    tags = []
# %%
Config.limit = 5
Config.tags.append('a')
Config.added = {'k': (1, 2)}
# %%
def step(x): return Config.limit, Config.tags, Config.added
