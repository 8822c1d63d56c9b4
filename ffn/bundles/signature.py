"""A keyed signature of bundles, for whoever sets ``FFN_SIGNING_KEY``.

Digests show damage, not intent: whoever can write a bundle can write its digests too. A signature
is HMAC-SHA256 (RFC 2104) of the manifest, which covers the other parts; it takes the key to make
one. With a key in the environment every bundle written is signed, and one that is not, or not
by this key, is not loaded.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from pathlib import Path

from ffn.errors import SettingsError
from ffn.storage.plain_files import open_plain

__all__ = ["KEY_VARIABLE", "check_signature", "sign", "signing_key"]

KEY_VARIABLE = "FFN_SIGNING_KEY"
# As long as the digest: shorter keys are weaker than it (RFC 2104, section 3).
_LEAST_BYTES = 32
_MOST_BYTES = 4096
# What the key signs elsewhere, should it be used elsewhere, is no signature of a bundle.
_PURPOSE = b"ffn bundle manifest, 1\n"
_ADVICE = 'Make one with: python -c "import secrets; print(secrets.token_hex(32))"'


def signing_key() -> bytes | None:
    """Return the key: the variable's text, or what the file that it names holds; None without one.

    Raises
    ------
    SettingsError
        The variable is set and there is no key of 32 bytes or more in it. It is not shown.
    """
    text = os.environ.get(KEY_VARIABLE)
    if text is None:
        return None
    source = KEY_VARIABLE
    key = os.fsencode(text)
    if text.startswith(("/", "./", "../", "~")):
        source = f"{KEY_VARIABLE}: {text}"
        try:
            # Secrets are often mounted as links, so these are followed.
            with open_plain(Path(text).expanduser().resolve()) as (file, size):
                key = file.read(min(size, _MOST_BYTES + 1))
        # The second where "~" is nobody's home, or links lead in a circle.
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SettingsError(
                f"{source} cannot be read ({reason}). What begins with / or . or ~ is the "
                f"path of a file with the key. {_ADVICE}"
            ) from None
    key = key.strip()
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise SettingsError(
            f"{source}: a key has {_LEAST_BYTES} to {_MOST_BYTES:,} bytes, and this one "
            f"{len(key):,}. {_ADVICE} Or unset the variable, and nothing is signed."
        )
    return key


def sign(manifest: bytes, key: bytes) -> bytes:
    """Return the content of a signature file: 64 hexadecimal digits and a line end."""
    return hmac.new(key, _PURPOSE + manifest, hashlib.sha256).hexdigest().encode() + b"\n"


def check_signature(path: Path, manifest: bytes, key: bytes | None) -> str:
    """Return what is wrong with the signature in the file ``path``; nothing if all is well.

    Without a key a signature is only looked at for its form, if there is one.
    """
    try:
        with open_plain(path) as (file, _):
            found = file.read(_LEAST_BYTES * 2 + 2)
    except FileNotFoundError:
        return "" if key is None else f"not signed, and {KEY_VARIABLE} asks for a signature"
    except OSError as error:
        return f"its signature cannot be read ({error.strerror})"
    if not re.fullmatch(rb"[0-9a-f]{64}\n", found):
        return "its signature is damaged"
    if key is not None and not hmac.compare_digest(found, sign(manifest, key)):
        return f"not signed with the key in {KEY_VARIABLE}: changed, or signed with another"
    return ""
