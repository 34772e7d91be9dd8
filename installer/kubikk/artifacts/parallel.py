"""Obtains several components at a time, each under its lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from kubikk.artifacts.cache import Cache
from kubikk.artifacts.models import ArtifactFile, Origin, Wanted
from kubikk.artifacts.releases import lock_name
from kubikk.progress import Progress

Files = dict[str, ArtifactFile]


def obtain_each(
    wanted: Sequence[Wanted],
    one: Callable[[Wanted], Files],
    cancel: Callable[[], None],
    *,
    origin: Origin,
    cache: Cache,
    progress: Progress,
    at_a_time: int,
) -> dict[Wanted, Files]:
    """Calls ``one`` for everything wanted; when one fails, the others are cancelled and its error is raised.

    Args:
        wanted: what to obtain.
        one: obtains and records one component.
        cancel: makes all that run end soon.
        origin: under which ``one`` records.
        cache: has the locks, and what another run obtained while this one waited.
        progress: told about waiting.
        at_a_time: how many threads.
    """

    def locked(each: Wanted) -> Files:
        with cache.lock(lock_name(each), progress):
            return cache.lookup(each, origin) or one(each)

    with ThreadPoolExecutor(max_workers=at_a_time) as pool:
        futures = {each: pool.submit(locked, each) for each in wanted}
        try:
            done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            cancel()
            cache.give_up()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {each: future.result() for each, future in futures.items()}
