from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from gitops import render
from gitops.__main__ import main
from gitops.errors import GitopsError
from gitops.manifests import KubernetesObject, Wave, in_waves
from gitops.render import Format
from gitops.secrets import Secrets
from tests.gitops.conftest import PROGRAM, Recorder

REPOSITORY = {"repo": "https://charts.example.com/stable", "chart": "widgets"}
OCI = {"chart": "oci://registry.example.com/charts/widgets"}
VAULT = Secrets(store="vault")
FORMATS = get_args(Format)


def loaded(files: render.Files, path: str) -> Any:
    return yaml.safe_load(files[path])


@pytest.fixture
def waves(recorded: Recorder) -> tuple[Wave, ...]:
    return in_waves(recorded(**REPOSITORY))


@pytest.mark.parametrize("layout", FORMATS)
def test_two_renders_are_the_same_bytes(recorded: Recorder, layout: Format) -> None:
    first, second = (
        render.files(in_waves(recorded(**REPOSITORY)), layout, VAULT) for _ in range(2)
    )
    assert list(first.items()) == list(second.items())


@pytest.mark.parametrize("layout", FORMATS)
def test_every_file_is_named_by_the_kustomization_of_its_folder(
    waves: tuple[Wave, ...], layout: Format
) -> None:
    files = render.files(waves, layout, VAULT)
    folders = {path.partition("/")[0] for path in files if "/" in path}
    assert sorted(folders) == ["00-namespace", "10-widgets-objects", "20-widget"]
    for folder in folders:
        names = {path.partition("/")[2] for path in files if path.startswith(f"{folder}/")}
        named = loaded(files, f"{folder}/kustomization.yaml")["resources"]
        assert names == {*named, "kustomization.yaml"}


def test_flux_installs_a_chart_from_its_repository(waves: tuple[Wave, ...]) -> None:
    files = render.files(waves, "flux", VAULT)
    name = "helmrepository-flux-system-charts-example-com-stable.yaml"
    source = loaded(files, f"10-widgets-objects/{name}")
    assert source["spec"]["url"] == REPOSITORY["repo"]
    release = loaded(files, "10-widgets-objects/helmrelease-flux-system-widgets-widgets.yaml")
    assert release["apiVersion"] == "helm.toolkit.fluxcd.io/v2"
    assert release["spec"]["chart"]["spec"] == {
        "chart": "widgets",
        "version": "1.0.0",
        "sourceRef": {"kind": "HelmRepository", "name": source["metadata"]["name"]},
    }
    assert release["spec"]["targetNamespace"] == "widgets"
    assert release["spec"]["values"] == {"colour": "blue"}


def test_flux_installs_a_chart_from_a_registry(recorded: Recorder) -> None:
    files = render.files(in_waves(recorded(**OCI)), "flux", VAULT)
    release = loaded(files, "10-widgets-objects/helmrelease-flux-system-widgets-widgets.yaml")
    reference = release["spec"]["chartRef"]
    source = loaded(files, f"10-widgets-objects/ocirepository-flux-system-{reference['name']}.yaml")
    assert reference["kind"] == source["kind"] == "OCIRepository"
    assert (source["spec"]["url"], source["spec"]["ref"]) == (OCI["chart"], {"tag": "1.0.0"})


def test_flux_waits_for_each_wave_before_the_next(waves: tuple[Wave, ...]) -> None:
    files = render.files(waves, "flux", VAULT, path="clusters/dev")
    steps = list(yaml.safe_load_all(files["flux.yaml"]))
    assert [step["spec"]["path"] for step in steps][:2] == [
        "./clusters/dev/00-namespace",
        "./clusters/dev/10-widgets-objects",
    ]
    assert all(step["spec"]["wait"] for step in steps)
    for before, step in itertools.pairwise(steps):
        assert step["spec"]["dependsOn"] == [{"name": before["metadata"]["name"]}]


@pytest.mark.parametrize(
    ("chart", "address"),
    [(REPOSITORY, REPOSITORY["repo"]), (OCI, "registry.example.com/charts")],
)
def test_argo_cd_installs_a_chart_as_an_application(
    recorded: Recorder, chart: dict[str, str], address: str
) -> None:
    files = render.files(in_waves(recorded(**chart)), "argocd", VAULT)
    spec = loaded(files, "10-widgets-objects/application-argocd-widgets-widgets.yaml")["spec"]
    source = spec["source"]
    assert (source["repoURL"], source["chart"], source["targetRevision"]) == (
        address,
        "widgets",
        "1.0.0",
    )
    assert source["helm"]["valuesObject"] == {"colour": "blue"}
    assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]


def test_argo_cd_keeps_certificates_that_a_chart_makes_at_each_render_together(
    waves: tuple[Wave, ...],
) -> None:
    files = render.files(waves, "argocd", VAULT)
    (path,) = (path for path in files if "application-argocd-" in path)
    spec = loaded(files, path)["spec"]
    kept = {item["kind"]: item["jqPathExpressions"] for item in spec["ignoreDifferences"]}
    assert ".webhooks[]?.clientConfig.caBundle" in kept["MutatingWebhookConfiguration"]
    assert kept["Secret"] == ['.data["tls.crt"]', '.data["tls.key"]']
    assert kept["Deployment"] == ['.spec.template.metadata.annotations["checksum/config"]']
    assert "RespectIgnoreDifferences=true" in spec["syncPolicy"]["syncOptions"]


def test_argo_cd_syncs_in_the_order_of_the_waves(waves: tuple[Wave, ...]) -> None:
    files = render.files(waves, "argocd", VAULT)
    for path in files:
        folder, _, name = path.partition("/")
        if name and name != "kustomization.yaml":
            annotations = loaded(files, path)["metadata"]["annotations"]
            assert int(annotations["argocd.argoproj.io/sync-wave"]) == int(folder[:2])


def test_an_object_is_written_as_the_program_made_it(waves: tuple[Wave, ...]) -> None:
    files = render.files(waves, "flux", VAULT)
    (path,) = (path for path in files if path.endswith("/deployment-widgets-web.yaml"))
    (item,) = (i for wave in waves for i in wave.objects if i.key.kind == "Deployment")
    assert loaded(files, path) == item.content


def test_a_chart_in_a_folder_of_this_machine_is_refused(recorded: Recorder) -> None:
    with pytest.raises(GitopsError, match=r"(?s)widgets/widgets: charts/widgets\n.*mirror"):
        render.files(in_waves(recorded()), "flux", VAULT)


def test_a_secret_is_refused_with_the_ways_out(waves: tuple[Wave, ...]) -> None:
    with pytest.raises(GitopsError, match=r"(?s)Secret widgets/web: token\n.*external:.*include"):
        render.files(waves)


def test_a_secret_outside_a_secret_is_refused_even_with_a_store(recorded: Recorder) -> None:
    waves = in_waves(recorded(**REPOSITORY, values={"password": "x"}))
    chart = waves[1].charts[0]
    secret = type(chart)(**{**vars(chart), "secrets": (("password",),)})
    with pytest.raises(GitopsError, match="release widgets/widgets: password"):
        render.files((Wave(charts=(secret,)),), "flux", VAULT)


def test_an_external_secret_takes_the_place_of_a_secret(waves: tuple[Wave, ...]) -> None:
    files = render.files(waves, "flux", VAULT)
    (path,) = (path for path in files if "externalsecret" in path)
    spec = loaded(files, path)["spec"]
    assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
    assert spec["data"] == [
        {"secretKey": "token", "remoteRef": {"key": "widgets/web", "property": "token"}}
    ]
    assert "s3cret" not in "".join(files.values())


def test_a_secret_is_written_in_plain_text_only_when_told(waves: tuple[Wave, ...]) -> None:
    assert "s3cret" in "".join(render.files(waves, "flux", Secrets(include=True)).values())


def test_objects_of_one_kind_and_name_but_two_groups_are_both_written() -> None:
    items = tuple(
        KubernetesObject(
            {"apiVersion": f"{group}/v1", "kind": "Gateway", "metadata": {"name": "a"}}
        )
        for group in ("networking.istio.io", "gateway.networking.k8s.io")
    )
    files = render.files((Wave(objects=items),))
    assert "00-gateway/gateway-a.yaml" in files
    assert "00-gateway/gateway.networking.k8s.io-gateway-a.yaml" in files


def test_a_rendered_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    render.write(out, {"a/old.yaml": "old\n"})
    render.write(out, {"a/new.yaml": "new\n"})
    assert sorted(path.name for path in (out / "a").iterdir()) == ["new.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(GitopsError, match="not rendered"):
        render.write(tmp_path, {})
    assert (tmp_path / "mine.txt").read_text() == "mine"


def command(tmp_path: Path, options: str, *arguments: str) -> int:
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text(f"config: {{inference-mesh:options: {options}}}\n")
    out = str(tmp_path / "out")
    return main(["render", str(stack), out, f"--program={PROGRAM}", *arguments])


def test_the_command_writes_the_folder(tmp_path: Path) -> None:
    assert command(tmp_path, "{repo: 'https://a', chart: b}", "--secrets=external:vault") == 0
    assert (tmp_path / "out" / "kustomization.yaml").exists()


def test_the_command_warns_of_plain_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(tmp_path, "{repo: 'https://a', chart: b}", "--secrets=include") == 0
    assert "Secret widgets/web: token" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "secrets", "message"),
    [
        ("{refuse: weights must sum to 100}", "include", "error: weights must sum to 100\n"),
        ("{}", "vault", "error: SECRETS=vault: expected external:"),
    ],
)
def test_the_command_says_in_one_message_what_is_wrong(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: str,
    secrets: str,
    message: str,
) -> None:
    assert command(tmp_path, options, f"--secrets={secrets}") == 1
    assert capsys.readouterr().err.startswith(message)
    assert not (tmp_path / "out").exists()
