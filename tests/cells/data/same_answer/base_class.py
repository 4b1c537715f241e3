# %%
class Base:
    factor = 2
    def do(self, x): return x * self.factor
# %%
class Child(Base):
    factor = 3
# %%
def step(x): return Child().do(x)
