"""Files and folders of frames are played back whole, or refused in one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from tests.footage import scene, write_video
from tests.simulated_clock import SimulatedClock
from tiepoint.errors import ConfigError, DecodeError
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.playback import recorded_frames
from tiepoint_adapters.media.cameras.recording_time import RecordingTime


def play(address: Path | str, **options: Any) -> list[CameraFrame]:
    chosen = CameraOptions(address=str(address), **{"fps": 10, **options})
    return list(recorded_frames("gate", chosen, SimulatedClock(), begins_wall_s=100.0))


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "a.mp4", map(scene, range(30)))


def test_video_is_played_at_the_chosen_rate(video: Path) -> None:
    frames = play(video, fps=5)
    assert [round(frame.time_s, 3) for frame in frames] == pytest.approx(
        [number / 5 for number in range(15)]
    )
    assert frames[5].wall_s == pytest.approx(101.0)
    assert [frame.number for frame in frames] == list(range(15))
    assert frames[0].pixels.shape == (120, 160, 3)


def test_clock_that_jumps_within_a_recording_is_taken_to_go_on() -> None:
    time = RecordingTime("gate.ts", 10.0)
    stated = [90_000.0, 90_000.1, 90_000.2, 5.0, 5.1, 5.2, 9_000.0, 9_000.1, None]
    told = [time.advance(second) for second in stated]
    assert told == pytest.approx([number / 10 for number in range(len(stated))])


def test_pause_of_a_recording_stays_a_pause() -> None:
    time = RecordingTime("gate.mp4", 10.0)
    assert [time.advance(second) for second in (0.0, 0.1, 60.0)] == [0.0, 0.1, 60.0]


def test_part_that_begins_anew_and_larger_is_played_too(tmp_path: Path) -> None:
    parts = [
        write_video(tmp_path / f"{width}.ts", [made(number, width) for number in range(20)])
        for width in (160, 320)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = play(joined)
    assert len(frames) == 40
    assert frames[-1].time_s == pytest.approx(3.9, abs=0.2)
    assert [frame.number for frame in frames if frame.new_size] == [0, 20]


def made(number: int, width: int) -> Any:
    return np.repeat(np.repeat(scene(number), width // 160, 0), width // 160, 1)


@pytest.mark.parametrize("stated_s", [None, 0.0])
def test_recording_without_times_and_rate_is_refused(stated_s: float | None) -> None:
    time = RecordingTime("gate.h264", None)
    with pytest.raises(DecodeError, match="no frame rate"):
        [time.advance(stated_s) for _ in range(20)]


def test_folder_of_frames_plays_9_before_10_and_leaves_hidden_files_out(tmp_path: Path) -> None:
    for number in (10, 9):
        Image.fromarray(np.full((20, 30, 3), number, np.uint8)).save(tmp_path / f"f{number}.png")
    (tmp_path / "._f9.png").write_bytes(b"\x00\x05\x16\x07")
    frames = play(tmp_path, folder_fps=10)
    assert [frame.pixels.flat[0] for frame in frames] == [9, 10]


def test_folder_of_frames_of_16_bits_is_played_as_it_looks(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 30), 0x8000, np.uint16)).save(tmp_path / "1.png")
    [frame] = play(tmp_path, folder_fps=10)
    assert frame.pixels.shape == (20, 30, 3)
    assert frame.pixels.flat[0] in (127, 128)


def test_folder_of_frames_plays_in_the_order_of_names(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        Image.fromarray(scene(number)).save(tmp_path / f"{number:03}.png")
    frames = play(tmp_path, folder_fps=10)
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.pixels, scene(number))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2])


def test_privacy_mask_is_black_in_every_frame_at_every_size(tmp_path: Path) -> None:
    triangle = [(0.5, 0.0), (1.0, 0.0), (1.0, 0.5)]
    for number, width in enumerate((160, 160, 320)):
        shown = np.full((120, width, 3), 200, np.uint8)
        Image.fromarray(shown).save(tmp_path / f"{number}.png")
    frames = play(tmp_path, masks=[triangle])
    assert [frame.new_size for frame in frames] == [True, False, True]
    for frame in frames:
        width = frame.pixels.shape[1]
        assert frame.pixels[5, int(0.9 * width)].tolist() == [0, 0, 0]
        assert frame.pixels[5, int(0.3 * width)].tolist() == [200, 200, 200]
        assert frame.pixels[100, int(0.9 * width)].tolist() == [200, 200, 200]
        covered = (frame.pixels == 0).all(axis=2).mean()
        assert covered == pytest.approx(1 / 8, abs=0.03)


def test_mask_that_reaches_the_edge_covers_the_last_pixel(tmp_path: Path) -> None:
    Image.fromarray(np.full((120, 160, 3), 200, np.uint8)).save(tmp_path / "a.png")
    (frame,) = play(tmp_path, masks=[[(0, 0), (1, 0), (1, 1), (0, 1)]])
    assert not frame.pixels.any()


def test_resolution_that_changes_in_the_middle_goes_on(tmp_path: Path) -> None:
    parts = [
        write_video(
            tmp_path / f"{width}.h264",
            [scene(n, width) for n in range(10)],
            container_format="h264",
        )
        for width in (160, 320)
    ]
    joined = tmp_path / "joined.h264"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = play(joined, fps=25)
    assert {frame.pixels.shape[1] for frame in frames} == {160, 320}
    assert [frame.pixels.shape[1] for frame in frames if frame.new_size] == [160, 320]


def test_large_frames_are_made_smaller(video: Path) -> None:
    assert play(video, short_side=64)[0].pixels.shape == (64, 85, 3)


def test_recording_that_was_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.ts", map(scene, range(60)))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 5 < len(play(whole)) < 60


def _zero_rate(folder: Path) -> Path:
    """Return an AVI whose header says that a second has no frames."""
    file = write_video(folder / "zero.avi", map(scene, range(3)), codec="mjpeg")
    content = bytearray(file.read_bytes())
    place = content.index(b"strh") + 8 + 20
    content[place : place + 8] = bytes(8)  # scale and rate
    file.write_bytes(content)
    return file


def test_file_of_zero_frames_a_second_ends(tmp_path: Path) -> None:
    frames = play(_zero_rate(tmp_path))
    assert len(frames) == 3


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "sound", "playlist", "empty folder"])
def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "a.mp4"
    if kind == "text":
        file.write_text("no video")
    elif kind == "empty":
        file.touch()
    elif kind == "sound":
        _write_sound(file)
    elif kind == "playlist":
        file.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/secret.ts\n")
    elif kind == "empty folder":
        file.mkdir()
    with pytest.raises(DecodeError) as caught:
        play(file)
    assert "a.mp4" in str(caught.value)
    assert "\n" not in str(caught.value)


def _write_sound(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_live_camera_is_no_recording() -> None:
    with pytest.raises(ConfigError, match="cannot be played back"):
        play("rtsp://127.0.0.1/camera")


@pytest.mark.parametrize(
    "options",
    [
        {"address": "gopher://host/a"},
        {"address": "rtsp://"},
        {"address": "a.mp4", "masks": [[(0, 0), (1.5, 0), (1, 1)]]},
        {"address": "a.mp4", "masks": [[(0, 0), (0.5, 0.5), (1, 1)]]},
        {"address": "a.mp4", "fps": 0},
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CameraOptions(**options)
