"""The first signal is a request, the second one ends everything, and what was ignored stays so."""

import signal
import threading

import pytest

from gansearch.signals import ENDING, Interrupts, deferred, interruptible


@pytest.fixture
def handle():
    """Sets handlers, and restores those of the tests."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield signal.signal
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_the_first_signal_is_a_request_and_the_second_one_an_interrupt(number):
    before = signal.getsignal(number)
    with Interrupts() as interrupts:
        assert not interrupts.requested
        signal.raise_signal(number)
        assert interrupts.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", ENDING)
def test_outside_of_that_a_signal_interrupts_at_once(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_one_level_within_another_has_the_signals(handle):
    with interruptible():
        with Interrupts() as outer, Interrupts() as inner:
            signal.raise_signal(signal.SIGUSR1)
            assert (outer.requested, inner.requested) == (False, True)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR1)


@pytest.mark.parametrize("number", ENDING)
def test_what_is_ignored_at_the_start_stays_ignored(number, handle):
    handle(number, signal.SIG_IGN)
    with interruptible(), Interrupts() as interrupts:
        signal.raise_signal(number)
        assert not interrupts.requested
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_handler_of_the_callers_keeps_its_signal_unless_that_always_ends_a_process(handle):
    seen = []
    for number in ENDING:
        handle(number, lambda number, frame: seen.append(number))
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGUSR2)  # a program of the user's may checkpoint there
        assert (seen, interrupts.requested) == ([signal.SIGUSR2], False)
        signal.raise_signal(signal.SIGTERM)  # Ray takes this one
        assert interrupts.requested


def test_a_signal_is_kept_until_the_end_of_a_block():
    done = []

    def block():
        with deferred():
            signal.raise_signal(signal.SIGTERM)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done


def test_a_thread_has_no_handlers():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def use():
        with Interrupts():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert found == [before]
