"""Publication to a local S3 server, beside boto3's plain upload of the same files one after the other."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import numpy as np

from store import Provenance, Store
from store.lineage import publish
from store.s3 import S3Backend

SIZES = {"200 files of 0.5 MB": (200, 500_000), "2 files of 64 MB": (2, 64_000_000)}


def rows() -> list[dict[str, object]]:
    """One row a shape of artifact."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("moto_server")), "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        _when_up(port)
        boto3.client("s3").create_bucket(Bucket="bench")
        return [_row(name, *shape) for name, shape in SIZES.items()]
    finally:
        server.terminate()
        server.wait()


def _when_up(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the local S3 server did not start within 30 s")


def _row(name: str, files: int, size: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        attempt = store.begin("bench", f"{files:016x}")
        generator = np.random.default_rng(0)
        for i in range(files):
            attempt.path(f"f{i}").write_bytes(generator.bytes(size))
        artifact = store.commit(attempt, Provenance(task="bench", version=1, config={}), time.time())
        started = time.perf_counter()
        publish(store, artifact, S3Backend.open("s3://bench/ours"), lambda a: None)
        ours = time.perf_counter() - started
        client = boto3.client("s3")
        started = time.perf_counter()
        for i in range(files):
            client.put_object(Bucket="bench", Key=f"peer/{files}/f{i}", Body=Path(artifact.path(f"f{i}")).read_bytes())
        peer = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = f"{files * size / 1e6 / ours:.0f} MB/s, each file's sha256 checked and kept"
    return {
        "job": "publish",
        "size": name,
        "peer": "put_object in a loop",
        "ours_s": ours,
        "peer_s": peer,
        "ratio": peer / ours,
        "peak_memory_mb": round(peak),
        "note": note,
    }
