"""The local system, from nothing to ready: the sequence, and who runs beside whom."""

import asyncio
import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from botocore.exceptions import BotoCoreError, ClientError

from samhost.build import build
from samhost.containers import forwarded, write_environment
from samhost.deployment import Deployment, api_ports, deploy, stack_resources, unknown_types, write_gateway_config
from samhost.ecs.declarations import declarations
from samhost.ecs.scheduler import Scheduler
from samhost.ecs.service import service_rows
from samhost.engine import engine, save
from samhost.errors import AlreadyRunningError, EngineAwayError, PortTakenError, SamhostError, TemplateError
from samhost.gateway.api_types.rest_api import REST_API
from samhost.gateway.errors import ConfigurationError
from samhost.gateway.loading import load as load_api
from samhost.gateway.routing import DEFAULT
from samhost.load_balancers import LoadBalancers, find_load_balancers, listener_url, load_balancers
from samhost.local_template import LeftOut, LocalTemplate, derive
from samhost.processes import Child, Part, accepts_connections, is_free, keep_running
from samhost.settings import HOST, REGION, Settings
from samhost.users import ensure_demo_users

NAMED = 3  # of what is left out for the same reason


async def up(settings: Settings) -> None:
    """Start everything, say where it is, and keep it running until cancelled.

    Raises SamhostError where something cannot be started; whatever had been started is stopped then.
    """
    settings.make_folders()
    with _held(settings.data_dir):
        children: list[Part] = []
        try:
            await _start(settings, children)
        finally:
            settings.addresses_file.unlink(missing_ok=True)
            for child in reversed(children):
                with _step(f"Stopping {child.name}"):
                    await child.stop()


def holder(data_dir: Path) -> int | None:
    """The process id of the samhost that runs on a data directory; None where there is none."""
    lock = data_dir / "lock"
    if not lock.exists():
        return None
    with lock.open() as file:
        for _ in range(100):
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                if pid := file.read():
                    return int(pid)
                time.sleep(0.01)  # it has just taken the lock, and is about to write who it is
            else:
                return None
    raise SamhostError(f"{data_dir} is held by a process that does not say which it is.")


async def _start(settings: Settings, children: list[Part]) -> None:
    _check_port("engine", settings.engine_port, "--engine-port")
    textract = None
    if _calls_textract(settings):
        _check_port("Textract", settings.textract_port, "--textract-port")
        textract = _textract(settings)
        children.append(textract)
    loading = asyncio.create_task(textract.start()) if textract else None
    try:
        with _step("Starting the engine"):
            core = engine(settings)
            children.append(core)
            await core.start()
        with _step("Building (sam build)") as say:
            built = await build(settings)
            say("" if built.changed else "nothing has changed")
        local = _derive(settings, built.template)
        for name, port in api_ports(settings, local).items():
            _check_port(name, port, "--api-port")
        for note in built.notes:
            print(f"  {note}", flush=True)
        try:
            with _step("Deploying (sam deploy)") as say:
                deployment = await deploy(settings, local, built.template)
                say("" if deployment.changed else "nothing has changed")
        except SamhostError:
            _name_what_is_left_out(local.left_out)  # which may be why
            raise
        deployed = stack_resources(settings, "AWS::CloudFormation::Stack")
        _name_what_is_left_out(each for each in local.left_out if each.stack is None or each.stack in deployed)
        services = _services(settings, local, deployment)
        if services:
            children.append(services)
            with _step("Starting the services"):
                await services.start()
            for remark in services.remarks():
                print(f"  {remark}", flush=True)
        balancers = await find_load_balancers(settings)  # chooses ports, of which the tasks have theirs by now
        config = write_gateway_config(settings, local, deployment, balancers.listeners)
        _name_what_is_not_served(local, config, balancers)
        balancing = load_balancers(settings) if balancers.listeners else None
        if balancing:
            children.append(balancing)
            with _step("Starting the load balancers"):
                await balancing.start()
        gateway = _gateway(settings, config) if config["apis"] else None
        if gateway:
            children.append(gateway)
            with _step("Starting the gateway"):
                await gateway.start()
        users = ensure_demo_users(settings)
        if deployment.changed:
            await save(settings)
        if loading:
            with _step("Loading the OCR models"):
                await loading
    except BaseException:
        if loading:
            loading.cancel()
            with contextlib.suppress(asyncio.CancelledError, SamhostError):
                await loading
        raise

    async def restarted(child: Part) -> None:
        if child is core:
            try:
                await catch_up()
            except (BotoCoreError, ClientError) as error:  # it may end again meanwhile; then its next start catches up
                raise EngineAwayError(error) from error

    async def catch_up() -> None:
        # The engine has its last snapshot again. Should that be gone, all is made once more, at the same addresses.
        anew = _derive(settings, built.template)  # the one before names archives by now, where functions' folders were
        again = await deploy(settings, anew, built.template)
        users = ensure_demo_users(settings)
        if again.changed:
            await save(settings)
            write_environment(settings)
            found = await find_load_balancers(settings)
            _write_addresses(settings, again, write_gateway_config(settings, anew, again, found.listeners), users)
            if services:
                services.declared = declarations(anew, again.outputs)
            for child in filter(None, (balancing, gateway)):
                await child.stop()  # it is started again, and reads what it serves now

    with _open_to_containers(settings):
        write_environment(settings)
        addresses = _write_addresses(settings, deployment, config, users)
        _print_table(addresses, services.statuses() if services else {}, settings)
        await asyncio.gather(*(keep_running(child, restarted) for child in children))


def _calls_textract(settings: Settings) -> bool:
    return "textract:" in settings.template.read_text()  # an IAM policy in it lets something call Textract


def _textract(settings: Settings) -> Child:
    async def ready() -> bool:
        return await accepts_connections(settings.textract_port)

    return Child(
        "textract",
        ["samhost.textract", "--host", HOST, "--port", str(settings.textract_port)],
        settings.client_environment(),
        settings.logs_dir / "textract.log",
        ready,
    )


def _derive(settings: Settings, built: Path) -> LocalTemplate:
    return derive(built, unknown_types(settings, built))


def _services(settings: Settings, local: LocalTemplate, deployment: Deployment) -> Scheduler | None:
    """What runs the template's ECS services; None where there are none."""
    declared = declarations(local, deployment.outputs)
    if not declared.places:
        settings.services_file.unlink(missing_ok=True)  # of an earlier deployment
        return None
    return Scheduler(settings, declared)


def _gateway(settings: Settings, config: dict) -> Child:
    async def ready() -> bool:
        return all([await accepts_connections(api["port"]) for api in config["apis"]])

    arguments = ["samhost.gateway", "--config", str(settings.gateway_file)]
    return Child("gateway", arguments, settings.client_environment(), settings.logs_dir / "gateway.log", ready)


def _name_what_is_left_out(left_out: Iterable[LeftOut]) -> None:
    """Print a line for all that is left out for the same reason; the first few of them are named."""
    alike: dict[tuple[str, str], list[str]] = {}
    for each in left_out:
        alike.setdefault((each.type, each.reason), []).append(each.name)
    for (kind, reason), names in alike.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        print(f"  Left out: {', '.join(names[:NAMED])}{more} ({kind}): {reason}", flush=True)


def _name_what_is_not_served(local: LocalTemplate, config: dict, balancers: LoadBalancers) -> None:
    """Print the APIs whose condition is false, and the routes and rules that will answer 501.

    Raises TemplateError for an API that AWS would not import.
    """
    served = {definition["name"] for definition in config["apis"]}
    for name in dict.fromkeys(api.name for api in local.apis if api.name not in served):
        print(f"  Not served: {name}: its Condition is false", flush=True)
    for definition in config["apis"]:
        try:
            loaded = load_api(definition, config["region"], config["accountId"], config.get("loadBalancers", []))
        except ConfigurationError as error:
            raise TemplateError(str(error)) from error
        for route, reason in loaded.refused:
            print(f"  Not served: {loaded.name} {route}: {reason}", flush=True)
    for note in balancers.notes:
        print(f"  {note}", flush=True)


@contextmanager
def _open_to_containers(settings: Settings) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        if address := settings.container_address:
            for port in (settings.engine_port, settings.textract_port):
                try:
                    stack.enter_context(forwarded(address, port, port))
                except OSError as error:
                    raise SamhostError(f"Containers cannot be served on {address}:{port}: {error.strerror}.") from error
        yield


def _check_port(name: str, port: int, option: str) -> None:
    if not is_free(port):
        raise PortTakenError(name, port, option)


def _write_addresses(settings: Settings, deployment: Deployment, config: dict, users: list[dict]) -> dict:
    addresses = {
        "apis": {_name(api): _url(api) for api in config["apis"]},
        "loadBalancers": {each["name"]: listener_url(each) for each in config["loadBalancers"]},
        "engine": settings.engine_url,
        "textract": settings.textract_url if _calls_textract(settings) else None,
        "region": REGION,
        "outputs": deployment.public_outputs,
        "users": users,
        "pid": os.getpid(),
    }
    unfinished = settings.addresses_file.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(addresses, indent=1))
    unfinished.replace(settings.addresses_file)
    return addresses


def _name(api: dict) -> str:
    """What an API is called among addresses: a REST API is there once for each stage."""
    return f"{api['name']}/{api['stage']['name']}" if api["type"] == REST_API.name else api["name"]


def _url(api: dict) -> str:
    """Where an API's routes begin: those of any stage but `$default` with its name."""
    stage = api["stage"]["name"]
    return f"http://{api['host']}:{api['port']}" + ("" if stage == DEFAULT else f"/{stage}")


def _print_table(addresses: dict, services: dict, settings: Settings) -> None:
    rows = [*addresses["apis"].items(), *addresses["loadBalancers"].items(), *service_rows(services)]
    rows += [("AWS endpoint", addresses["engine"])]
    rows += [("Textract", addresses["textract"])] if addresses["textract"] else []
    rows += [("Demo user", f"{user['username']}  {user['password']}") for user in addresses["users"]]
    rows.append(("Logs", str(settings.logs_dir)))
    width = max(len(name) for name, _ in rows)
    print("\nReady.\n")
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    print("\nCtrl-C stops it." if sys.stdin.isatty() else "", flush=True)


@contextmanager
def _held(data_dir: Path) -> Iterator[TextIO]:
    """Hold the data directory for this process; the kernel lets go of it when the process ends, however it ends."""
    with (data_dir / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(data_dir, holder(data_dir)) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file


@contextmanager
def _step(what: str):
    """Say what is being done, then how long it took and what the block adds to that."""
    started, remarks = time.monotonic(), []
    print(f"{what} … ", end="", flush=True)
    try:
        yield remarks.append
    except BaseException:
        print("failed", flush=True)
        raise
    print(", ".join([f"{time.monotonic() - started:.1f} s", *filter(None, remarks)]), flush=True)
