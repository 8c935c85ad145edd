"""The files under `deploy/` are right by their own tools' rules, and fit what they deploy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLES = DEPLOY.parent / "examples"
SERVED = ("server.yaml", "cluster.yaml")
"""What compose and Kubernetes mount."""

SET_BY_THE_IMAGE = {"TIEPOINT_STATE", "TIEPOINT_CACHE"}


def variables(example: str, *, needed: bool = False) -> set[str]:
    """Return the variables of a deployment file; with `needed`, those without a default."""
    found = re.findall(r"\$\{(\w+)(:-)?", (EXAMPLES / example).read_text("utf-8"))
    return {name for name, default in found if not (needed and default)}


def documents() -> dict[str, dict]:
    text = (DEPLOY / "kubernetes" / "tiepoint.yaml").read_text("utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_the_unit_is_one_that_systemd_takes_and_is_fenced_in(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    text = (DEPLOY / "tiepoint.service").read_text("utf-8")
    assert "ExecStart=/opt/tiepoint/bin/tiepoint serve " in text
    # What is installed where it is used cannot be found here.
    here = text.replace("/opt/tiepoint/bin/tiepoint", "/bin/true")
    here = here.replace("User=tiepoint", "User=root").replace("Group=tiepoint", "Group=root")
    unit = tmp_path / "tiepoint.service"
    unit.write_text(here, "utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )
    complaints = [line for line in checked.stderr.splitlines() if "tiepoint" in line]
    assert (checked.returncode, complaints) == (0, [])
    unit.write_text(text.replace("/opt/tiepoint/bin/tiepoint", "/bin/true"), "utf-8")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=40", unit],
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stdout[-400:]


def test_the_image_holds_what_the_deployments_name():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    [core] = re.findall(r'"\.\[([\w,]+)\]"', text)
    deployed = [yaml.safe_load((EXAMPLES / name).read_text("utf-8")) for name in SERVED]

    assert "oidc" in deployed[1]["auth"]
    assert "traces" in deployed[1]["telemetry"]
    assert deployed[1]["engine"]["type"] == "ray"
    assert {"oidc", "telemetry", "ray"} <= set(core.split(","))
    assert "postgresql://" in deployed[0]["plugins"]["security"]["records"]["database"]
    for plugin in ("security", "medical", "recommendation"):
        assert f'"plugins/{plugin}[postgresql]"' in text


def test_the_compose_file_keeps_to_the_specification(tmp_path):
    pytest.importorskip("check_jsonschema")
    file = DEPLOY / "compose.yaml"
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(file.read_text("utf-8").replace("depends_on:", "depend_on:"), "utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*check, file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert subprocess.run([*check, wrong], capture_output=True).returncode == 1


def test_the_compose_file_gives_the_deployment_what_it_asks_for():
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["tiepoint"]
    given = set(service["environment"])
    assert variables("server.yaml", needed=True) <= given | SET_BY_THE_IMAGE
    assert given <= variables("server.yaml")
    assert (DEPLOY / service["volumes"][0].split(":")[0]).resolve() == EXAMPLES / "server.yaml"
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_the_kubernetes_objects_are_valid():
    kubernetes = pytest.importorskip("kubernetes_validate")
    version = kubernetes.latest_version()
    found = documents()
    assert {"Deployment", "Service", "PodDisruptionBudget"} <= set(found)
    for document in found.values():
        kubernetes.validate(document, version, strict=True)
    found["Deployment"]["spec"]["replica"] = 2
    with pytest.raises(kubernetes.ValidationError):
        kubernetes.validate(found["Deployment"], version, strict=True)


def test_the_kubernetes_objects_fit_each_other_and_the_deployment():
    found = documents()
    pod = found["Deployment"]["spec"]["template"]
    [container] = pod["spec"]["containers"]
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= pod["metadata"]["labels"].items()
    assert (
        found["PodDisruptionBudget"]["spec"]["minAvailable"]
        < (found["Deployment"]["spec"]["replicas"])
    )
    given = {one["name"] for one in container["env"]}
    assert variables("cluster.yaml", needed=True) <= given | SET_BY_THE_IMAGE
    assert given <= variables("cluster.yaml")
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["spec"]["volumes"]}
    [port] = container["ports"]
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]
