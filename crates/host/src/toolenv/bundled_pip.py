"""Runs the pip that comes with this Python (ensurepip's own wheel), so that no environment needs a pip inside.

A wheel is an archive that Python imports from as it stands; ensurepip itself runs pip in this way.
"""

import ensurepip
import glob
import os
import runpy
import sys
import sysconfig

# Debian and Fedora keep the wheel elsewhere, and say where (WHEEL_PKG_DIR, from Python 3.10 on).
places = [
    os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"),
    sysconfig.get_config_var("WHEEL_PKG_DIR") or "",
    "/usr/share/python-wheels",
]
wheels = [wheel for place in places if place for wheel in sorted(glob.glob(os.path.join(place, "pip-*.whl")))]
if not wheels:
    sys.exit("this Python has ensurepip without its wheel of pip; looked in " + ", ".join(filter(None, places)))
sys.path.insert(0, wheels[0])
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
