"""Which faults are proved to be survived, and by which tests.

    python -m tests.acceptance.faults [--json]

The rows stand in `faults.toml`; `catalogue.py` says how they are written.
"""

from tests.acceptance.catalogue import Catalogue

FAULTS = Catalogue("fault", 54, "What may go wrong")

if __name__ == "__main__":
    FAULTS.main()
