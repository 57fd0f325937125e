"""Listeners: each event reaches all of them, and one that raises disturbs no other."""

import inspect
import threading

from gansearch.search.callbacks.listener import Listener, Listeners, quiet_threads


class Recorder(Listener):
    def __init__(self):
        self.events = []

    def resized(self, slots):
        self.events.append(slots)


class Broken(Listener):
    def resized(self, slots):
        raise ValueError("no such luck")


def test_a_listener_that_raises_is_not_notified_any_more(caplog):
    first, last = Recorder(), Recorder()
    listeners = Listeners([first, Broken(), last])
    listeners.resized(1)
    listeners.resized(2)
    assert first.events == last.events == [1, 2]
    assert caplog.text.count("Broken raised, and is not notified of this sweep any more") == 1


def test_one_that_cannot_write_is_one_line_and_no_traceback(caplog):
    class Full(Listener):
        def resized(self, slots):
            raise OSError(28, "No space left on device")

    Listeners([Full()]).resized(1)
    assert [record.getMessage() for record in caplog.records] == [
        "warning: Full ends early: [Errno 28] No space left on device"
    ]
    assert caplog.records[0].exc_info is None


def test_a_thread_that_cannot_write_prints_nothing(capsys):
    def end_with(error):
        def work():
            raise error

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    hook = threading.excepthook
    with quiet_threads():
        end_with(OSError("no space"))
        assert capsys.readouterr().err == ""
    assert threading.excepthook is hook


def test_every_event_is_passed_on():
    events = {name for name, _ in inspect.getmembers(Listener, inspect.isfunction) if not name.startswith("_")}
    assert events == {name for name in vars(Listeners) if not name.startswith("_")}
