"""The notebook in docs runs from its first cell to its last."""

import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.ray
def test_the_notebook_runs(tmp_path, monkeypatch):
    import nbformat
    from ipykernel.kernelspec import install
    from nbclient import NotebookClient

    # A kernel of this very Python, whatever others the machine has; nothing is written into the user's home.
    install(prefix=str(tmp_path), kernel_name="tested")
    for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / "share/jupyter" if name == "JUPYTER_PATH" else tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "clear the outputs"
    NotebookClient(notebook, timeout=240, kernel_name="tested", resources={"metadata": {"path": DOCS}}).execute()
    shown = [output["data"] for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    assert "best-balanced" in shown[0]["text/html"]
    figures = [data for data in shown if "application/vnd.plotly.v1+json" in data]
    assert len(figures) == 7
    assert sys.version_info[:2] == tuple(map(int, notebook.metadata.language_info["version"].split(".")[:2]))
