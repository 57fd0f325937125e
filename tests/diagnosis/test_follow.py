import io
import os
import threading

import pytest

from gansearch.diagnosis.follow import follow
from gansearch.diagnosis.reading import LogError

FINE = "".join(f"step {i}: Loss_D: 1.{i % 7}000 Loss_G: 0.9{i % 5}00\n" for i in range(200))
DEAD = "".join(f"step {i}: Loss_D: 100.0000 Loss_G: 0.0000\n" for i in range(200, 260))


def test_a_stream_is_judged_at_its_end():
    diagnosis = follow(io.BytesIO((FINE + DEAD).encode()), loss="bce-sum")
    assert [finding.kind for finding in diagnosis.findings][:1] == ["frozen"]
    assert diagnosis.records == 260
    assert diagnosis.file == "-"


def test_a_pipe_is_judged_again_as_lines_come_and_what_is_the_same_is_not_said_twice():
    said: list[str] = []
    spoke = threading.Event()

    def say(text):
        said.append(text)
        spoke.set()

    read, write = os.pipe()

    def train():
        for part in (FINE[: len(FINE) // 2], FINE[len(FINE) // 2 :], DEAD):
            os.write(write, part.encode())
            if part != FINE[len(FINE) // 2 :]:
                spoke.wait(20)
                spoke.clear()
        os.close(write)

    thread = threading.Thread(target=train)
    thread.start()
    with os.fdopen(read, "rb") as stream:
        diagnosis = follow(stream, loss="bce-sum", say=say, seconds=0.05)
    thread.join()
    assert "nothing that this log can show is wrong" in said[0]
    assert "frozen (proven) since step 200" in said[-1]
    assert len(said) == len({text.partition(": ")[2] for text in said})
    assert not diagnosis.is_fine


def test_a_stream_that_is_cut_short_by_ctrl_c_is_judged():
    class Stream(io.BytesIO):
        def read(self, size=-1):
            data = super().read(size)
            if not data:
                raise KeyboardInterrupt
            return data

    assert follow(Stream(FINE.encode()), loss="bce-sum").records == 200


def test_nothing_to_read_is_an_error():
    with pytest.raises(LogError):
        follow(io.BytesIO(b"hello\n"))


@pytest.mark.parametrize("wrong", [{"loss": "hinj"}, {"columns": {"d_los": "errD"}}])
def test_a_mistyped_loss_or_role_is_said_before_anything_is_read(wrong):
    stream = io.BytesIO(FINE.encode())
    with pytest.raises(LogError, match="Did you mean"):
        follow(stream, **wrong)
    assert stream.tell() == 0
