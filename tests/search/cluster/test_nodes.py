"""What a node is asked before the first trial; test_join.py asks real ones."""

import pytest

from gansearch.experiment import ScriptTask
from gansearch.search.cluster import nodes
from gansearch.store.object_store import Storage


def test_each_thing_that_a_node_may_lack_has_its_message(mine, tmp_path):
    task, marker = f"{mine}/my_gan.py:Mine", str(mine / "my_gan.py")
    assert nodes._problem(task, None, marker) == ""
    assert nodes._problem(task, str(mine / "data.txt"), marker) == ""
    assert "does not see" in nodes._problem(task, None, str(tmp_path / "out" / "marker"))
    assert "there is no file" in nodes._problem(f"{tmp_path}/none.py:Mine", None, marker)
    assert "there is no /data/none" in nodes._problem(task, "/data/none", marker)
    script = ScriptTask.model_validate({"command": "python train.py", "link": [str(mine)]})
    assert nodes._problem(script, None, marker) == ""
    script = ScriptTask.model_validate({"command": "python train.py", "link": ["/data/none"]})
    assert "task.link: there is no /data/none" in nodes._problem(script, None, marker)


def test_the_marker_leaves_nothing_behind(tmp_path):
    out = tmp_path / "a" / "b"
    with nodes._marker(out) as marker:
        assert marker.is_file()
    assert not (tmp_path / "a").exists()
    out.mkdir(parents=True)
    with nodes._marker(out):
        pass
    assert list(out.iterdir()) == []


def test_the_marker_at_a_url_goes_with_a_node_that_lacks_something(objects):
    storage = Storage("s3://bucket/out")
    seen = []

    def ask():
        with nodes._marker(storage):
            seen.extend(storage.files())
            raise ValueError("a node lacks it")

    with pytest.raises(ValueError, match="a node lacks it"):
        ask()
    assert len(seen) == 1
    assert storage.files() == {}
