from pathlib import Path

import pytest

from cli.holder import Holder
from cli.stack import CommandError


def test_it_is_read_as_it_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "holder.json"
    assert Holder.find(file) is None
    Holder("prod", "pulumi").save(file)
    assert Holder.find(file) == Holder("prod", "pulumi")


def test_the_engine_that_began_goes_on() -> None:
    holder = Holder("prod", "kubectl")
    assert holder.engine_for("auto") == holder.engine_for("kubectl") == "kubectl"


def test_another_engine_is_refused_with_the_way_out() -> None:
    with pytest.raises(CommandError, match="ENGINE=kubectl, or start anew with `make down`"):
        Holder("prod", "kubectl").engine_for("pulumi")
