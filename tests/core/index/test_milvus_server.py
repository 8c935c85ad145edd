"""The same store contract against a Milvus server, by URI alone."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tiepoint.errors import SchemaError
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, StoreConformance, make_row

SERVER = """
import sys
from milvus_lite.adapter.grpc.server import start_server_in_thread
server, database, port = start_server_in_thread(sys.argv[1])
print(port, flush=True)
server.wait_for_termination()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path_factory.mktemp("server"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.wait()


def database(server, folder):
    """Return the URI of a database of this test's own."""
    from pymilvus import MilvusClient

    name = "d" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    client = MilvusClient(server)
    if name not in client.list_databases():
        client.create_database(name)
    client.close()
    return f"{server}/{name}"


class TestServerStore(StoreConformance):
    @pytest.fixture(autouse=True)
    def use_server(self, server):
        self.server = server

    def make_store(self, folder: Path) -> MilvusStore:
        return MilvusStore(database(self.server, folder))


def test_parts_beyond_the_limit_of_a_server_are_refused_before_writing(server, tmp_path):
    store = MilvusStore(database(server, tmp_path))
    store.open()
    store.create(SCHEMA)
    row = make_row("long")
    row.parts["text"] = "x" * 70_000
    with pytest.raises(SchemaError, match="a server keeps"):
        store.upsert(SCHEMA.name, [make_row("short"), row])
    assert store.count(SCHEMA.name) == 0
    store.close()
