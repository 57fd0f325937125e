from gansearch.scripts.prepare.left_out import is_private, left_out


def test_what_is_never_copied_of_a_folder(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/pyvenv.cfg").write_text("")
    (tmp_path / "out").symlink_to("/")
    (tmp_path / "a b").symlink_to(tmp_path)
    assert {"/own", "/out", "/a\\ b", "venv", "*.pem", ".?*"} <= set(left_out(tmp_path))
    assert [is_private(name) for name in (".env", "a.pem", "a.py", ".")] == [True, True, False, False]
