from __future__ import annotations

import io
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.core.encoders import tiny_models
from tiepoint.encoders import audio_files
from tiepoint.encoders.audio import TransformersAudioEncoder
from tiepoint.encoders.audio_files import read_audio
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.testing.encoder import EncoderConformance

RATE_HZ = 16_000
av = pytest.importorskip("av", reason="audio needs the extra `audio`")


def tone(frequency_hz: float, duration_s: float, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    time = np.arange(int(duration_s * rate_hz)) / rate_hz
    return (0.4 * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def wav(samples: NDArray[np.float32], rate_hz: int, channels: int = 1) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat((samples * 32767).astype("<i2"), channels).tobytes())
    return content.getvalue()


def compressed(samples: NDArray[np.float32], rate_hz: int, container: str, codec: str) -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return content.getvalue()


def loudest_hz(samples: NDArray[np.float32], rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()])


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_wav2vec2(tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_whisper(tmp_path_factory.mktemp("whisper"))


def test_files_are_mixed_to_mono_and_resampled(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(wav(tone(700, 1, 44_100), 44_100, channels=2))
    for part in (path, str(path), path.read_bytes()):
        samples = read_audio(part, RATE_HZ)
        assert samples.dtype == np.float32
        assert abs(len(samples) - RATE_HZ) < 50
        assert abs(loudest_hz(samples, RATE_HZ) - 700) < 5
        assert 0.35 < np.abs(samples).max() < 0.45


@pytest.mark.parametrize(("container", "codec"), [("ogg", "libopus"), ("mp3", "libmp3lame")])
def test_compressed_files_are_decoded(container: str, codec: str) -> None:
    samples = tone(900, 1, 48_000)
    content = compressed(samples, 48_000, container, codec)
    assert abs(loudest_hz(read_audio(content, RATE_HZ), RATE_HZ) - 900) < 5


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_vectors_are_the_mean_of_the_frames_that_are_audio(
    kind: str, request: pytest.FixtureRequest
) -> None:
    from transformers import AutoFeatureExtractor, AutoModel

    folder = request.getfixturevalue(kind)
    encoder = TransformersAudioEncoder(str(folder))
    sounds = [tone(440, 1.5), tone(1200, 0.6), tone(300, 1.5)]
    vectors = encoder.encode([wav(sounds[0], RATE_HZ), *sounds[1:]])

    model = AutoModel.from_pretrained(folder).eval()
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    for sound, vector in zip(sounds, vectors, strict=True):
        inputs = extractor(sound, sampling_rate=RATE_HZ, return_tensors="pt")
        with torch.inference_mode():
            if kind == "whisper":
                states = model.encoder(inputs["input_features"]).last_hidden_state[0]
                states = states[: -(-len(sound) // 320)]
            else:
                states = model(inputs["input_values"]).last_hidden_state[0]
        expected = states.mean(0).numpy()
        assert vector @ expected / np.linalg.norm(expected) >= 0.9999
    assert vectors.shape == (3, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_long_audio_is_averaged_over_windows(wav2vec2: Path) -> None:
    encoder = TransformersAudioEncoder(str(wav2vec2))
    first, second = tone(440, 20), tone(1500, 20)
    both = encoder.encode([np.concatenate([first, second])])
    assert len(encoder.prepare(np.concatenate([first, second]))) == 2
    assert float(both[0] @ encoder.encode([first])[0]) < 0.9999


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"not audio at all" * 100,
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        wav(tone(440, 1), RATE_HZ)[:30],
        np.zeros(0, np.float32),
        np.array([0.1, np.nan] * 8000, np.float32),
        np.zeros((2, 16_000), np.float32),
        np.zeros(16_000, np.int16),
        "no/such/file.wav",
        7,
    ],
)
def test_what_is_no_audio_is_refused(part: object) -> None:
    with pytest.raises(DecodeError):
        read_audio(part, RATE_HZ)


def test_audio_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_files, "MAX_DURATION_S", 2.0)
    for part in (wav(tone(440, 3), RATE_HZ), tone(440, 3)):
        with pytest.raises(DecodeError, match="over 2 s"):
            read_audio(part, RATE_HZ)


def test_a_missing_pyav_is_named_with_its_install_line() -> None:
    script = (
        "import sys; sys.modules['av'] = None\n"
        "from tiepoint.encoders.audio_files import read_audio\n"
        "from tiepoint.errors import MissingDependencyError\n"
        "try: read_audio(b'RIFF', 16000)\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'tiepoint[audio]'" in result.stdout


def test_a_text_model_is_no_audio_model(tmp_path: Path) -> None:
    folder = tiny_models.save_bert(tmp_path / "bert")
    with pytest.raises(ConfigError, match="no audio model"):
        _ = TransformersAudioEncoder(str(folder)).fingerprint


class TestWav2Vec2(EncoderConformance):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def model(cls, wav2vec2: Path) -> None:
        cls.folder = wav2vec2

    def make_encoder(self) -> TransformersAudioEncoder:
        return TransformersAudioEncoder(str(self.folder))

    def parts(self) -> list[object]:
        return [tone(440, 0.5), wav(tone(900, 0.7), RATE_HZ), tone(1500, 0.2)]

    def broken_parts(self) -> list[object]:
        return [b"", b"no audio", "no/such/file.wav", 7]

    folder: Path
