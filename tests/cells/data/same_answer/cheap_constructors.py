# absent: load_value
# %%
import re, logging, threading, datetime as dt
from pathlib import Path
from decimal import Decimal
from collections import defaultdict
# %%
WORD = re.compile(r'\w+', re.I | re.M)
log = logging.getLogger('x')
lock = threading.Lock()
HOME = Path('a') / 'b'
PRICE = Decimal('1.10')
DAY = dt.date(2024, 2, 29)
SEEN = defaultdict(list)
NAMES = 'a b'.split()
# %%
def step(x):
    with lock:
        return (WORD.findall('a b'), log.name, HOME.name, PRICE, DAY, SEEN['k'], NAMES)
