"""What an interrupt says is kept, and that it names the folder from which it goes on."""

import pytest

from gansearch.interrupts import Interrupted, InterruptMessage
from gansearch.store.folder import Folder


def interrupted(folder, error, finished=False):
    with InterruptMessage(folder) as message:
        message.finished = finished
        raise error


def test_an_interrupt_gets_the_message_of_what_is_there(folder, tmp_path):
    with pytest.raises(KeyboardInterrupt, match="nothing was written"):
        interrupted(Folder(tmp_path / "none"), KeyboardInterrupt)
    with pytest.raises(Interrupted, match="the finished trials are in"):
        interrupted(folder, KeyboardInterrupt)
    with pytest.raises(Interrupted, match="the sweep is finished, but its report may be missing in"):
        interrupted(folder, KeyboardInterrupt, finished=True)
    with pytest.raises(Interrupted, match="seeds are in"):
        interrupted(folder, Interrupted(folder.path, "seeds are"))
