"""Reports over MLLP: kept before they are acknowledged, refused with the right code."""

from __future__ import annotations

import socket

import pytest

from tiepoint.errors import DecodeError
from tiepoint_adapters.dicom.network.hl7_reports import ReportListener, parse_report
from tiepoint_adapters.dicom.network.inbox import REPORT_SUFFIX, Inbox


def message(**changes):
    fields = {
        "kind": "ORU^R01", "control": "42", "charset": "UNICODE UTF-8", "accession": "ACC7",
        "filler": "FIL7", "text": "FINDINGS: No effusion.~IMPRESSION: Normal \\T\\ clear.",
    } | changes  # fmt: skip
    order = f"OBR|1||{fields['filler']}|CXR^Chest" + "|" * 14 + fields["accession"] + "|" * 7 + "F"
    return "\r".join(
        (
            f"MSH|^~\\&|RIS|H|TP|H|20240301||{fields['kind']}|{fields['control']}|P|2.5"
            f"||||||{fields['charset']}",
            "PID|1||P1^^^H||Miller^Anna",
            order,
            f"OBX|1|TX|18748-4^Report^LN||{fields['text']}||||||F",
            "OBX|2|NM|1^Dose^L||3|mGy|||||F",
        )
    )


def test_a_report_is_read_with_its_accession_number():
    report = parse_report(message().encode())
    assert report.accession == "ACC7"
    assert report.patient_id == "P1"
    assert report.status == "F"
    assert report.text == "FINDINGS: No effusion.\nIMPRESSION: Normal & clear."


def test_the_filler_number_stands_in_for_the_accession_number():
    assert parse_report(message(accession="").encode()).accession == "FIL7"


def test_chinese_reports_come_in_both_encodings():
    for charset, codec in (("UNICODE UTF-8", "utf-8"), ("GB 18030-2000", "gb18030")):
        content = message(charset=charset, text="未见胸腔积液。").encode(codec)
        assert parse_report(content).text == "未见胸腔积液。"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no HL7"),
        (b"hello", "no HL7"),
        (message(kind="ADT^A01").encode(), "not ORU"),
        (message(accession="", filler="").encode(), "no accession"),
        (message(text="").encode(), "no report"),
        (message(charset="EBCDIC").encode(), "unknown character set"),
        (b"MSH|^~\\&|" + b"\xff" * 50, "no HL7|not ORU"),
    ],
)
def test_what_is_no_report_has_a_reason(content, reason):
    with pytest.raises(DecodeError, match=reason):
        parse_report(content)


def ask(port, *contents):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        for content in contents:
            one.sendall(b"\x0b" + content + b"\x1c\r")
        answers = b""
        while answers.count(b"\x1c\r") < len(contents):
            answers += one.recv(65536)
    return [
        line.split("|")[1]
        for line in answers.decode().replace("\x0b", "\r").split("\r")
        if line.startswith("MSA")
    ]


def test_messages_are_kept_and_acknowledged(tmp_path):
    inbox = Inbox(tmp_path)
    with ReportListener(inbox, port=0) as listener:
        codes = ask(listener.port, message().encode(), b"nonsense", message(control="43").encode())
    assert codes == ["AA", "AE", "AA"]
    kept = list(inbox.files(REPORT_SUFFIX))
    assert len(kept) == 2
    assert parse_report(kept[0].read_bytes()).accession == "ACC7"


def test_a_message_that_cannot_be_kept_is_not_acknowledged(tmp_path, monkeypatch):
    inbox = Inbox(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inbox, "accept", full)
    with ReportListener(inbox, port=0) as listener:
        assert ask(listener.port, message().encode()) == ["AR"]


def test_a_sender_without_end_is_cut_off(tmp_path):
    with (
        ReportListener(Inbox(tmp_path), port=0) as listener,
        socket.create_connection(("127.0.0.1", listener.port), timeout=20) as one,
    ):
        one.sendall(b"\x0b")
        with pytest.raises(OSError):  # noqa: PT011 - reset or broken pipe, as the system likes
            one.sendall(b"x" * (64 << 20))
