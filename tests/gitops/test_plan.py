from __future__ import annotations

from gitops.manifests import Key, KubernetesObject
from gitops.plan import Change, LiveRelease, Plan, State, _newest, differences

WEB = KubernetesObject(
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "a"}}
)
NAMESPACE = KubernetesObject({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}})
DIFF = """\
diff -u -N /tmp/LIVE-1/apps.v1.Deployment.a.web /tmp/MERGED-2/apps.v1.Deployment.a.web
--- /tmp/LIVE-1/apps.v1.Deployment.a.web\t2026-09-01 10:00:00.0 +0000
+++ /tmp/MERGED-2/apps.v1.Deployment.a.web\t2026-09-01 10:00:00.0 +0000
@@ -6,7 +6,7 @@
   annotations:
-  generation: 1
+  generation: 2
     spec:
       containers:
-      - image: example.com/a:1
+      - image: example.com/a:2
diff -u -N /tmp/LIVE-1/v1.Namespace..b /tmp/MERGED-2/v1.Namespace..b
--- /tmp/LIVE-1/v1.Namespace..b\t2026-09-01 10:00:00.0 +0000
+++ /tmp/MERGED-2/v1.Namespace..b\t2026-09-01 10:00:00.0 +0000
@@ -0,0 +1,2 @@
+apiVersion: v1
+kind: Namespace
"""


def test_a_diff_tells_what_is_new_and_which_fields_differ() -> None:
    assert differences(DIFF, [WEB, NAMESPACE]) == {
        WEB.key: Change("update", WEB.key, ("image",)),
        NAMESPACE.key: Change("create", NAMESPACE.key),
    }


def test_no_diff_is_no_change() -> None:
    assert differences("", [WEB]) == {}


def test_a_plan_is_told_in_lines_and_counts() -> None:
    changes = (
        Change("create", NAMESPACE.key),
        Change("update", WEB.key, ("image",)),
        Change("delete", Key("", "ConfigMap", "a", "old")),
    )
    assert Plan(changes, total=5).lines() == [
        "+ Namespace b",
        "~ Deployment a/web (image)",
        "- ConfigMap a/old",
        "1 to create, 1 to update, 1 to delete, 3 unchanged",
    ]


def test_the_newest_revision_of_a_release_counts() -> None:
    row = ["a", "sh.helm.release.v1.web.v1", "helm.sh/release.v1", "1", "5m", "web"]
    rows = [[*row, "9", "superseded"], [*row, "10", "pending-upgrade"], [*row, "2", "superseded"]]
    key = Key("helm.sh", "release", "a", "web")
    assert _newest(rows) == {key: LiveRelease(10, "pending-upgrade")}


def test_an_object_needs_its_namespace_and_its_kind() -> None:
    state = State((), {}, frozenset({("apps", "Deployment")}), frozenset({"a"}))
    assert state.can_hold(WEB.key)
    assert not state.can_hold(Key("apps", "Deployment", "missing", "web"))
    assert not state.can_hold(Key("example.com", "Widget", "a", "web"))
