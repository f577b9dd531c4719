"""MiniStack, the AWS engine: how it is started, so that it is closed to the network and keeps its data."""

import shutil

import aiohttp

from samhost.engine_process import SNAPSHOT_PATH, SNAPSHOTS_FOLDER
from samhost.errors import NotSavedError
from samhost.processes import Child
from samhost.settings import HOST, REGION, ROOT_CREDENTIALS, Settings


def engine(settings: Settings) -> Child:
    """The engine as a child process, IAM enforced; its state lives in `engine/` of the data directory."""
    home = settings.data_dir / "engine"
    scratch = home / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)  # unpacked functions of an earlier run
    scratch.mkdir(parents=True)
    environment = ROOT_CREDENTIALS | {
        "AUTH": "true",
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(settings.engine_port),
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        SNAPSHOTS_FOLDER: str(home / "snapshots"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "TMPDIR": str(scratch),
        # Listeners that nobody asked for.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Tasks are run by samhost.ecs: the engine finds no Docker, and keeps the records of services only.
        "DOCKER_HOST": f"unix://{home / 'no-docker.sock'}",
        # Functions inherit the engine's environment: this is how they find Textract.
        "AWS_ENDPOINT_URL_TEXTRACT": settings.textract_url,
        # Without .pyc files each function would compile its packages again at every cold start.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(home / "pycache"),
    }
    return Child(
        "engine",
        ["samhost.engine_process"],
        environment,
        settings.logs_dir / "engine.log",
        lambda: _is_ready(settings),
    )


async def save(settings: Settings) -> None:
    """Have the engine write its state to the disk now.

    Raises NotSavedError where it does not.
    """
    try:
        async with aiohttp.ClientSession() as session, session.post(f"{settings.engine_url}{SNAPSHOT_PATH}") as answer:
            answer.raise_for_status()
    except aiohttp.ClientError as error:
        raise NotSavedError(settings.logs_dir / "engine.log") from error


async def _is_ready(settings: Settings) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{settings.engine_url}/_ministack/health") as answer,
        ):
            return answer.status == 200
    except aiohttp.ClientError:
        return False
