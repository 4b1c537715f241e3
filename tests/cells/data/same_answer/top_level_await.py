# absent: await
# %%
import asyncio
async def fetch(): return 12
# %%
value = await fetch()
# %%
def step(x): return value + x
