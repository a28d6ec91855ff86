"""Calls on a dask.distributed cluster that stands already: workers compute, this process alone keeps what they return."""

from __future__ import annotations

import logging
import socket
import sys
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from bounds.errors import ClusterError, DeviceError, unknown_name
from empirical.device import DEVICES
from verify.worker import Facts, call_here, own_facts

Key = TypeVar("Key")

_CONNECT_SECONDS = 5
_WORKER_SECONDS = 10
_LOOK_SECONDS = 5.0
#: Calls handed to the scheduler at a time: more than any cluster has workers, and few enough to be cancelled at once.
_IN_FLIGHT = 1000
_RESOURCE = "GPU"
_START = "start them with: dask worker ADDRESS --nthreads 1 --nworkers PROCESSES"


def _library() -> Any:
    try:
        import distributed
    except ImportError:
        raise ClusterError(
            "--scheduler needs dask.distributed, which is not installed; run: pip install 'gossip-bounds[cluster]'"
        ) from None
    return distributed


@contextmanager
def _silence() -> Iterator[None]:
    """What goes wrong is said in one line, by this module."""
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.partition(".")[0] == "distributed"]
    before = [one.disabled for one in loggers]
    for one in loggers:
        one.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")
            yield
    finally:
        for one, was in zip(loggers, before, strict=True):
            one.disabled = was


def _listens(address: str) -> None:
    """Fail at once where nobody listens: the library would go on trying until its time is over."""
    from distributed.comm import get_address_host_port, parse_address

    if parse_address(address)[0] in ("tcp", "tls"):
        socket.create_connection(get_address_host_port(address), timeout=_CONNECT_SECONDS).close()


def _client(address: str) -> Any:
    library = _library()
    client = library.Client.__new__(library.Client)
    outcome: SimpleQueue[BaseException | None] = SimpleQueue()

    def make() -> None:
        try:
            _listens(address)
            client.__init__(address, timeout=_CONNECT_SECONDS, set_as_default=False)
            outcome.put(None)
        except BaseException as error:
            outcome.put(error)

    # In a thread that may be left behind: of something that listens and is no scheduler the library waits for ever.
    Thread(target=make, daemon=True).start()
    try:
        error = outcome.get(timeout=2 * _CONNECT_SECONDS)
    except Empty:
        error = TimeoutError("something listens there and does not answer as a scheduler does")
    if error is None:
        return client
    # Left as it is, it would wait for ten seconds at the end of its life and print a traceback.
    client.status = "closed"
    reason = (str(error) or type(error).__name__).splitlines()[0]
    raise ClusterError(f"no scheduler answers at {address!r} ({reason}); start one with: dask scheduler, and give the address it prints")


def _workers(client: Any) -> dict[str, dict[str, Any]]:
    """What the scheduler knows of each worker, by address."""
    return dict(client.scheduler_info(n_workers=-1)["workers"])


def _gpus(workers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [address for address, worker in workers.items() if worker.get("resources", {}).get(_RESOURCE, 0) >= 1]


def _device(asked: str, workers: Mapping[str, Mapping[str, Any]], address: str) -> str:
    """The one device of all calls: the numbers, and the keys they are kept under, depend on it."""
    if asked not in DEVICES:
        raise unknown_name("device", asked, DEVICES)
    if asked == "cuda" and not _gpus(workers):
        raise DeviceError(
            f"got device 'cuda' but no worker of {address!r} offers the resource {_RESOURCE}; start GPU workers with: "
            f"dask worker ADDRESS --nthreads 1 --resources '{_RESOURCE}=1', or use 'cpu'"
        )
    return "cuda" if _gpus(workers) and asked != "cpu" else "cpu"


def _vet(client: Any, expected: Facts) -> None:
    """Refuse a cluster one of whose workers would give other numbers than this process.

    Raises:
        ClusterError: naming the worker.
    """
    found = client.run(own_facts, on_error="return")
    for worker, facts in found.items():
        if isinstance(facts, BaseException):
            said = " ".join(str(facts).split())
            raise ClusterError(
                f"worker {worker} cannot run gossip-bounds ({type(facts).__name__}: {said}); install the version {version('gossip-bounds')} there"
            )
        expected.refuse(facts, worker)


@contextmanager
def connect(address: str, device: str = "auto") -> Iterator[Cluster]:
    """The cluster whose scheduler is at ``address``; it is left as it was found, whatever happens inside.

    ``device`` "auto" is "cuda" where a worker offers the resource GPU, else "cpu".

    Raises:
        ClusterError: when no scheduler answers, there is no worker, or one has another version or several threads.
        UnknownNameError, DeviceError: for a device that does not exist, or that no worker offers.
    """
    _library()
    expected = Facts.here()
    with _silence(), ExitStack() as stack:
        client = _client(address)
        stack.callback(client.close, timeout=_CONNECT_SECONDS)
        try:
            client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError:
            raise ClusterError(f"the cluster at {address!r} has no workers after {_WORKER_SECONDS} s; {_START}") from None
        chosen = _device(device, _workers(client), address)
        _vet(client, expected)
        yield Cluster(client, address, chosen, expected)


class Cluster:
    """A place that runs calls; see :func:`connect`.

    Args:
        device: "cpu" or "cuda"; with "cuda" every call takes one unit of the resource GPU of its worker.
        expected: what a worker must agree with; those that join later are held to it as well.
    """

    def __init__(self, client: Any, address: str, device: str, expected: Facts) -> None:
        self.address, self.device = address, device
        self._client, self._expected = client, expected

    def run(self, calls: Mapping[Key, Callable[[], Any]], finish: Callable[[Key, Any], None]) -> None:
        """Hand ``finish`` the result of each call once, in this thread, as it comes in.

        A call whose worker dies is run again on another one, until it has ended as many as the scheduler allows
        (``distributed.scheduler.allowed-failures``, 3); the others are run all the same. An error, Ctrl-C included, cancels
        what is left and leaves the cluster alive.

        Raises:
            ClusterError: when calls ended their workers, or the scheduler went away.
            Exception: the first one that a call, or ``finish``, raised.
        """
        _Round(self._client, self.address, self.device == "cuda", self._expected).run(calls, finish)


class _Round:
    """One use of a cluster: what waits, what is in flight, and what ended its workers."""

    def __init__(self, client: Any, address: str, on_gpu: bool, expected: Facts) -> None:
        self._client, self._address, self._expected = client, address, expected
        self._resources = {_RESOURCE: 1} if on_gpu else None
        self._pending: dict[Any, Any] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        # Another client of the same cluster may ask for the same call: it must not be handed our future, nor we its.
        self._name = f"gossip-bounds-{uuid.uuid4().hex}"
        self._warned = False

    def run(self, calls: Mapping[Key, Callable[[], Any]], finish: Callable[[Key, Any], None]) -> None:
        waiting, killed = deque(enumerate(calls.items())), 0
        try:
            while waiting or self._pending:
                while waiting and len(self._pending) < _IN_FLIGHT:
                    index, (key, call) = waiting.popleft()
                    self._submit(index, key, call)
                future = self._next()
                key = self._pending.pop(future)
                try:
                    result = self._result(future)
                except _library().scheduler.KilledWorker:
                    killed += 1
                    continue
                finally:
                    future.release()
                finish(key, result)
        finally:
            if self._pending:
                self._client.cancel(list(self._pending), force=True)
        if killed:
            raise ClusterError(
                f"{killed} of {len(calls)} configurations each ended every worker they were given to, perhaps for want of memory; "
                "what was finished is kept: give --memory, or workers with more, and run this again"
            )

    def _submit(self, index: int, key: Any, call: Callable[[], Any]) -> None:
        future = self._client.submit(
            call_here, self._expected, call, key=f"{self._name}-{index}", pure=False, resources=self._resources, priority=-index
        )
        self._pending[future] = key
        future.add_done_callback(self._done.put)

    def _next(self) -> Any:
        while True:
            try:
                return self._done.get(timeout=_LOOK_SECONDS)
            except Empty:
                self._look()

    def _look(self) -> None:
        """While nothing comes in: whether anything still can."""
        if self._client.status not in ("running", "connecting"):
            raise self._gone()
        try:
            workers = _workers(self._client)
        except OSError:
            return
        able = _gpus(workers) if self._resources else list(workers)
        if not able and not self._warned:
            print(f"gossip-bounds: no worker is left at {self._address}; waiting for one (Ctrl-C keeps what was finished)", file=sys.stderr)
        self._warned = not able

    def _result(self, future: Any) -> Any:
        from concurrent.futures import CancelledError

        try:
            return future.result()
        except CancelledError:
            raise self._gone() from None

    def _gone(self) -> ClusterError:
        return ClusterError(f"the scheduler at {self._address!r} went away; what was finished is kept: run this again")
