"""Where golds and predictions may lie: a path, standard input, an object in S3; each is brought to a local file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, TYPE_CHECKING, Protocol

from harness.errors import HarnessError, SubmissionError
from harness.members import CHUNK, Limits

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_OWN_FILES = Path("/proc/self/fd")
_ATTEMPTS = 3
_CONNECT_SECONDS = 10
_HINTS = {
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "access denied; the credentials need s3:GetObject there",
    "403": "access denied; the credentials need s3:GetObject there",
    "InvalidAccessKeyId": "the key is not known; check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret does not fit the key; check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session's credentials have expired; renew them",
}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def local(location: str, kind: str, limits: Limits | None = None) -> Iterator[tuple[Path, str]]:
    """A local path to what lies at `location`, and the name messages should call it by.

    `location` is a path, `-` for standard input, or `s3://bucket/key` (through boto3, whose own chain finds the
    credentials; `AWS_ENDPOINT_URL` names another server). What is fetched is for this process alone and gone at the
    end, on Linux however the process ends. `kind` is "golds" or "predictions". Raises `HarnessError`, for predictions
    `SubmissionError`, where nothing can be fetched from there.
    """
    error = SubmissionError if kind == "predictions" else HarnessError
    where = f"{kind} {location}"
    most = (limits or Limits()).total_bytes
    if location != "-" and not _SCHEME.match(location):
        yield Path(location), location
        return
    with _scratch() as (file, path):
        try:
            if location == "-":
                _spool(_standard_input(where, error), file, where, error, most)
            elif location.startswith("s3://"):
                _fetch(location, file, where, error, most)
            else:
                raise error(f"{where}: only local files, s3:// and - are read; download it first")
        except OSError as cause:
            raise error(f"{where}: {cause.strerror or cause}") from None
        yield path, location


@contextmanager
def _scratch() -> Iterator[tuple[IO[bytes], Path]]:
    """A file for a copy, and its path; without a name where /proc leads to it, so that it cannot outlive the process."""
    if _OWN_FILES.is_dir():
        with TemporaryFile() as file:
            yield file, _OWN_FILES / str(file.fileno())
    else:
        with NamedTemporaryFile(prefix="lampworks-") as file:
            yield file, Path(file.name)


def _standard_input(where: str, error: type[HarnessError]) -> _Readable:
    if sys.stdin is None or sys.stdin.isatty():
        raise error(f"{where}: nothing is piped in; pipe a file in, or name one")
    return sys.stdin.buffer


def _spool(stream: _Readable, file: IO[bytes], where: str, error: type[HarnessError], most: int) -> None:
    count = 0
    while piece := stream.read(CHUNK):
        count += len(piece)
        if count > most:
            raise error(f"{where}: larger than {most:,} bytes, the most that is read")
        file.write(piece)
    file.flush()
    if not count:
        raise error(f"{where}: is empty; nothing came")


def _fetch(location: str, file: IO[bytes], where: str, error: type[HarnessError], most: int) -> None:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    if not bucket or not key or key.endswith("/"):
        raise error(f"{where}: write s3://bucket/key, the address of one object")
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise HarnessError("reading s3:// needs boto3: pip install 'lampworks[s3]'") from None
    settings = Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}, connect_timeout=_CONNECT_SECONDS)
    try:
        with closing(boto3.Session().client("s3", config=settings)) as client:
            answer = client.get_object(Bucket=bucket, Key=key)
            with closing(answer["Body"]) as body:
                if answer["ContentLength"] > most:
                    raise error(f"{where}: larger than {most:,} bytes, the most that is read")
                _spool(body, file, where, error, most)
    except HarnessError:
        raise
    except ClientError as cause:
        raise error(f"{where}: {_reason(cause)}") from None
    except (BotoCoreError, ValueError) as cause:  # ValueError: an address of a server that is none
        raise error(f"{where}: {str(cause)[:200].rstrip('.')}") from None


def _reason(cause: ClientError) -> str:
    told = cause.response["Error"]
    code = told.get("Code", "")
    return _HINTS.get(code) or f"S3 answers {code}: {told.get('Message', '')[:200].rstrip('.')}"
