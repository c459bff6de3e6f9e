"""The program deployed with helm and kubectl, where there is no Pulumi CLI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gitops import helm, inventory, rollout, stackfile
from gitops.cluster import Cluster
from gitops.errors import GitopsError
from gitops.inventory import Inventory, ObjectEntry, ReleaseEntry
from gitops.manifests import Key, Wave, in_waves
from gitops.plan import Plan, State, look, plan
from gitops.record import record


@dataclass(frozen=True)
class HelmAndKubectl:
    """Deploys `program` (its `__main__.py`) to a cluster; `say` prints progress for a person.

    There is no state but the cluster's own: helm keeps releases, the API server keeps objects and
    who owns their fields, and one ConfigMap a stack lists what was made. So every command may be
    repeated, also after one that was cut short. All raise GitopsError with one clear message.
    """

    program: Path
    cluster: Cluster
    say: Callable[[str], None] = print

    def preview(self, stack_file: Path) -> Plan:
        """Print what `up` would change, and change nothing."""
        stack = stackfile.read(stack_file)
        waves = self._waves(stack)
        state = look(self.cluster, stack.name)
        return self._plan(state, waves, strict=True)

    def up(self, stack_file: Path) -> Plan:
        """Make the cluster as the program says, wave by wave, and wait until all is ready.

        Only what differs is touched. What an earlier run made and the program no longer has is
        deleted at the end.
        """
        stack = stackfile.read(stack_file)
        waves = self._waves(stack)
        state = look(self.cluster, stack.name)
        todo = self._plan(state, waves, strict=False)
        if not todo.changes:
            rollout.wait(self.cluster, [item for wave in waves for item in wave.objects], self.say)
            return todo
        released = inventory.releases(state.inventory)
        gone = inventory.without(state.inventory, inventory.of(waves, released))

        def save(*more: tuple[inventory.Entry, ...]) -> None:
            inventory.save(self.cluster, stack.name, (*inventory.of(waves, released), *more))

        save(*gone)
        try:
            for wave in waves:
                self._deploy(wave, todo, state, released)
            self._delete(gone, state)
        except BaseException:
            with suppress(GitopsError):
                save(*gone)
            raise
        save()
        return todo

    def down(self, stack_file: Path) -> None:
        """Delete all that `up` made for this stack, in reverse order."""
        name = stackfile.name(stack_file)
        state = look(self.cluster, name)
        if not state.inventory:
            self.say(f"nothing is deployed for stack {name}")
            return
        self._delete(state.inventory, state)
        inventory.delete(self.cluster, name)

    def _waves(self, stack: stackfile.StackFile) -> tuple[Wave, ...]:
        result = in_waves(record(self.program, stack))
        helm.check_folders([chart for wave in result for chart in wave.charts], self._directory)
        return result

    @property
    def _directory(self) -> Path:
        """What relative paths of charts mean, as for the Pulumi CLI."""
        return self.program.parent.resolve()

    def _plan(self, state: State, waves: tuple[Wave, ...], strict: bool) -> Plan:
        result = plan(self.cluster, state, waves, self._directory, strict)
        for line in result.lines():
            self.say(line)
        return result

    def _deploy(
        self, wave: Wave, todo: Plan, state: State, released: dict[Key, ReleaseEntry]
    ) -> None:
        for chart in wave.charts:
            entry = ReleaseEntry(chart.namespace, chart.name)
            if entry.key in todo:
                self.say(f"installing {chart}")
                helm.mend(self.cluster, entry, state.releases.get(entry.key))
                revision = helm.install(self.cluster, chart, self._directory)
                digest = inventory.digest(chart, self._directory)
                released[entry.key] = replace(entry, digest=digest, revision=revision)
        if changed := [item for item in wave.objects if item.key in todo]:
            self.say(f"applying {_names([item.key for item in changed])}")
            self.cluster.apply([item.content for item in changed])
        rollout.wait(self.cluster, wave.objects, self.say)

    def _delete(self, entries: Inventory, state: State) -> None:
        for wave in reversed(entries):
            objects = [
                entry
                for entry in reversed(wave)
                if isinstance(entry, ObjectEntry) and state.has_kind(entry.key)
            ]
            if objects:
                self.say(f"deleting {_names(objects)}")
                self.cluster.delete([entry.reference for entry in objects])
            for entry in reversed(wave):
                if isinstance(entry, ReleaseEntry):
                    self.say(f"uninstalling {entry}")
                    helm.uninstall(self.cluster, entry)


def _names(items: Sequence[object]) -> str:
    """All of up to three, else the first two and how many more."""
    names = [str(item) for item in items]
    return ", ".join(names if len(names) <= 3 else [*names[:2], f"and {len(names) - 2} more"])
