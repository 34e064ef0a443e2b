"""`make bench`: serving beside the bare reference and FastAPI, then start-up and the base install.

Arguments are those of `benchmarks.serving`. The exit code is 1 when any of them missed a limit.
"""

import sys

from benchmarks import serving, size, startup

if __name__ == "__main__":
    sys.exit(max([serving.main(), startup.main(), size.main()]))
