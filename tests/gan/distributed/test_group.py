import pytest

from gansearch.gan.distributed.group import Group, Meeting, Parted


@pytest.mark.parametrize(("n", "size"), [(16, 2), (15, 2), (7, 3), (4, 4)])
def test_the_parts_of_a_batch_are_all_of_it(n, size):
    group = Group.__new__(Group)
    group.size = size
    parts = []
    for group.rank in range(size):
        part = group.part(n)
        parts.append(len(range(n)[part]))
        assert part.start == sum(parts[:-1])
    assert sum(parts) == n
    assert max(parts) - min(parts) <= 1


def test_a_meeting_that_is_gone_parts_its_processes(monkeypatch):
    monkeypatch.setattr("gansearch.gan.distributed.group._CONNECT_SECONDS", 0.2)
    meeting, store = Meeting.call("127.0.0.1", 2)
    assert (meeting.size, meeting.port > 0) == (2, True)
    del store
    with pytest.raises(Parted):
        meeting.store()
