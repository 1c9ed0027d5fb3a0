"""`python -m vvlm_desktop.worker` is the child."""

import sys

from vvlm_desktop.worker.serving import main

if __name__ == "__main__":
    sys.exit(main())
