"""TLS and tokens, against a server that insists on both."""

import subprocess
import sys

import pytest

from tiepoint.config.store import ServerSection
from tiepoint.errors import InputError, StoreError
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, make_row

TOKEN = "root:secret"  # noqa: S105
SERVER = """
import base64, sys
from concurrent import futures
from pathlib import Path
import grpc
from pymilvus.grpc_gen import milvus_pb2_grpc
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import MilvusLite

folder = Path(sys.argv[1])
expected = base64.b64encode(b"root:secret").decode()

class Guard(grpc.ServerInterceptor):
    def intercept_service(self, continuation, details):
        if dict(details.invocation_metadata).get("authorization") == expected:
            return continuation(details)
        def refuse(request, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        return grpc.unary_unary_rpc_method_handler(refuse)

server = grpc.server(futures.ThreadPoolExecutor(4), interceptors=[Guard()])
milvus_pb2_grpc.add_MilvusServiceServicer_to_server(
    MilvusServicer(MilvusLite(str(folder / "data"))), server
)
pair = [((folder / "key.pem").read_bytes(), (folder / "certificate.pem").read_bytes())]
authority = (folder / "certificate.pem").read_bytes()
both = len(sys.argv) > 2
port = server.add_secure_port(
    "localhost:0", grpc.ssl_server_credentials(pair, authority if both else None, both)
)
server.start()
print(port, flush=True)
server.wait_for_termination()
"""


def serve(folder, *words):
    folder.mkdir()
    make = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-keyout", folder / "key.pem", "-out", folder / "certificate.pem"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
    ]
    subprocess.run(make, check=True, capture_output=True)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return process, f"https://localhost:{int(process.stdout.readline())}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secure") / "server"
    process, uri = serve(folder)
    yield uri, folder / "certificate.pem"
    process.kill()
    process.wait()


def test_a_token_and_a_certificate_open_the_server(server):
    uri, certificate = server
    section = ServerSection(token=TOKEN, ca_certificate=certificate)
    store = MilvusStore(uri, section)
    store.open()
    store.create(SCHEMA)
    store.upsert(SCHEMA.name, [make_row("a")])
    assert store.count(SCHEMA.name) == 1
    assert "secret" not in str(store.health()) + repr(section)
    store.close()


def test_a_password_in_the_uri_is_a_token_and_is_not_told(server):
    uri, certificate = server
    wrong = uri.replace("https://", "https://root:mistaken@")
    with pytest.raises(StoreError, match="refuses the token") as caught:
        MilvusStore(wrong, ServerSection(ca_certificate=certificate)).open()
    assert "mistaken" not in str(caught.value)
    assert "\n" not in str(caught.value)
    right = uri.replace("https://", "https://root:secret@")
    store = MilvusStore(right, ServerSection(ca_certificate=certificate))
    store.open()
    store.close()


def test_a_server_whose_authority_is_not_known_is_not_trusted(server):
    uri, _ = server
    with pytest.raises(StoreError):
        MilvusStore(uri, ServerSection(token=TOKEN)).open()


def test_a_certificate_that_is_not_there_is_one_clear_line(server, tmp_path):
    uri, _ = server
    settings = ServerSection(token=TOKEN, ca_certificate=tmp_path / "absent.pem")
    with pytest.raises(InputError, match=r"certificate or key cannot be read"):
        MilvusStore(uri, settings).open()


def test_a_certificate_of_our_own_is_shown_to_a_server_that_asks(tmp_path):
    process, uri = serve(tmp_path / "server", "both")
    certificate, key = (tmp_path / "server" / name for name in ("certificate.pem", "key.pem"))
    try:
        store = MilvusStore(
            uri,
            ServerSection(
                token=TOKEN,
                ca_certificate=certificate,
                client_certificate=certificate,
                client_key=key,
            ),
        )
        store.open()
        store.close()
    finally:
        process.kill()
        process.wait()
