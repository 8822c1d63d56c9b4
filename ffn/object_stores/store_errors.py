"""What a store refuses, as one line: without secrets, with what to do."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from ffn.errors import DataError, OutputError
from ffn.object_stores.object_address import ObjectAddress

__all__ = ["ChangedObjectError", "TakenObjectError", "told_by_store"]

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>|\"code\": ?\"?([A-Za-z0-9]{1,60})")
_STATUS = re.compile(r"\bstatus(?: code)?:? ?(\d{3})\b")
_WHERE_CREDENTIALS_ARE = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_UNKNOWN_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure"}
_DENIED = {"AccessDenied", "AuthorizationFailure", "AuthorizationPermissionMismatch", "forbidden"}
_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound"}
# Where a machine in the cloud would find its role; elsewhere nothing answers there.
_METADATA = ("169.254.169.254", "169.254.170.2", "metadata.google.internal", "fd00:ec2::254")
_UNREACHABLE = ("error sending request", "connect", "dns error", "timed out", "TimedOut")


class TakenObjectError(DataError):
    """An object exists that must not, or is no longer the one that was to be replaced."""


class ChangedObjectError(DataError):
    """An object was replaced or removed while it was read."""


@contextlib.contextmanager
def told_by_store(address: ObjectAddress, doing: str = "read") -> Iterator[None]:
    """Raise what a store refuses in the block as an error of one line.

    Parameters
    ----------
    address
        What the block reads or writes.
    doing
        ``read`` or ``written``: what could not be done.

    Raises
    ------
    DataError
        The store refuses to read.
    OutputError
        The store refuses to write.
    TakenObjectError
        A condition of writing does not hold.
    FileNotFoundError
        There is no such object: the caller knows what that means.
    """
    from obstore import exceptions

    try:
        yield
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
        if doing == "read":
            raise ChangedObjectError(
                f"{address} changed while it was read. Try again when nothing is writing to it."
            ) from None
        raise TakenObjectError(f"{address} was written by somebody else meanwhile.") from None
    except FileNotFoundError as error:
        if _code(error) in _NO_BUCKET:
            raise _no_bucket(address, doing) from None
        raise
    except (exceptions.BaseError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            # Of a file on this machine; what the library raises as the system's has no number.
            raise
        if _code(error) in _NO_BUCKET:
            raise _no_bucket(address, doing) from None
        kind = OutputError if doing == "written" else DataError
        raise kind(f"{address} cannot be {doing}: {_reason(address, error, doing)}") from None


def _no_bucket(address: ObjectAddress, doing: str) -> DataError:
    kind = OutputError if doing == "written" else DataError
    return kind(
        f"{address} cannot be {doing}: there is no bucket {address.bucket}. Correct the name, or "
        "make the bucket."
    )


def _code(error: BaseException) -> str:
    """Return the store's own name of an error; empty if it gives none."""
    found = _CODE.search(str(error))
    return (found[1] or found[2]) if found else ""


def _reason(address: ObjectAddress, error: Exception, doing: str) -> str:
    from obstore import exceptions

    text, code = str(error), _code(error)
    variables = _WHERE_CREDENTIALS_ARE[address.scheme]
    if code in _EXPIRED:
        return "the credentials have expired. Renew them."
    if code in _UNKNOWN_KEY:
        return f"the store does not know these credentials ({code}). Check {variables}."
    if code == "RequestTimeTooSkewed":
        return "the clock of this machine differs from that of the store. Set it right."
    if isinstance(error, exceptions.InvalidPathError):
        return (
            'the name of an object there has an empty part, ".", ".." or a control character. '
            "Rename it, or give a folder without it."
        )
    if any(place in text for place in (*_METADATA, "Account must be specified")):
        return f"no credentials were found. Set {variables}."
    denied = exceptions.PermissionDeniedError | exceptions.UnauthenticatedError | PermissionError
    if code in _DENIED or isinstance(error, denied):
        missing = "write" if doing == "written" else "read"
        told = f" ({code})" if code else ""
        return (
            f"permission denied{told}. Give these credentials the right to {missing} there, or "
            f"check {variables}."
        )
    if "redirect" in text.lower() or code in ("PermanentRedirect", "AuthorizationHeaderMalformed"):
        return "the bucket is in another region. Set AWS_REGION to it."
    if code:
        return f"the store answers {code}. Look that up in its documentation."
    if found := _STATUS.search(text):
        return f"the store answers with HTTP status {found[1]}. Try again later."
    if any(sign in text for sign in _UNREACHABLE):
        return (
            "the store cannot be reached. Check the network, and the endpoint (AWS_ENDPOINT_URL) "
            "if one is set."
        )
    # A driver's own words may hold an address with a signature.
    return f"the library obstore refuses ({type(error).__name__}). Check {variables}."
