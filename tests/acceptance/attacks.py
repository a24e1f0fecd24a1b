"""Which attacks are proved to fail, and by which tests.

    python -m tests.acceptance.attacks [--json]

The rows stand in `attacks.toml`; `catalogue.py` says how they are written.
"""

from tests.acceptance.catalogue import Catalogue

ATTACKS = Catalogue("attack", 62, "What strangers may try")

if __name__ == "__main__":
    ATTACKS.main()
