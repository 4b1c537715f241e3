# absent: load_value
# %%
from dataclasses import dataclass, field

@dataclass(frozen=True)
class Config:
    limit: int = 3
    names: list = field(default_factory=list)
# %%
config = Config(limit=4)
# %%
def step(x): return config.limit, config.names
