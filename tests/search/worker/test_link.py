"""What a process and its worker say to each other."""

import pickle
from multiprocessing import Pipe
from threading import Thread

import pytest

from gansearch.search.worker.link import Link, Packed, Stopped, answer


def answered(connection, known, calls):
    for _ in range(calls):
        name, args = connection.recv()
        answer(connection, known[name], args)


def test_a_call_returns_what_the_worker_answers():
    here, there = Pipe()
    worker = Thread(target=answered, args=(there, {"add": lambda a, b: a + b}, 2))
    worker.start()
    link = Link(here)
    assert (link("add", 1, 2), link("add", "a", "b")) == (3, "ab")
    worker.join()


def test_what_the_worker_raises_stops_the_process_for_good():
    here, there = Pipe()

    def refuse():
        raise SystemExit(0)

    raised = []

    def worker():
        try:
            answered(there, {"report": refuse}, 1)
        except SystemExit as error:
            raised.append(error)

    thread = Thread(target=worker)
    thread.start()
    link = Link(here)
    for _ in range(2):  # the second one asks nobody
        with pytest.raises(Stopped):
            link("report")
    thread.join()
    assert len(raised) == 1


def test_a_worker_that_is_gone_stops_the_process():
    here, there = Pipe()
    there.close()
    with pytest.raises(Stopped):
        Link(here)("report")


def test_packed_content_is_unpickled_by_whoever_it_is_sent_to():
    assert pickle.loads(pickle.dumps(Packed(pickle.dumps({"rows": [1, 2]})))) == {"rows": [1, 2]}  # noqa: S301
