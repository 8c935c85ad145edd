"""`tiepoint upgrade` brings what a deployment keeps up to this release."""

from __future__ import annotations

import json

DEPLOYMENT = """
version: 1
store: {uri: ./data}
collections: {items: {fields: {look: {dimensions: 4}}}}
plugins: {security: {}}
"""


def test_databases_of_plugins_are_brought_up_and_then_left_alone(tiepoint_here, tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(DEPLOYMENT, "utf-8")
    first = tiepoint_here("upgrade", file)
    assert first.returncode == 0, first.stderr
    assert "collection items: can be served, 0 items" in first.stdout
    assert "plugin security: alerts from nothing to" in first.stdout
    assert (tmp_path / "data-security" / "alerts.sqlite3").is_file()
    again = tiepoint_here("upgrade", file, "--json")
    assert json.loads(again.stdout) == {"collections": {"items": 0}, "plugins": {"security": []}}


def test_a_store_of_other_fields_is_told_and_left_as_it_is(tiepoint_here, tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(DEPLOYMENT, "utf-8")
    assert tiepoint_here("upgrade", file).returncode == 0
    file.write_text(DEPLOYMENT.replace("4", "8"), "utf-8")
    refused = tiepoint_here("upgrade", file)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    file.write_text(DEPLOYMENT, "utf-8")
    assert tiepoint_here("upgrade", file).returncode == 0
