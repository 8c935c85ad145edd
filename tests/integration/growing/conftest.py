"""Both configurations: everything in a folder, and everything on servers of its own kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymilvus import MilvusClient

from tests.distributions import install
from tests.integration.growing.sites import Site, furnish
from tests.milvus_server import MilvusServer
from tests.postgresql import new_database
from tiepoint import registry
from tiepoint.cli.main import main
from tiepoint_recommendation.simulation.shop import Shop, simulate

ROOT = Path(__file__).parents[3]
SMALL_COMPONENTS = {
    "tiepoint.encoders": {
        "pixel-colour": "tests.small_encoders:PixelColourEncoder",
        "colour-words": "tests.small_encoders:ColourWordEncoder",
    },
    "tiepoint.aligners": {"colours": "tests.small_encoders:ColourAligner"},
}


@pytest.fixture(scope="module")
def small_components(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let other processes find the small encoders as they find any: by their distribution."""
    folder = tmp_path_factory.mktemp("distributions")
    install(folder, "small-components", SMALL_COMPONENTS, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}", prepend=os.pathsep)
        patch.syspath_prepend(str(folder))
        registry.refresh()
        yield
    registry.refresh()


@pytest.fixture(scope="session")
def shop() -> Shop:
    return simulate(users=60, items=72, days=30, seed=3)


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    server = MilvusServer(tmp_path_factory.mktemp("milvus"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(
    scope="module",
    params=[
        "embedded-small",
        "remote-small",
        pytest.param("embedded-shipped", marks=pytest.mark.slow),
        pytest.param("remote-shipped", marks=pytest.mark.slow),
    ],
)
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    small_components: None,
    shop: Shop,
) -> Iterator[Site]:
    """A deployment that is served, with cases taken in; in one folder, or on two servers."""
    where, encoders = request.param.split("-")
    folder = tmp_path_factory.mktemp(where)
    if where == "embedded":
        site = Site(folder, f"{folder}/store", None, encoders)
    else:
        milvus: MilvusServer = request.getfixturevalue("milvus")
        site = Site(folder, milvus.uri, request.getfixturevalue("postgresql"), encoders)
    site.write()
    furnish(site, shop)
    reports = ["--reports", str(folder / "reports.csv")]
    assert main(["medical", "ingest", str(site.file), str(folder / "dicom"), *reports]) == 0
    with site.running():
        yield site


@pytest.fixture
def new_site(site: Site, tmp_path: Path) -> Site:
    """A deployment like the one that is served, which has nothing yet."""
    for name in ("red.mp4", "green.mp4"):
        shutil.copy(site.folder / name, tmp_path)
    if site.database is None:
        other = Site(tmp_path, f"{tmp_path}/store", None, site.encoders)
    else:
        database = new_database(site.database)
        name = database.rpartition("/")[2]
        client = MilvusClient(site.store, timeout=60)
        client.create_database(name)
        client.close()
        other = Site(tmp_path, f"{site.store}/{name}", database, site.encoders)
    other.write()
    return other
