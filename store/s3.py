"""The bucket's way of keeping artifacts: S3 and what speaks its protocol, through boto3.

Only the creation of a manifest and the move of a pointer can be contended for; both are conditional writes
(`If-None-Match: *`, `If-Match: <etag>`), so no lock is needed. Credentials come from boto3's own chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from store.backend import disk_error
from store.errors import PublicationError, StoreError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MULTIPART = 64 << 20
_HINTS = {
    "NoSuchBucket": "create the bucket or correct its name",
    "AccessDenied": "the credentials need s3:GetObject, s3:PutObject, s3:ListBucket and s3:DeleteObject there",
    "403": "the credentials need s3:GetObject, s3:PutObject, s3:ListBucket and s3:DeleteObject there",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "renew the session's credentials",
}


class S3Backend:
    """`s3://bucket/prefix`."""

    def __init__(self, bucket: str, prefix: str, client: S3Client) -> None:
        self.bucket, self.prefix, self.client = bucket, prefix.strip("/"), client

    @classmethod
    def open(cls, url: str) -> S3Backend:
        """Connects; `AWS_ENDPOINT_URL` names a server other than Amazon's.

        Raises:
            StoreError: the address names no bucket, or boto3 is not installed.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise StoreError(f"{url!r} is no bucket address; write s3://bucket/prefix")
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise StoreError("S3 needs boto3; install it with: pip install 'lampworks[s3]'") from None
        settings = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, max_pool_connections=32)
        with _explained(url):
            client = boto3.client("s3", config=settings)
        return cls(parts.netloc, parts.path, client)

    @property
    def url(self) -> str:
        """The address it was opened with."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def read(self, path: str) -> bytes | None:
        """The object's bytes, or None."""
        found = self._read(path)
        return None if found is None else found[0]

    def _read(self, path: str) -> tuple[bytes, str] | None:
        from botocore.exceptions import ClientError

        with _explained(f"{self.url}/{path}"):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self._key(path))
            except ClientError as error:
                if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                    return None
                raise
            return answer["Body"].read(), answer["ETag"]

    def write(self, path: str, data: bytes, expected: bytes | None) -> bool:
        """A conditional put: absent when `expected` is None, else on the ETag of exactly that content."""
        from botocore.exceptions import ClientError

        etag = None
        if expected is not None:
            found = self._read(path)
            if found is None or found[0] != expected:
                return False
            etag = found[1]
        with _explained(f"{self.url}/{path}"):
            try:
                if etag is None:
                    self.client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data, IfNoneMatch="*")
                else:
                    self.client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data, IfMatch=etag)
            except ClientError as error:
                if error.response["Error"]["Code"] in (
                    "PreconditionFailed",
                    "ConditionalRequestConflict",
                    "412",
                    "409",
                ):
                    return False
                raise
        return True

    def upload(self, path: str, local: Path, sha256: str) -> None:
        """Puts a file, with its sha256 as metadata; an object appears whole or not at all."""
        from boto3.s3.transfer import TransferConfig

        where = f"{self.url}/{path}"
        with _explained(where):
            transfer = TransferConfig(
                multipart_threshold=_MULTIPART, multipart_chunksize=_MULTIPART // 4, max_concurrency=4
            )
            self.client.upload_file(
                str(local), self.bucket, self._key(path), ExtraArgs={"Metadata": {"sha256": sha256}}, Config=transfer
            )

    def download(self, path: str, local: Path) -> None:
        """Gets an object into a file; an object that is not there leaves no file."""
        from botocore.exceptions import ClientError

        with _explained(f"{self.url}/{path}"):
            try:
                self.client.download_file(self.bucket, self._key(path), str(local))
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                    raise
            except OSError as error:
                raise disk_error(error, local) from error

    def list(self, prefix: str) -> Iterator[str]:
        """Pages through the keys below the prefix."""
        strip = len(self._key(""))
        with _explained(self.url):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key(prefix))
            for page in pages:
                for entry in page.get("Contents", []):
                    yield entry["Key"][strip:]

    def delete(self, path: str) -> None:
        """Deletes an object."""
        with _explained(f"{self.url}/{path}"):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(path))


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turns boto3's errors into one line that names the place and the remedy."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise PublicationError(
            f"{where}: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        ) from None
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        hint = _HINTS.get(code, str(error.response["Error"].get("Message", "")))
        raise PublicationError(f"{where}: refused with {code}; {hint}") from None
    except S3UploadFailedError as error:
        code = next((code for code in _HINTS if code in str(error)), "")
        raise PublicationError(
            f"{where}: upload failed{f' with {code}' if code else ''}; {_HINTS.get(code, str(error))}"
        ) from None
    except BotoCoreError as error:
        raise PublicationError(
            f"{where}: {' '.join(str(error).split())}; check AWS_ENDPOINT_URL and the network"
        ) from None
