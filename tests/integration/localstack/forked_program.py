"""A program for the tests of forking: tells what it finds around it, then does as it is told."""

from __future__ import annotations

import json
import os
import signal
import sys

if __name__ == "__main__":
    found = {
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "leads its session": os.getsid(0) == os.getpid(),
        "warm": "fastapi" in sys.modules,
    }
    print(json.dumps(found), flush=True)
    if sys.argv[1] == "stay":
        signal.pause()
    sys.exit(int(sys.argv[1]))
