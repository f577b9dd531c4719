"""The `samhost` command: up, down, status, logs, export, reset."""

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from samhost.definitions import FORMATS, missing_parts, read_definition
from samhost.deployment import engine_client
from samhost.ecs.service import service_rows
from samhost.errors import AlreadyRunningError, NotRunningError, SamhostError
from samhost.settings import Settings, machine_architecture
from samhost.system import holder, up

STOP_SECONDS = 60


def main(arguments: list[str] | None = None) -> None:
    """Run the command; exits with 0, which a Ctrl-C of a running `up` is, too, and with 1 where something failed."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except SamhostError as error:
        sys.exit(f"samhost: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    # No abbreviations: `up --detach` starts itself again without that very option.
    parser = argparse.ArgumentParser(
        prog="samhost", description="Hosts a SAM template on this machine.", allow_abbrev=False
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], None], what: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(
            name,
            help=what,
            description=what,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
        )
        added.add_argument("--data-dir", type=Path, default=Path(".samhost"), help="where all its data lives")
        added.set_defaults(run=run)
        return added

    up = verb("up", _up, "build, deploy and serve a template")
    up.add_argument("--template", type=Path, default=Path("template.yaml"), help="the SAM template")
    up.add_argument("--detach", action="store_true", help="come back when it is ready, and leave it running")
    up.add_argument("--api-port", type=int, default=3000, help="port of the first API; further ones follow")
    up.add_argument("--engine-port", type=int, default=4566, help="port of the AWS endpoint")
    up.add_argument("--textract-port", type=int, default=4567, help="port of the Textract endpoint")
    up.add_argument(
        "--container-address",
        metavar="ADDRESS",
        help="answer AWS calls on this address, too: Docker's bridge (on Linux 172.17.0.1), for `sam local`",
    )
    up.add_argument(
        "--sam-local-variable",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what sam-local.json in the data directory tells functions besides",
    )
    up.add_argument(
        "--parameter-overrides",
        action="extend",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="parameters of the template, as `sam deploy` takes them",
    )

    up.add_argument(
        "--containers",
        type=Path,
        metavar="FOLDER",
        help="where the images of ECS services are, each a folder with its Dockerfile (default: containers beside the "
        "template); they are built from what this folder lies in",
    )
    up.add_argument("--max-tasks", type=_positive, metavar="N", help="run no more tasks of an ECS service")

    verb("down", _down, "stop it; the data stays")
    verb("status", _status, "what runs, and where")
    logs = verb("logs", _logs, "what it said")
    logs.add_argument(
        "name",
        nargs="?",
        help="engine, gateway, load-balancers, textract, sam-build, sam-deploy, functions, or an ECS service",
    )
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is said")
    export = verb("export", _export, "write an API's OpenAPI document, ready to be imported, to the standard output")
    export.add_argument("name", help="the API, as `status` calls it")
    export.add_argument("--format", choices=FORMATS, default="json", help="what it is written in")
    reset = verb("reset", _reset, "delete all its data, and the build")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    template = options.template.resolve()
    parameters = _pairs("--parameter-overrides", map(_short, options.parameter_overrides))
    if not template.is_file():
        raise SamhostError(f"{template} is not there. Name a SAM template with --template.")
    # By convention a parameter of this name is the functions' processor, and locally that is the machine's own.
    if "\n  Architecture:" in template.read_text():
        parameters.setdefault("Architecture", machine_architecture())
    return Settings(
        template=template,
        data_dir=options.data_dir.resolve(),
        api_port=options.api_port,
        engine_port=options.engine_port,
        textract_port=options.textract_port,
        parameters=parameters,
        container_address=_container_address(options.container_address),
        max_tasks=options.max_tasks,
        containers_dir=options.containers.resolve() if options.containers else None,
        sam_local_variables=_pairs("--sam-local-variable", options.sam_local_variable),
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _container_address(given: str | None) -> str | None:
    """An address of this machine that is not every address: whoever reaches it is the engine's root."""
    try:
        if given is None or not ipaddress.ip_address(given).is_unspecified:
            return given
    except ValueError:
        pass
    raise SamhostError(f"--container-address takes one IP address of this machine, not {given}.")


def _short(override: str) -> str:
    """KEY=VALUE from the long form that `sam` takes, too."""
    long = re.fullmatch(r"ParameterKey=(\w+),ParameterValue=(.*)", override, re.DOTALL)
    return f"{long[1]}={long[2]}" if long else override


def _pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SamhostError(f"{option} takes KEY=VALUE, not {pair!r}.")
        pairs[key] = value
    return pairs


def _up(options: argparse.Namespace) -> None:
    settings = _settings(options)
    if options.detach:
        _up_detached(settings)
    else:
        asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    task = asyncio.create_task(up(settings))
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _up_detached(settings: Settings) -> None:
    """Start `up` as a process of its own, and show what it says until it is ready."""
    if (pid := holder(settings.data_dir)) is not None:
        raise AlreadyRunningError(settings.data_dir, pid)
    settings.make_folders()
    log = settings.logs_dir / "samhost.log"
    with log.open("wb") as output:
        arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "samhost", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    with log.open(errors="replace") as said:
        try:
            while process.poll() is None and not _is_ready(settings.data_dir, process.pid):
                print(said.read(), end="", flush=True)
                time.sleep(0.1)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        print(said.read(), end="", flush=True)
    if process.returncode is not None:
        sys.exit(process.returncode or 1)


def _is_ready(data_dir: Path, pid: int) -> bool:
    addresses = _addresses(data_dir)
    return addresses is not None and addresses["pid"] == pid


def _addresses(data_dir: Path) -> dict | None:
    return _read(data_dir / "addresses.json")


def _read(file: Path) -> dict | None:
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return None


def _down(options: argparse.Namespace) -> None:
    pid = holder(options.data_dir)
    if pid is None:
        raise NotRunningError(options.data_dir.resolve())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while holder(options.data_dir) == pid:
        if time.monotonic() > deadline:
            raise SamhostError(f"Process {pid} did not stop within {STOP_SECONDS} s.")
        time.sleep(0.05)
    print("Stopped. The data is kept.")


def _status(options: argparse.Namespace) -> None:
    pid = holder(options.data_dir)
    if pid is None:
        raise NotRunningError(options.data_dir.resolve())
    addresses = _addresses(options.data_dir)
    if addresses is None:
        print(f"Starting (process {pid}).")
        return
    print(f"Running (process {pid}).")
    rows = [*addresses["apis"].items(), *addresses["loadBalancers"].items()]
    rows += service_rows(_read(options.data_dir / "services.json") or {})
    rows += [("AWS endpoint", addresses["engine"]), ("Textract", addresses["textract"])]
    width = max(14, *(len(name) for name, _ in rows))
    for name, url in rows:
        if url:
            print(f"  {name:<{width}} {url}")


def _logs(options: argparse.Namespace) -> None:
    if options.name == "functions":
        _function_logs(options)
        return
    folder = options.data_dir / "logs"
    files = sorted(folder.rglob("*.log")) if options.name is None else [folder / f"{options.name}.log"]
    if not files or not all(file.exists() for file in files):
        names = ", ".join(str(file.relative_to(folder).with_suffix("")) for file in sorted(folder.rglob("*.log")))
        raise SamhostError(f"There is no such log. There are: functions{', ' + names if names else ''}.")
    command = ["tail", "-n", "100", *(["-F"] if options.follow else []), *files]
    sys.exit(subprocess.run(command, check=False).returncode)


def _function_logs(options: argparse.Namespace) -> None:
    """Print what the functions logged, from the log groups in the engine."""
    addresses = _addresses(options.data_dir)
    if addresses is None:
        raise NotRunningError(options.data_dir.resolve())
    settings = Settings(Path(), options.data_dir, engine_port=int(addresses["engine"].rsplit(":", 1)[1]))
    logs = engine_client(settings, "logs")
    printed: dict[tuple[str, str], int] = {}
    while True:
        for stream, events in _log_streams(logs):
            for event in events[printed.get(stream, 0) :]:
                print(event["message"].rstrip(), flush=True)
            printed[stream] = len(events)
        if not options.follow:
            return
        time.sleep(1)


def _log_streams(logs) -> Iterator[tuple[tuple[str, str], list[dict]]]:
    """Each log stream's name and its events, the streams in the order of their creation."""
    streams = [
        (stream["creationTime"], group["logGroupName"], stream["logStreamName"])
        for groups in logs.get_paginator("describe_log_groups").paginate()
        for group in groups["logGroups"]
        for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group["logGroupName"])
        for stream in page["logStreams"]
    ]
    for _, group, stream in sorted(streams):
        yield (
            (group, stream),
            logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"],
        )


def _export(options: argparse.Namespace) -> None:
    data_dir = options.data_dir.resolve()
    if _addresses(data_dir) is None:
        raise NotRunningError(data_dir)
    document = read_definition(Settings(Path(), data_dir).gateway_file, options.name)
    for missing in missing_parts(document):
        print(f"Not served here, and not in the document: {missing}", file=sys.stderr)
    sys.stdout.buffer.write(FORMATS[options.format](document).encode())


def _reset(options: argparse.Namespace) -> None:
    data_dir = options.data_dir.resolve()
    if holder(data_dir) is not None:
        raise SamhostError("It is running. Stop it with `down` first.")
    if not data_dir.exists():
        print("There is nothing to delete.")
        return
    if not (data_dir / "lock").exists():
        raise SamhostError(f"{data_dir} was not made by `up`: nothing is deleted there.")
    if not options.yes and input(f"Delete everything in {data_dir}? [y/N] ").strip().lower() not in {"y", "yes"}:
        print("Nothing was deleted.")
        return
    shutil.rmtree(data_dir)
    print("Deleted.")
