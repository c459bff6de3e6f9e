from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.chart import Chart
from components.kubernetes import Manifest
from components.mesh.istio import Istio, endpoint_picker, gateway
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Ingress
from tests.components.samples import istio, model

HOST = "llm.example.com"
PICKER: dict[str, Any] = {"balancing": {"policy": "endpoint-picker"}}
INGRESS = Ingress((HOST, "b.example.com"), "certificate", 30, picked_hosts=(HOST,))
POOL = "deepseek-r1-1-5b"


def parts(gateway_host: str | None = HOST, **settings: Any) -> list[Any]:
    return list(istio().route(model(**{"traffic": PICKER} | settings), gateway_host))


def chart(**settings: Any) -> Chart:
    (found,) = (part for part in parts(**settings) if isinstance(part, Chart))
    return found


def of_kind(kind: str, **settings: Any) -> list[Manifest]:
    made = [part for part in parts(**settings) if not isinstance(part, Chart)]
    return [item for item in made if item["kind"] == kind]


def test_a_model_has_a_pool_with_a_picker_in_its_own_namespace() -> None:
    pool = chart()
    assert (pool.name, pool.release, pool.namespace) == ("inferencepool", POOL, "ai-inference")
    values = pool.values["inferencePool"]
    assert values["targetPorts"] == [{"number": 8000}]
    assert values["modelServers"]["matchLabels"] == model().selector


def test_the_gateways_requests_go_to_the_pool_and_the_meshs_to_the_service() -> None:
    (route,) = of_kind("HTTPRoute")
    assert route["spec"]["hostnames"] == [HOST]
    (rule,) = route["spec"]["rules"]
    group = "inference.networking.k8s.io"
    assert rule["backendRefs"] == [{"group": group, "kind": "InferencePool", "name": POOL}]
    (inside,) = of_kind("VirtualService")
    assert inside["spec"]["gateways"] == ["mesh"]


def test_without_a_gateway_there_is_no_pool() -> None:
    assert not any(isinstance(part, Chart) for part in parts(gateway_host=None))


def test_a_place_is_asked_for_as_of_any_model() -> None:
    (route,) = of_kind("HTTPRoute", route={"prefix": "/chat", "byModel": True})
    (rule,) = route["spec"]["rules"]
    assert rule["matches"] == [
        {
            "path": {"type": "PathPrefix", "value": "/chat"},
            "headers": [{"type": "Exact", "name": "x-gateway-model-name", "value": model().name}],
        }
    ]
    assert rule["filters"][0]["urlRewrite"]["path"]["replacePrefixMatch"] == "/"
    (whole,) = of_kind("HTTPRoute")[0]["spec"]["rules"]
    assert not {"matches", "filters"} & set(whole)


def test_a_response_may_have_a_time_limit() -> None:
    traffic = PICKER | {"timeouts": {"response": "30s"}}
    (route,) = of_kind("HTTPRoute", traffic=traffic)
    assert route["spec"]["rules"][0]["timeouts"] == {"request": "30s"}
    assert "timeouts" not in of_kind("HTTPRoute")[0]["spec"]["rules"][0]


def test_the_gateway_alone_may_ask_the_picker() -> None:
    (policy,) = of_kind("AuthorizationPolicy")
    assert policy["spec"]["selector"]["matchLabels"] == {"inferencepool": f"{POOL}-epp"}
    (rule,) = policy["spec"]["rules"]
    principal = gateway.principal(istio().settings)
    assert rule["from"] == [{"source": {"principals": [principal]}}]
    ports = [str(chart().values["inferenceExtension"]["extProcPort"])]
    assert rule["to"] == [{"operation": {"ports": ports}}]


def test_the_picker_reads_metrics_where_a_meshed_pod_gives_them() -> None:
    picker = chart().values["inferenceExtension"]
    assert picker["flags"]["model-server-metrics-port"] == 15020
    assert picker["flags"]["refresh-metrics-interval"] == "200ms"
    assert picker["metricsDataSource"]["path"] == "/stats/prometheus"
    outside = replace(model(traffic=PICKER), adoption="unmeshed")
    (pool,) = (part for part in istio().route(outside, HOST) if isinstance(part, Chart))
    assert pool.values["inferenceExtension"]["flags"]["model-server-metrics-port"] == 8000
    assert pool.values["inferenceExtension"]["metricsDataSource"]["path"] == "/metrics"


def test_a_picker_that_fails_leaves_its_model_reachable() -> None:
    assert chart().values["inferenceExtension"]["failureMode"] == "FailOpen"


def test_the_pickers_pod_is_as_large_as_asked() -> None:
    large = {"balancing": {"policy": "endpoint-picker", "cpu": "4", "memory": "8Gi"}}
    assert chart(traffic=large).values["inferenceExtension"]["resources"] == {
        "requests": {"cpu": "4", "memory": "8Gi"},
        "limits": {"memory": "8Gi"},
    }


def test_the_pools_pods_behave_as_the_models_do() -> None:
    ours, pool = of_kind("DestinationRule")
    assert pool["spec"]["trafficPolicy"] == ours["spec"]["trafficPolicy"]
    # sha256 of the pool's name, as istiod cuts it.
    assert pool["spec"]["host"] == f"{POOL}-ip-18bfb9c1.ai-inference.svc.cluster.local"


def test_a_mesh_with_pickers_knows_their_kinds_before_istiod_starts() -> None:
    kinds, base, istiod = Istio(IstioSettings(kind="istio"), endpoint_pickers=True).install()
    assert isinstance(base, Chart)
    assert isinstance(istiod, Chart)
    assert (base.name, istiod.name) == ("base", "istiod")
    assert istiod.values["env"] == {"ENABLE_GATEWAY_API_INFERENCE_EXTENSION": "true"}
    assert {definition["kind"] for definition in kinds} > {"CustomResourceDefinition"}
    without = [part.values for part in istio().install() if isinstance(part, Chart)]
    assert len(without) == 2
    assert not any("env" in values for values in without)


def test_a_cluster_that_has_the_gateway_api_gets_the_pools_alone() -> None:
    settings = IstioSettings(kind="istio", gateway_api=False)
    kinds = Istio(settings, endpoint_pickers=True).install()[0]
    assert isinstance(kinds, tuple)
    (definition,) = kinds
    assert definition["spec"]["names"]["kind"] == "InferencePool"


def test_the_gateways_pods_are_those_of_a_gateway_with_pools() -> None:
    listening = {item["kind"] + item["apiVersion"]: item for item in istio().expose(INGRESS)}
    pools = listening["Gatewaygateway.networking.k8s.io/v1"]
    (service,) = pools["spec"]["addresses"]
    release = istio().gateway(INGRESS)[0]
    assert service["value"] == f"{release.release}.{release.namespace}.svc.cluster.local"
    name = pools["metadata"]["name"]
    assert release.values["labels"] == {"gateway.networking.k8s.io/gateway-name": name}
    assert "labels" not in istio().gateway(Ingress((HOST,), "certificate", 30))[0].values


def test_a_host_is_listened_on_once() -> None:
    (mine,) = (item for item in istio().expose(INGRESS) if "networking.istio" in item["apiVersion"])
    assert all(server["hosts"] == ["b.example.com"] for server in mine["spec"]["servers"])
    alone = Ingress((HOST,), "certificate", 30, open_hosts=(HOST,), picked_hosts=(HOST,))
    assert {item["apiVersion"] for item in istio().expose(alone)} == {
        "gateway.networking.k8s.io/v1"
    }


def test_a_revision_owns_the_gateway_of_the_pools() -> None:
    made = istio(revision="v1").expose(INGRESS)
    (pools,) = (item for item in made if item["metadata"]["name"] == gateway.POOLS)
    assert pools["metadata"]["labels"] == {"istio.io/rev": "v1"}


def test_the_definition_of_the_pool_is_of_the_release_of_its_chart() -> None:
    settings = IstioSettings(kind="istio", gateway_api=False)
    (definition,) = endpoint_picker.definitions(settings)
    annotations = definition["metadata"]["annotations"]
    assert annotations["inference.networking.k8s.io/bundle-version"] == chart().version
