"""Something that is done again and again while a test does something else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def often(do: Callable[[], None], pause: float) -> Iterator[None]:
    """Do it in a thread, so many seconds apart, as long as the block lasts."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(pause):
            do()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
