"""Runs the Dockerfile without a container engine: step by step in a clean root directory, then the image itself.

    python -m tests.deploy.rehearse BASE        # as root; BASE is a Debian root made by
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm BASE

What it cannot show: the base image's own layers (python:3.11-slim is the same Debian with the same Python line), layer
caching, and how an engine isolates. What it shows: every step works on a bare Debian, the result starts as the user of
the image on a read-only root and answers its health check.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Names that pip and apt may need to reach an index from here.
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "http_proxy", "https_proxy", "no_proxy")
# How this machine finds names and whom it trusts: an engine has its own way to give it.
NETWORK = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
MOUNTS = ("/proc", "/dev")
STARTED_WITHIN = 60
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its lines joined."""

    kind: str
    text: str


def instructions(dockerfile: str) -> list[Instruction]:
    """All of them in their order, without comments."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines()]


def ignored(path: str, rules: str) -> bool:
    """Whether a .dockerignore keeps that path from the build: the last rule that fits it or a parent decides."""
    parents = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
    found = False
    for rule in (line for line in rules.splitlines() if line and not line.startswith("#")):
        pattern = rule.removeprefix("!").removeprefix("**/")
        inside = rule.startswith("**/")
        if any(fnmatch.fnmatch(Path(one).name if inside else one, pattern) for one in parents):
            found = not rule.startswith("!")
    return found


@dataclass
class Stage:
    """A root directory under construction."""

    root: Path
    folder: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"

    def inside(self, path: str) -> Path:
        return self.root / str(Path(self.folder) / path).lstrip("/")


class Build:
    """The stages of a Dockerfile, each on its own copy of the base."""

    def __init__(self, base: Path, work: Path) -> None:
        self._base, self._work = base, work
        self._stages: dict[str, Stage] = {}
        self.command: list[str] = []
        self.health: list[str] = []

    def run(self) -> Stage:
        for one in instructions((ROOT / "Dockerfile").read_text()):
            began = time.monotonic()
            getattr(self, f"_{one.kind.lower()}", self._nothing)(one.text)
            sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {one.kind} {one.text[:90]}\n")
            sys.stdout.flush()
        return self._stage

    @property
    def _stage(self) -> Stage:
        return list(self._stages.values())[-1]

    def _nothing(self, text: str) -> None:
        """EXPOSE, VOLUME and STOPSIGNAL tell an engine something and change no file."""

    def _from(self, text: str) -> None:
        words = text.split()
        name = words[2] if len(words) == 3 else f"stage{len(self._stages)}"
        root = self._work / name
        subprocess.run(["cp", "-a", str(self._base), str(root)], check=True)
        for shared in NETWORK:
            shutil.copy(shared, f"{root}{shared}")
        self._stages[name] = Stage(root)

    def _arg(self, text: str) -> None:
        name, _, value = text.partition("=")
        self._stage.variables[name] = value

    def _env(self, text: str) -> None:
        self._stage.variables.update(word.split("=", 1) for word in text.split())

    def _workdir(self, text: str) -> None:
        self._stage.folder = text
        self._stage.inside(".").mkdir(parents=True, exist_ok=True)

    def _user(self, text: str) -> None:
        self._stage.user = text

    def _copy(self, text: str) -> None:
        words = text.split()
        if words[0].startswith("--from="):
            source = self._stages[words[0].removeprefix("--from=")].root / words[1].lstrip("/")
            shutil.copytree(source, self._stage.inside(words[2]), symlinks=True, dirs_exist_ok=True)
            return
        rules = (ROOT / ".dockerignore").read_text()
        for source in words[:-1]:
            self._copy_in(ROOT / source, words[-1], rules)

    def _copy_in(self, source: Path, target: str, rules: str) -> None:
        def left_out(folder: str, names: list[str]) -> list[str]:
            return [name for name in names if ignored(str((Path(folder) / name).relative_to(ROOT)), rules)]

        place = self._stage.inside(target)
        if source.is_dir():
            shutil.copytree(source, place, ignore=left_out, dirs_exist_ok=True)
        else:
            place = place / source.name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)

    def _run(self, text: str) -> None:
        with mounted(self._stage.root):
            enter(self._stage, ["/bin/sh", "-c", text]).check_returncode()

    def _cmd(self, text: str) -> None:
        self.command = json.loads(text)

    def _healthcheck(self, text: str) -> None:
        self.health = json.loads(text[text.index("CMD") + 3 :])


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """/proc and /dev, as every container has them."""
    for place in MOUNTS:
        subprocess.run(["mount", "--rbind", place, f"{root}{place}"], check=True)
        subprocess.run(["mount", "--make-rslave", f"{root}{place}"], check=True)
    try:
        yield
    finally:
        for place in MOUNTS:
            subprocess.run(["umount", "--recursive", "--lazy", f"{root}{place}"], check=True)


def entering(stage: Stage, command: list[str]) -> list[str]:
    """The command line that runs a command in the stage as its user."""
    user, group = stage.user.split(":")
    within = f'cd "{stage.folder}" && exec "$@"'
    return [CHROOT, f"--userspec={user}:{group}", str(stage.root), "/bin/sh", "-c", within, "sh", *command]


def environment(stage: Stage, **more: str) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    usual = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "PIP_CERT": NETWORK[1]}
    return {**usual, **passed_on, **stage.variables, **more}


def enter(stage: Stage, command: list[str], **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(entering(stage, command), env=environment(stage, **more), check=False)


def try_out(stage: Stage, build: Build) -> None:
    """Start it as an engine would with `--read-only --tmpfs /tmp` and a volume, and ask its health check."""
    volume, scratch = tempfile.mkdtemp(), tempfile.mkdtemp()
    os.chown(volume, *(int(part) for part in stage.user.split(":")))
    os.chmod(scratch, 0o1777)
    keys = {"SECRET_KEY": "k" * 60, "FERNET_KEYS": "f" * 40, "SITE_URL": "http://portal.example.com"}
    with mounted(stage.root), read_only(stage, volume, scratch):
        enter(stage, ["python", "manage.py", "migrate", "--verbosity", "0"], **keys).check_returncode()
        denied = enter(stage, ["touch", "/app/written"], **keys).returncode
        began = time.monotonic()
        with subprocess.Popen(entering(stage, build.command), env=environment(stage, **keys)) as web:
            while enter(stage, build.health, **keys).returncode:
                if time.monotonic() - began > STARTED_WITHIN or web.poll() is not None:
                    web.kill()
                    raise SystemExit("It does not become healthy.")
                time.sleep(0.5)  # it is another process: all there is to do is to ask
            sys.stdout.write(f"healthy after {time.monotonic() - began:.1f} s; the root is read-only: {denied != 0}\n")
            web.terminate()
            code = web.wait(45)
    sys.stdout.write(f"ended with {code} on SIGTERM\n")


@contextmanager
def read_only(stage: Stage, volume: str, scratch: str) -> Iterator[None]:
    root = str(stage.root)
    subprocess.run(["mount", "--bind", root, root], check=True)
    subprocess.run(["mount", "--bind", volume, f"{root}/app/var"], check=True)
    subprocess.run(["mount", "--bind", scratch, f"{root}/tmp"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
    try:
        yield
    finally:
        for place in (f"{root}/tmp", f"{root}/app/var", root):
            subprocess.run(["umount", "--lazy", place], check=True)


def size_of(*paths: Path) -> float:
    listed = subprocess.run(["du", "-s", "-B1", "-c", *map(str, paths)], check=True, capture_output=True, text=True)
    return int(listed.stdout.split()[-2]) / 2**20


def main(base: str) -> int:
    work = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    try:
        build = Build(Path(base), work)
        stage = build.run()
        sys.stdout.write(f"/venv {size_of(stage.root / 'venv'):.0f} MiB, /app {size_of(stage.root / 'app'):.0f} MiB, ")
        sys.stdout.write(f"all {size_of(stage.root):.0f} MiB of which the base {size_of(Path(base)):.0f} MiB\n")
        try_out(stage, build)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
