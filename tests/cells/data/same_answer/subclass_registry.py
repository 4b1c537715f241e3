# %%
class Plugin:
    known = {}
    def __init_subclass__(cls, **words):
        Plugin.known[cls.__name__] = cls
# %%
class Upper(Plugin):
    def do(self, x): return 'up'
# %%
def step(x): return [p().do(x) for p in Plugin.known.values()]
