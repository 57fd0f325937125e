"""The built-in tasks. A new one is a class in a file of its own and a line in `BUILT_IN`."""

from gansearch.gan.task import Task
from gansearch.gan.tasks.audio import Audio
from gansearch.gan.tasks.digits import Digits
from gansearch.gan.tasks.images import Images
from gansearch.gan.tasks.mixtures import Grid, Ring
from gansearch.gan.tasks.pix2pix import Pix2pix
from gansearch.gan.tasks.points import Points
from gansearch.gan.tasks.prose import Prose
from gansearch.gan.tasks.table import Table

BUILT_IN: dict[str, type[Task]] = {
    "audio": Audio,
    "digits": Digits,
    "grid": Grid,
    "images": Images,
    "pix2pix": Pix2pix,
    "points": Points,
    "prose": Prose,
    "ring": Ring,
    "table": Table,
}
