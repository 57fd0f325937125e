"""The first signal is a request, the second one ends everything; the message says what is kept."""

import signal

import pytest

from gansearch.interrupts import Interrupted, InterruptMessage, Interrupts
from gansearch.store.folder import Folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_request_and_the_second_one_an_interrupt(number):
    before = signal.getsignal(number)
    with Interrupts() as interrupts:
        assert not interrupts.requested
        signal.raise_signal(number)
        assert interrupts.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_an_interrupt_gets_the_message_of_what_is_there(folder, tmp_path):
    with pytest.raises(KeyboardInterrupt, match="nothing was written"), InterruptMessage(Folder(tmp_path / "none")):
        raise KeyboardInterrupt
    with pytest.raises(Interrupted, match="the finished trials are in"), InterruptMessage(folder):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt, match="gansearch report"), InterruptMessage(folder, finished=True):
        raise KeyboardInterrupt
    with pytest.raises(Interrupted, match="seeds are in"), InterruptMessage(folder):
        raise Interrupted(folder.path, "seeds")
