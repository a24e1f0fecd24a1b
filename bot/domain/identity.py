"""Who somebody is to this installation without their name: a keyed hash.

Strikes, blocks and spent budget outlive what a person may have deleted. They stand under a hash
that nobody computes without the installation's key, so that they hold without saying of whom.
"""

import hashlib

SIZE = 16  # bytes


def who(person: str, key: bytes) -> str:
    """Return the hash of a person (`platform:workspace:user`), as 32 hexadecimal digits."""
    return hashlib.blake2b(person.encode("utf-8", "replace"), key=key, digest_size=SIZE).hexdigest()
