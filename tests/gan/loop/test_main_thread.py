"""In which thread a loop is called."""

import threading

from gansearch.gan.loop import main_thread


def test_calls_are_made_in_the_main_thread_while_it_waits_beside():
    threads = {}

    def work():
        done = threading.Event()

        def one():
            threads["call"] = threading.current_thread()
            done.set()

        threads["work"] = threading.current_thread()
        main_thread.start(one)
        assert done.wait(10)
        return "its result"

    assert main_thread.beside(work).result() == "its result"
    assert threads["call"] is threading.main_thread()
    assert threads["work"] is not threading.main_thread()


def test_else_they_have_a_thread_of_their_own():
    threads, done = [], threading.Event()

    def one():
        threads.append(threading.current_thread())
        done.set()

    main_thread.start(one)
    assert done.wait(10)
    assert threads[0] is not threading.main_thread()


def test_what_the_work_raises_is_in_its_future():
    def fail(value):
        raise SystemExit(value)

    future = main_thread.beside(fail, 3)
    assert isinstance(future.exception(), SystemExit)
