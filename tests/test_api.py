"""The names that `import gansearch` gives."""

import subprocess
import sys

import pytest

import gansearch


def test_every_public_name_is_there_and_no_other_module_is_asked():
    defined = {name for names in gansearch._MODULES.values() for name in names}
    assert defined | {"distances"} == set(gansearch.__all__)  # which is a module
    for name in gansearch.__all__:
        assert getattr(gansearch, name) is not None
    assert set(gansearch.__all__) <= set(dir(gansearch))
    with pytest.raises(AttributeError, match="no attribute 'swep'"):
        gansearch.swep  # noqa: B018


@pytest.mark.parametrize("code", ["import gansearch", "from gansearch.cli.main import app; app(['sweep', '--help'])"])
def test_nothing_slow_is_imported_before_it_is_needed(code):
    slow = {"torch", "ray", "pandas", "numpy", "optuna", "pyarrow"}
    check = f"import atexit, sys; atexit.register(lambda: print('loaded:', *({slow} & set(sys.modules)))); {code}"
    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "loaded:"
