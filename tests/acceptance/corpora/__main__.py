"""Send 1,600 collected attacks through each platform to a bot whose model obeys every one.

    python -m tests.acceptance.corpora [--quick] [--seed N] [--json]

It is one of the proofs, run by itself; `make corpora` fetches the attacks.
"""

import sys

from tests.acceptance.proof.__main__ import main

if __name__ == "__main__":
    sys.argv[1:1] = ["--only", "corpora"]
    main()
