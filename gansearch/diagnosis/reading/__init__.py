"""Reading logs of others' runs, whatever printed them."""

from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.reading.read import read_log
from gansearch.diagnosis.reading.reader import LogReader

__all__ = ["LogError", "LogReader", "read_log"]
