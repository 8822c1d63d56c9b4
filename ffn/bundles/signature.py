"""Optional signatures of bundles with the key in ``FFN_SIGNING_KEY``.

Digests detect damage, not tampering: whoever can write a bundle can write its digests, too. A
signature is the HMAC-SHA256 (RFC 2104) of the manifest, which covers the other parts; only the
holder of the key can create one. With a key in the environment, every new bundle is signed, and a
bundle that is not signed with this key is not loaded.
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
# The length of the digest: shorter keys weaken it (RFC 2104, section 3).
_LEAST_BYTES = 32
_MOST_BYTES = 4096
# Domain separation: if the key is also used elsewhere, those signatures are not valid here.
_PURPOSE = b"ffn bundle manifest, 1\n"
_ADVICE = 'Make one with: python -c "import secrets; print(secrets.token_hex(32))"'


def signing_key() -> bytes | None:
    """Return the signing key; None if ``FFN_SIGNING_KEY`` is not set.

    The variable holds the key, or the path of a file with it.

    Raises
    ------
    SettingsError
        The file cannot be read, or the key does not have 32 to 4,096 bytes. It is not shown.
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
        # RuntimeError: "~" cannot be expanded, or links form a loop.
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SettingsError(
                f"{source} cannot be read ({reason}). A value that begins with / or . or ~ is the "
                f"path of a file with the key. {_ADVICE}"
            ) from None
    key = key.strip()
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise SettingsError(
            f"{source}: a key must have {_LEAST_BYTES} to {_MOST_BYTES:,} bytes, but this one has "
            f"{len(key):,}. {_ADVICE} Or unset the variable to sign nothing."
        )
    return key


def sign(manifest: bytes, key: bytes) -> bytes:
    """Return the content of a signature file: 64 hexadecimal digits and a line end.

    Parameters
    ----------
    manifest
        Content of the bundle's manifest.
    key
        The signing key.
    """
    return hmac.new(key, _PURPOSE + manifest, hashlib.sha256).hexdigest().encode() + b"\n"


def check_signature(path: Path, manifest: bytes, key: bytes | None) -> str:
    """Return the problem with a bundle's signature; empty if there is none.

    Parameters
    ----------
    path
        The signature file.
    manifest
        Content of the bundle's manifest.
    key
        The signing key. None: a signature is optional, and only its form is checked.
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
