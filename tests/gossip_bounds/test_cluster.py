"""``--scheduler``: the bits of a local run, workers that die, and one line for every cluster that cannot be used."""

from __future__ import annotations

import operator
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import verify.cluster as clusters
import verify.worker as workers
from bounds.errors import ClusterError
from empirical.memory import limit_memory, machine_memory
from empirical.store import Store
from gossip_bounds.main import run
from verify.cluster import Cluster, connect
from verify.plan import Task, execute

distributed = pytest.importorskip("distributed")

_LIMIT = 8 << 30

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def started(count: int = 1, **options: Any) -> Any:
    """A cluster whose workers are threads of this process: quick to start, but they share everything."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "protocol": "tcp://", "host": "127.0.0.1"} | options
    return distributed.LocalCluster(n_workers=count, **options)


@contextmanager
def worker_processes(address: str, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers as an administrator starts them, in processes of their own that nobody restarts."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--dashboard-address", ":0"]
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def near() -> Iterator[str]:
    """A cluster of one worker, which is a thread of this process: quick to start."""
    with started(memory_limit=_LIMIT) as cluster:
        yield cluster.scheduler_address
    limit_memory(None)


@pytest.fixture
def sweep(tmp_path: Path, sweep_text: str) -> Path:
    (tmp_path / "e.toml").write_text(sweep_text)
    return tmp_path / "e.toml"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.nc")}


def locally(sweep: Path, folder: Path) -> dict[str, bytes]:
    assert run(["measure", str(sweep), "--out", str(folder), "--jobs", "1"]) == 0
    return contents(folder)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run([*arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return captured.err


def test_two_workers_one_of_which_is_killed_give_the_bits_of_one_job(
    sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = locally(sweep, tmp_path / "one")
    kept: list[str] = []
    put = Store.put

    with started(0) as cluster, worker_processes(cluster.scheduler_address, 2) as processes:
        with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

        def kill_one(self: Store, *arguments: Any) -> str:
            if not kept:
                processes[0].kill()
            kept.append(put(self, *arguments))
            return kept[-1]

        monkeypatch.setattr(Store, "put", kill_one)
        out = tmp_path / "two"
        assert run(["measure", str(sweep), "--out", str(out), "--scheduler", cluster.scheduler_address]) == 0
        assert processes[0].wait() == -signal.SIGKILL
        assert processes[1].poll() is None
    assert capsys.readouterr().out.endswith(f"4 computed, 0 reused, in {out}\n")
    assert contents(out) == expected
    assert sorted(f"{key}.nc" for key in kept) == sorted(expected)


@pytest.mark.slow
def test_what_is_there_is_not_run_again(near: str, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = locally(sweep, tmp_path)
    for lost in sorted(expected)[:2]:
        (tmp_path / lost).unlink()
    capsys.readouterr()
    assert run(["measure", str(sweep), "--out", str(tmp_path), "--scheduler", near, "--memory", "2GiB"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (f"2 computed, 2 reused, in {tmp_path}\n", "")
    assert contents(tmp_path) == expected


@pytest.mark.slow
def test_a_diverging_configuration_is_one_line(near: str, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep.write_text(sweep.read_text().replace("eta = 0.1\n", "").replace("[sweep]", "[sweep]\neta = [1e308, 0.1]"))
    assert run(["measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", near]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("4 computed, 0 reused")
    assert "4 of 8 configurations have no values and no file; the first, at eta=1e+308, m=4, topology=ring" in captured.err
    assert len(contents(tmp_path / "out")) == 4


@pytest.mark.slow
def test_a_verification_has_the_same_rows(near: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for place in (["--jobs", "1"], ["--jobs", "1", "--scheduler", near]):
        out = tmp_path / str(len(found))
        assert run(["verify", "core-atc-minibatch", "--quick", "--out", str(out), *place]) == 0
        found.append((out / "results.json").read_bytes())
    assert found[0] == found[1]


def test_tasks_run_there_and_are_kept_here(near: str) -> None:
    tasks = [Task(operator.mul, (i, i)) for i in range(20)]
    seen: list[tuple[int, int]] = []
    with connect(near, "cpu") as cluster:
        assert cluster.device == "cpu"
        assert execute(tasks, 1, lambda *done: seen.append(done), pool=cluster) == {task: task.arguments[0] ** 2 for task in tasks}
        with pytest.raises(ZeroDivisionError):
            execute([Task(operator.truediv, (1, 0)), *tasks], 1, pool=cluster)
        # An error leaves the cluster usable.
        assert execute(tasks[:1], 1, pool=cluster) == {tasks[0]: 0}
    assert [done for done, _ in seen] == list(range(1, 21))


def test_more_calls_than_are_handed_over_at_a_time(near: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_IN_FLIGHT", 3)
    found: list[int] = []
    with connect(near) as cluster:
        cluster.run({i: Task(operator.neg, (i,)).run for i in range(10)}, lambda key, result: found.append(key + result))
    assert found == [0] * 10


def _memory() -> int:
    return machine_memory()


def test_a_worker_counts_its_own_memory_limit(near: str) -> None:
    limit_memory(None)
    task = Task(_memory, ())
    with connect(near) as cluster:
        assert execute([task], pool=cluster) == {task: min(_LIMIT, machine_memory())}


def test_ctrl_c_cancels_what_is_left_and_leaves_the_cluster_alive(near: str) -> None:
    def stop(key: Any, result: Any) -> None:
        raise KeyboardInterrupt

    with connect(near) as cluster:
        with pytest.raises(KeyboardInterrupt):
            cluster.run({i: Task(operator.neg, (i,)).run for i in range(50)}, stop)
        assert not cluster._client.futures
    with connect(near) as again:
        assert execute([Task(operator.add, (1, 1))], pool=again) == {Task(operator.add, (1, 1)): 2}


class _Pretended:
    """A scheduler's client. ``killing``: calls of even number end their workers; ``gone``: their futures are lost with the scheduler."""

    status = "running"

    def __init__(self, killing: bool = True, gone: bool = False) -> None:
        self.killing, self.gone, self.cancelled = killing, gone, 0
        self.submitted: list[dict[str, Any]] = []

    def submit(self, function: Any, expected: Any, call: Any, *, key: str, **options: Any) -> _Future:
        assert function is workers.call_here
        self.submitted.append(options)
        wrong: type[BaseException] | None = None
        if int(key.rpartition("-")[2]) % 2 == 0:
            wrong = CancelledError if self.gone else distributed.scheduler.KilledWorker if self.killing else None
        return _Future(call, wrong)

    def cancel(self, futures: list[Any], force: bool) -> None:
        self.cancelled += len(futures)


class _Future:
    def __init__(self, call: Any, wrong: type[BaseException] | None) -> None:
        self.call, self.wrong = call, wrong
        self.told: Any = None

    def add_done_callback(self, told: Any) -> None:
        told(self)

    def result(self) -> Any:
        if self.wrong is not None:
            raise self.wrong("call", None, 3)
        return self.call()

    def release(self) -> None:
        pass


def test_a_call_that_ends_every_worker_does_not_keep_the_others_from_being_run() -> None:
    found: list[int] = []
    cluster = Cluster(_Pretended(), "here", "cpu", workers.Facts((), ()))
    with pytest.raises(ClusterError, match="3 of 5 configurations each ended every worker"):
        cluster.run({i: Task(operator.neg, (i,)).run for i in range(5)}, lambda key, result: found.append(result))
    assert found == [-1, -3]


def test_lost_calls_are_one_line_and_the_others_are_cancelled() -> None:
    client = _Pretended(gone=True)
    with pytest.raises(ClusterError, match="the scheduler at 'here' went away; what was finished is kept"):
        Cluster(client, "here", "cpu", workers.Facts((), ())).run({i: Task(operator.neg, (i,)).run for i in range(5)}, lambda *found: None)
    assert client.cancelled == 4


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_one_line(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(clusters, "_LOOK_SECONDS", 0.1)
    put = Store.put
    with started() as local:

        def close(self: Store, *arguments: Any) -> str:
            local.close(timeout=5)
            return put(self, *arguments)

        monkeypatch.setattr(Store, "put", close)
        sweep.write_text(sweep.read_text().replace("[4, 5]", str(list(range(4, 24)))))
        said = refused(capsys, "measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", local.scheduler_address)
    assert "went away; what was finished is kept" in said
    assert contents(tmp_path / "out")


def test_another_version_on_a_worker_is_refused(near: str, sweep: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    given = ["measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", near]
    true = workers.own_facts()
    for name in ("gossip-bounds", "torch", "file format", "source of gossip-bounds"):
        monkeypatch.setattr(workers.Facts, "here", classmethod(lambda cls, name=name: cls(tuple((true | {name: "0.0"}).items()), ())))
        said = refused(capsys, *given)
        assert f"has {name} {true[name]}, but 0.0 is here; install the same on both" in said
    assert not (tmp_path / "out").exists()


def test_a_worker_that_joins_later_is_held_to_the_same(near: str) -> None:
    with connect(near) as cluster:
        cluster._expected = workers.Facts((("torch", "0.0"),), ())
        with pytest.raises(ClusterError, match=r"but 0\.0 is here"):
            execute([Task(operator.add, (1, 2))], pool=cluster)


def test_other_data_on_a_worker_are_refused(near: str, sweep: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    import gossip_bounds.measuring as measuring

    monkeypatch.setattr(measuring, "measured", lambda *arguments: ("another key", []))
    assert "on other data than are here" in refused(capsys, "measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", near)
    assert not contents(tmp_path / "out")


def test_a_cluster_without_workers(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(clusters, "_WORKER_SECONDS", 0.1)
    with started(count=0) as local:
        said = refused(capsys, "measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", local.scheduler_address)
    assert "has no workers after 0.1 s; start them with: dask worker" in said


@pytest.mark.parametrize("address", ["127.0.0.1:1", "", "nothing://here:1", "127.0.0.1:99999"])
def test_no_scheduler_there(address: str, sweep: Path, tmp_path: Path, capsys: Any) -> None:
    said = refused(capsys, "measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", address)
    assert f"no scheduler answers at {address!r}" in said
    assert "start one with: dask scheduler" in said


def test_something_else_listens_there(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(clusters, "_CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert "no scheduler answers" in refused(capsys, "measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", address)


def test_gpu_runs_need_a_worker_that_offers_one(near: str, sweep: Path, tmp_path: Path, capsys: Any) -> None:
    given = ["measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", near, "--device"]
    assert "no worker of" in refused(capsys, *given, "cuda")
    assert "unknown device 'tpu'" in refused(capsys, *given, "tpu")


def test_no_library_is_one_line(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = refused(capsys, "measure", str(sweep), "--out", str(tmp_path / "out"), "--scheduler", "127.0.0.1:8786")
    assert "pip install 'gossip-bounds[cluster]'" in said


def test_workers_with_several_threads_are_refused() -> None:
    facts = workers.own_facts(SimpleNamespace(state=SimpleNamespace(nthreads=2)))
    with pytest.raises(ClusterError, match=r"worker tcp://there runs 2 calls at a time, .*--nthreads 1"):
        workers.Facts.here().refuse(facts, "tcp://there")


def test_gpu_calls_go_to_workers_that_offer_one(near: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_workers", lambda client: {"plain": {}, "fast": {"resources": {"GPU": 1}}})
    for asked, chosen in (("auto", "cuda"), ("cuda", "cuda"), ("cpu", "cpu")):
        with connect(near, asked) as cluster:
            assert cluster.device == chosen
    for device, resources in (("cuda", {"GPU": 1}), ("cpu", None)):
        client = _Pretended(killing=False)
        Cluster(client, "here", device, workers.Facts((), ())).run({1: Task(operator.neg, (1,)).run}, lambda key, result: None)
        assert [options["resources"] for options in client.submitted] == [resources]


def test_without_any_worker_left_it_says_so_once_and_waits(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_LOOK_SECONDS", 0.01)
    looks: list[int] = []

    class Waiting(_Pretended):
        def submit(self, *given: Any, **options: Any) -> _Future:
            self.future = super().submit(*given, **options)
            return self.future

        def scheduler_info(self, n_workers: int) -> dict[str, Any]:
            looks.append(n_workers)
            if len(looks) == 4:
                self.future.told(self.future)
            return {"workers": {"back": {}} if len(looks) == 4 else {}}

    monkeypatch.setattr(_Future, "add_done_callback", lambda self, told: setattr(self, "told", told))
    found: list[int] = []
    Cluster(Waiting(killing=False), "here", "cpu", workers.Facts((), ())).run(
        {1: Task(operator.neg, (1,)).run}, lambda key, result: found.append(result)
    )
    assert found == [-1]
    assert capsys.readouterr().err == "gossip-bounds: no worker is left at here; waiting for one (Ctrl-C keeps what was finished)\n"
