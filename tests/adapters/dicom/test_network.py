"""Objects to and from real peers: nothing that was acknowledged is lost."""

from __future__ import annotations

import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE

from tests.adapters.dicom.objects import image, written
from tests.adapters.dicom.peers import dcmqrscp, needs, orthanc
from tests.command_line import TIEPOINT
from tests.ports import await_listening, free_port
from tiepoint.errors import InputError
from tiepoint_adapters.dicom import read_dicom
from tiepoint_adapters.dicom.network.inbox import Inbox
from tiepoint_adapters.dicom.network.listener import DicomListener
from tiepoint_adapters.dicom.network.peer import Peer, PeerError
from tiepoint_adapters.dicom.network.watching import WatchedFolder
from tiepoint_adapters.dicom.network.web import ArchiveError, WebArchive

STUDY = "1.2.826.0.1.3680043.8.498.7"


def object_(number: int):
    dataset = image(np.full((8, 8), number % 256, np.uint8), StudyInstanceUID=STUDY)
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[f"object {number}"])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesInstanceUID = f"{STUDY}.1"
    dataset.PatientBirthDate = dataset.StudyDate = dataset.StudyTime = ""
    dataset.StudyID = dataset.AccessionNumber = "A1"
    dataset.PatientSex, dataset.ReferringPhysicianName = "", ""
    dataset.SeriesNumber = dataset.InstanceNumber = number
    return dataset


@pytest.fixture
def inbox(tmp_path):
    return Inbox(tmp_path / "inbox")


def files_of(tmp_path, count, start=0):
    folder = tmp_path / f"out{start}"
    folder.mkdir()
    uids = set()
    for number in range(start, start + count):
        dataset = object_(number)
        uids.add(str(dataset.SOPInstanceUID))
        (folder / f"{number:04d}.dcm").write_bytes(written(dataset))
    return folder, uids


def uids_in(inbox):
    return {str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in inbox.files()}


def test_an_inbox_keeps_each_key_once_for_its_owner_only(inbox):
    path = inbox.accept("1.2.3", b"first")
    assert inbox.accept("1.2.3", b"second") == path
    assert path.read_bytes() == b"second"
    assert len(inbox) == 1
    assert "1.2.3" not in str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(inbox.folder.stat().st_mode) == 0o700


def test_objects_of_two_studies_that_share_a_uid_are_both_kept(inbox):
    for study in ("1.2.1", "1.2.2"):
        inbox.accept_object("1.2.3", written(image(SOPInstanceUID="1.2.3", StudyInstanceUID=study)))
    inbox.accept_object("1.2.3", b"damaged")
    assert len(inbox) == 3


def test_what_a_killed_process_left_half_written_is_removed(inbox):
    shelf = inbox.accept("1.2.3", b"x").parent
    (shelf / ".partial-1").write_bytes(b"half")
    assert len(Inbox(inbox.folder)) == 1
    assert not list(shelf.glob(".partial-*"))


def test_an_object_that_cannot_be_kept_is_not_acknowledged(inbox, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inbox, "accept", full)
    with DicomListener(inbox, port=0) as listener:
        peer = Peer("127.0.0.1", listener.port, "TIEPOINT")
        with pytest.raises(PeerError, match="0xA700"):
            peer.store([read_dicom(object_(1))])
        assert listener.refused == 1


def test_our_own_nodes_understand_each_other_and_keep_the_bytes(inbox):
    with DicomListener(inbox, port=0, callers=["TIEPOINT"]) as listener:
        peer = Peer("127.0.0.1", listener.port, "TIEPOINT")
        peer.echo()
        sent = object_(5)
        assert peer.store([read_dicom(sent)]) == 1
        [path] = inbox.files()
        kept = dcmread(path)
        assert kept.PixelData == sent.PixelData
        assert kept.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
        with pytest.raises(PeerError, match="refuses"):
            Peer("127.0.0.1", listener.port, "TIEPOINT", "STRANGER").echo()
    with pytest.raises(PeerError, match="cannot be reached"):
        peer.echo()


def test_a_port_that_is_taken_is_told(inbox):
    with DicomListener(inbox, port=0) as listener, pytest.raises(InputError, match="listened"):
        DicomListener(inbox, port=listener.port)


def test_noise_on_the_port_does_not_stop_the_listener(inbox):
    with DicomListener(inbox, port=0) as listener:
        for noise in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40, b""):
            with socket.create_connection(("127.0.0.1", listener.port)) as one:
                one.sendall(noise)
        Peer("127.0.0.1", listener.port, "TIEPOINT").echo()


@needs("storescu", "dcmqrscp")
def test_dcmtk_sends_and_is_asked_and_moves(tmp_path, inbox):
    folder, uids = files_of(tmp_path, 12)
    with (
        DicomListener(inbox, port=0, ae_title="TIEPOINT") as listener,
        dcmqrscp(tmp_path, ("TIEPOINT", listener.port)) as port,
    ):
        subprocess.run(
            ["storescu", "-aec", "ARCHIVE", "127.0.0.1", str(port), "+sd", str(folder)],
            check=True, capture_output=True,
        )  # fmt: skip
        peer = Peer("127.0.0.1", port, "ARCHIVE")
        peer.echo()
        [study] = peer.find({"StudyInstanceUID": "", "PatientID": "P1", "AccessionNumber": ""})
        assert study.StudyInstanceUID == STUDY
        assert peer.find({"StudyInstanceUID": "", "PatientID": "NOBODY"}) == []
        assert peer.move({"StudyInstanceUID": STUDY}, "TIEPOINT") == 12
        assert uids_in(inbox) == uids
        other = Inbox(tmp_path / "other")
        assert peer.get({"StudyInstanceUID": STUDY}, other) == 12
        assert uids_in(other) == uids
        with pytest.raises(PeerError):
            peer.move({"StudyInstanceUID": STUDY}, "UNKNOWN")


@needs("Orthanc")
@pytest.mark.slow
def test_orthanc_is_sent_to_asked_and_fetched_from_by_dicomweb(tmp_path, inbox):
    objects = [read_dicom(object_(number)) for number in range(5)]
    with orthanc(tmp_path) as (dicom, http):
        archive = WebArchive(f"http://127.0.0.1:{http}/dicom-web")
        assert archive.store(objects[:3]) == 3
        assert Peer("127.0.0.1", dicom, "ORTHANC").store(objects[3:]) == 2
        [study] = archive.find_studies(PatientID="P1")
        assert study.StudyInstanceUID == STUDY
        assert archive.find_studies(PatientID="NOBODY") == []
        assert archive.fetch_study(STUDY, inbox) == 5
        assert uids_in(inbox) == {str(one.dataset.SOPInstanceUID) for one in objects}
        with pytest.raises(ArchiveError, match="404"):
            archive.fetch_study("1.2.3.4", inbox)
    with pytest.raises(ArchiveError, match="cannot be reached"):
        archive.find_studies()


def listening(folder, port):
    words = [sys.executable, TIEPOINT, "medical", "listen", str(folder), "--port", str(port)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    await_listening(port, timeout_s=60)
    return process


COUNT = 1000


@needs("storescu")
@pytest.mark.slow
def test_a_thousand_objects_of_storescu_come_through_an_abort_and_a_kill(tmp_path):
    """What a sender counts as sent is there, though each side is killed once on the way."""
    folder, uids = files_of(tmp_path, COUNT)
    port = free_port()
    box = tmp_path / "inbox"
    words = ["storescu", "-v", "-aec", "TIEPOINT", "127.0.0.1", str(port), "+sd", str(folder)]
    process = listening(box, port)
    # An A-ABORT in the middle of an association.
    assert _send_and_abort(port, 150) <= len(Inbox(box))
    # A sender that dies in the middle of its association.
    sender = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    acknowledged = _read_until(sender, 250)
    sender.send_signal(signal.SIGKILL)
    sender.wait()
    assert len(Inbox(box)) >= acknowledged >= 250
    # A kill -9 of the listener, in the middle of the next.
    sender = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    acknowledged = _read_until(sender, 600)
    kill(process)
    sender.wait(120)
    assert len(Inbox(box)) >= acknowledged >= 600
    # Started again, it takes the rest; what is sent twice is kept once.
    process = listening(box, port)
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-500:]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) in (0, 130)
    assert uids_in(Inbox(box)) == uids
    assert all(dcmread(path).PixelData for path in Inbox(box).files())


@needs("storescu", "dcmqrscp")
@pytest.mark.slow
def test_a_thousand_objects_are_moved_and_got_from_dcmqrscp_through_a_kill(tmp_path):
    folder, uids = files_of(tmp_path, COUNT)
    port = free_port()
    box = tmp_path / "inbox"
    with dcmqrscp(tmp_path, ("TIEPOINT", port)) as archive:
        words = ["storescu", "-aec", "ARCHIVE", "127.0.0.1", str(archive), "+sd", str(folder)]
        subprocess.run(words, check=True, capture_output=True, timeout=600)
        peer = Peer("127.0.0.1", archive, "ARCHIVE")
        process = listening(box, port)
        with ThreadPoolExecutor(1) as aside:
            moved = aside.submit(peer.move, {"StudyInstanceUID": STUDY}, "TIEPOINT")
            held = _wait_until_held(box, 300)
            kill(process)
            with pytest.raises(PeerError):
                moved.result(120)
        assert len(Inbox(box)) >= held
        process = listening(box, port)
        assert peer.move({"StudyInstanceUID": STUDY}, "TIEPOINT") == COUNT
        kill(process)
        assert uids_in(Inbox(box)) == uids
        got = Inbox(tmp_path / "got")
        assert peer.get({"StudyInstanceUID": STUDY}, got) == COUNT
        assert uids_in(got) == uids


@needs("Orthanc")
@pytest.mark.slow
def test_a_thousand_objects_go_to_orthanc_and_come_back_through_a_kill(tmp_path):
    uids = {str(object_(number).SOPInstanceUID) for number in range(COUNT)}
    port = free_port()
    box = tmp_path / "inbox"
    with orthanc(tmp_path, port) as (dicom, http):
        archive = WebArchive(f"http://127.0.0.1:{http}/dicom-web")
        for start in range(0, COUNT // 2, 100):
            assert archive.store([read_dicom(object_(start + n)) for n in range(100)]) == 100
        rest = [read_dicom(object_(number)) for number in range(COUNT // 2, COUNT)]
        peer = Peer("127.0.0.1", dicom, "ORTHANC")
        assert peer.store(rest) == COUNT // 2
        rest_api = f"http://127.0.0.1:{http}"
        [study] = requests.get(f"{rest_api}/studies", timeout=60).json()
        send = f"{rest_api}/modalities/us/store"
        # It sends by C-STORE, and the listener is killed on the way.
        process = listening(box, port)
        requests.post(send, json={"Resources": [study], "Asynchronous": True}, timeout=60)
        held = _wait_until_held(box, 300)
        kill(process)
        assert len(Inbox(box)) >= held
        process = listening(box, port)
        sent = requests.post(send, json={"Resources": [study]}, timeout=600)
        assert sent.ok, sent.text
        kill(process)
        assert uids_in(Inbox(box)) == uids
        for name, fetch in (("wado", archive.fetch_study), ("get", peer.fetch_study)):
            fetched = Inbox(tmp_path / name)
            assert fetch(STUDY, fetched) == COUNT
            assert uids_in(fetched) == uids


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def _wait_until_held(box, count):
    end = time.monotonic() + 300
    while time.monotonic() < end:
        held = sum(1 for _ in box.glob("*/[0-9a-f]*.dcm"))
        if held >= count:
            return held
        time.sleep(0.02)
    raise TimeoutError(f"{held} of {count} objects came")


def _send_and_abort(port, count):
    """Send so many objects and the beginning of another, then abort the association (A-ABORT)."""
    entity = AE("ABORTS")
    entity.add_requested_context(object_(0).SOPClassUID, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title="TIEPOINT")
    assert association.is_established
    for number in range(count):
        assert association.send_c_store(object_(number)).Status == 0
    context = association.accepted_contexts[0].context_id
    command = bytes((context, 1)) + b"the beginning of a command, of which the rest does not come"
    value = struct.pack(">I", len(command)) + command
    association.dul.socket.send(b"\x04\x00" + struct.pack(">I", len(value)) + value)
    association.abort()
    assert association.is_aborted
    return count


def _read_until(sender, count):
    """Read a sender's messages until so many objects were acknowledged; returns how many."""
    seen = 0
    for line in sender.stdout:
        seen += "Received Store Response (Success)" in line
        if seen >= count:
            break
    return seen


def test_a_watched_folder_gives_up_a_file_only_when_it_is_whole(tmp_path, inbox):
    now = time.time()
    folder = tmp_path / "watched"
    folder.mkdir()
    watched = WatchedFolder(folder, inbox, settled_s=2, clock=lambda: now)
    content = written(object_(1))
    (folder / "a").write_bytes(content[:400])
    assert watched.poll() == (0, [])
    now += 1
    (folder / "a").write_bytes(content)
    assert watched.poll()[0] == 0
    now = time.time() + 3
    (folder / "notes.txt").write_text("hello")
    taken, skipped = watched.poll()
    assert taken == 1
    assert [one.where for one in skipped] == ["notes.txt"]
    assert uids_in(inbox) == {str(object_(1).SOPInstanceUID)}
    assert watched.poll() == (0, [])
    assert (folder / "a").exists()


def test_many_callers_at_once_lose_nothing(inbox):
    with DicomListener(inbox, port=0) as listener:

        def send(start):
            peer = Peer("127.0.0.1", listener.port, "TIEPOINT")
            peer.store([read_dicom(object_(start + number)) for number in range(10)])

        threads = [threading.Thread(target=send, args=(start,)) for start in (0, 100, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert listener.received == 30
    assert len(inbox) == 30
