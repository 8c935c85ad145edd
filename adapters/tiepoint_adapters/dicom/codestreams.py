"""What a compressed frame says of its own size, read before a decoder trusts it."""

from __future__ import annotations

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_ALONE = frozenset(range(0xD0, 0xD9)) | {0x01, 0xFF}


def claimed_size(frame: bytes) -> tuple[int, int] | None:
    r"""Return the rows and columns of a JPEG, JPEG-LS or JPEG 2000 codestream.

    None where it is none of these, or where no header can be found.

    Args:
        frame: The codestream's bytes, such as those of one frame of encapsulated pixel data.

    >>> claimed_size(b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x02\x00\x03\x01\x01\x11\x00")
    (2, 3)
    """
    if frame[:2] == b"\xff\xd8":
        return _jpeg_size(frame)
    start = 0 if frame[:4] == b"\xff\x4f\xff\x51" else frame[:4096].find(b"\xff\x4f\xff\x51")
    return None if start < 0 else _jpeg_2000_size(frame[start + 4 :])


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    """Walk the markers up to the start of frame (ISO/IEC 10918-1 B.2.2)."""
    at = 2
    while at + 9 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker in _START_OF_FRAME:
            return _word(frame, at + 5), _word(frame, at + 7)
        if marker in _ALONE:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + _word(frame, at + 2)
    return None


def _jpeg_2000_size(segment: bytes) -> tuple[int, int] | None:
    """Read the SIZ marker segment (ISO/IEC 15444-1 A.5.1)."""
    if len(segment) < 20:
        return None
    right, bottom, left, top = (_double_word(segment, at) for at in (4, 8, 12, 16))
    return bottom - top, right - left


def _word(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 2], "big")


def _double_word(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "big")
