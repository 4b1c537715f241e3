# absent: load_value
# %%
class Tokenizer:
    def __init__(self, lower=True):
        self.lower = lower
        self.seen = {}
# %%
tokenizer = Tokenizer(lower=False)
# %%
def step(x): return vars(tokenizer)
