from gansearch.gan.task import TaskError
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare import Prepared, prepare  # noqa: F401


def test_a_fault_of_a_script_is_one_of_its_task():
    assert issubclass(ScriptError, TaskError)
