"""Golds and predictions from standard input and from S3, against moto's server and a real process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from harness.errors import HarnessError, SubmissionError
from harness.inputs import local
from harness.members import Limits
from harness.scoring import score

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a bucket of that server, which the environment leads to, and nothing but the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="scores")
    return "scores"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files, to see what is left there."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def test_a_path_is_left_as_it_is(temporary: Path) -> None:
    for name in ("a.zip", "/x/y.json", "s3:/b/k", "a:b", "--"):
        with local(name, "golds") as (path, where):
            assert (path, where) == (Path(name), name)
    assert not list(temporary.iterdir())


def test_an_object_is_scored_like_its_file(bucket: str, example: tuple[Path, Path], temporary: Path) -> None:
    golds, preds = example
    for name, path in (("g.zip", golds), ("a/b c.zip", preds)):
        boto3.client("s3").upload_file(str(path), bucket, name)
    fetched = score(f"s3://{bucket}/g.zip", f"s3://{bucket}/a/b c.zip")
    assert fetched.to_json() == score(golds, preds).to_json()
    assert not list(temporary.iterdir())


def test_what_is_wrong_with_an_object_names_its_address(
    bucket: str, example: tuple[Path, Path], temporary: Path
) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="p.zip", Body=b"hello")
    with pytest.raises(SubmissionError, match=r"^predictions s3://scores/p\.zip: not a whole zip"):
        score(example[0], f"s3://{bucket}/p.zip")
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("s3://scores/none.zip", "there is no such object"),
        ("s3://nowhere-at-all/p.zip", "there is no such bucket"),
        ("s3://x/p.zip", "Invalid bucket name|no such bucket"),
        ("s3://not!a!bucket/p.zip", "Invalid bucket name"),
        ("s3://scores", "write s3://bucket/key"),
        ("s3://scores/a/", "write s3://bucket/key"),
        ("s3:///p.zip", "write s3://bucket/key"),
        ("s3://scores/large", "larger than 1,000 bytes, the most that is read"),
        ("s3://scores/empty", "is empty; nothing came"),
        ("https://example.org/p.zip", "only local files, s3:// and - are read; download it first"),
    ],
)
def test_refuses(bucket: str, temporary: Path, location: str, message: str) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="large", Body=b"x" * 1001)
    boto3.client("s3").put_object(Bucket=bucket, Key="empty", Body=b"")
    for kind, error in (("golds", HarnessError), ("predictions", SubmissionError)):
        with pytest.raises(error, match=message) as caught, local(location, kind, Limits(total_bytes=1000)):
            pass
        assert type(caught.value) is error and str(caught.value).startswith(f"{kind} {location}: ")
    assert not list(temporary.iterdir())


def answering(status: str, code: str) -> Iterator[str]:
    """The address of a server that gives every request this one answer."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
            self.send_response(int(status))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ("403", "AccessDenied", "access denied; the credentials need s3:GetObject there"),
        ("403", "InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID"),
        ("403", "SignatureDoesNotMatch", "check AWS_SECRET_ACCESS_KEY"),
        ("400", "ExpiredToken", "renew them"),
        ("400", "Odd", "S3 answers Odd: No"),
    ],
)
def test_a_server_that_refuses(
    bucket: str, monkeypatch: pytest.MonkeyPatch, status: str, code: str, message: str
) -> None:
    for address in answering(status, code):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(SubmissionError, match=message), local("s3://scores/p.zip", "predictions"):
            pass


def test_no_server_and_no_credentials(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(HarnessError, match="Could not connect to the endpoint URL"), local("s3://b-b/k", "golds"):
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no address")
    with pytest.raises(HarnessError, match="golds s3://b-b/k: Invalid endpoint"), local("s3://b-b/k", "golds"):
        pass
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(HarnessError, match="Unable to locate credentials"), local("s3://b-b/k", "golds"):
        pass


def test_says_how_to_get_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    message = r"reading s3:// needs boto3: pip install 'lampworks\[s3\]'"
    with pytest.raises(HarnessError, match=message), local("s3://b/k", "predictions"):
        pass


def run(arguments: list[str], stdin: int | None, data: bytes | None, tmp: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "TMPDIR": str(tmp)}
    command = [sys.executable, "-m", "harness", "score", *arguments]
    given = {"input": data} if data is not None else {"stdin": stdin}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, **given)  # type: ignore[call-overload]


def test_standard_input_is_scored_like_its_file(example: tuple[Path, Path], temporary: Path) -> None:
    golds, preds = (path.read_bytes() for path in example)
    done = run(["--golds", str(example[0]), "--preds", "-", "--json"], None, preds, temporary)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(score(*example).to_json())
    done = run(["--golds", "-", "--preds", str(example[1]), "--json"], None, golds, temporary)
    assert json.loads(done.stdout) == json.loads(score(*example).to_json())
    alone = json.dumps({"task": "opl_policy", "golds": [{"id": str(row), "output": 0} for row in range(6)]})
    done = run(["--golds", str(example[0]), "--preds", "-"], None, alone.encode(), temporary)
    assert done.returncode == 0, done.stderr
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "predictions -: is empty; nothing came"), (b"{", "predictions -: is not JSON"), (b"PK", "predictions -: ")],
)
def test_what_is_wrong_with_standard_input(
    example: tuple[Path, Path], temporary: Path, data: bytes, message: str
) -> None:
    done = run(["--golds", str(example[0]), "--preds", "-"], None, data, temporary)
    assert done.returncode == 2 and message in done.stderr.decode() and done.stderr.count(b"\n") == 1
    assert not list(temporary.iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a copy without a name needs /proc")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_no_copy_outlives_a_process_that_is_stopped(temporary: Path, stop: signal.Signals) -> None:
    program = (
        "import time; from harness.inputs import local\n"
        "with local('-', 'golds') as (path, _): print(path.read_bytes().decode(), flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment, **streams) as child:  # type: ignore[call-overload]
        child.stdin.write(b"secret golds")
        child.stdin.close()
        assert child.stdout.readline() == b"secret golds\n"
        child.send_signal(stop)
        assert child.wait() == -stop
    assert not list(temporary.iterdir())


def test_without_proc_a_copy_has_a_name_and_is_removed(
    bucket: str, example: tuple[Path, Path], temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.inputs._OWN_FILES", temporary / "none")
    boto3.client("s3").upload_file(str(example[0]), bucket, "g.zip")
    with local(f"s3://{bucket}/g.zip", "golds") as (path, _):
        assert path.parent == temporary and path.read_bytes() == example[0].read_bytes()
    assert not list(temporary.iterdir())


def test_an_endless_standard_input_ends(tmp_path: Path, temporary: Path) -> None:
    program = (
        "from harness.inputs import local; from harness.members import Limits\n"
        "with local('-', 'golds', Limits(total_bytes=10_000_000)): pass"
    )
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            stdin=endless,
            capture_output=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
    assert b"HarnessError: golds -: larger than 10,000,000 bytes, the most that is read" in done.stderr
    assert not list(temporary.iterdir())
    done = subprocess.run(["sh", "-c", f'exec "{sys.executable}" -c "$0" <&-', program], cwd=ROOT, capture_output=True)
    assert b"HarnessError: golds -: nothing is piped in" in done.stderr
