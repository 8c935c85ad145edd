"""Real DICOM peers from the system's packages, on free ports of this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import await_listening, free_port


def needs(*programs: str):
    """Skip where a program is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@contextmanager
def running(words: list[str], port: int, **options) -> Iterator[subprocess.Popen]:
    """A program that listens on a port; stopped at the end."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        await_listening(port)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def dcmqrscp(folder: Path, moves_to: tuple[str, int]) -> Iterator[int]:
    """DCMTK's archive, which may move objects to one node; gives its port."""
    port = free_port()
    (folder / "db").mkdir()
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nus = ({moves_to[0]}, 127.0.0.1, {moves_to[1]})\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nARCHIVE {folder / 'db'} RW (2000, 1024mb) ANY\nAETable END\n"
    )
    words = ["dcmqrscp", "-c", str(configuration), "--single-process"]
    with running(words[:3], port):
        yield port


@contextmanager
def orthanc(folder: Path, sends_to: int = 0) -> Iterator[tuple[int, int]]:
    """Orthanc with DICOMweb; gives the port of DICOM and that of HTTP.

    It knows a node TIEPOINT at the port `sends_to`, which it calls `us`.
    """
    dicom, http = free_port(), free_port()
    plugins = [str(path) for path in Path("/usr/share/orthanc/plugins").glob("*DicomWeb*.so*")]
    plugins = plugins or [str(path) for path in Path("/usr/lib").rglob("libOrthancDicomWeb.so*")]
    if not plugins:
        pytest.skip("Orthanc has no DICOMweb plugin here")
    configuration = folder / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Name": "tests",
                "StorageDirectory": str(folder / "db"),
                "IndexDirectory": str(folder / "db"),
                "DicomPort": dicom,
                "DicomAet": "ORTHANC",
                "HttpPort": http,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomAlwaysAllowGet": True,
                "DicomCheckModalityHost": False,
                "DicomModalities": {"us": ["TIEPOINT", "127.0.0.1", sends_to or free_port()]},
                "OverwriteInstances": True,
                "Plugins": plugins[:1],
                "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            }
        )
    )
    with running(["Orthanc", str(configuration)], http):
        await_listening(dicom)
        yield dicom, http
