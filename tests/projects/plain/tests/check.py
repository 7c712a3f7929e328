"""Run against the installed package: `python check.py`."""

import plain

assert plain.add(2, 0.5) == 2.5
print("2 + 0.5 =", plain.add(2, 0.5))
