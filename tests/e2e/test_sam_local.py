"""SAM's own commands: `validate`, `build`, `local invoke` of every function with its sample event, `local start-api`.

The commands succeed when a function fails, so each test looks at the answer, and at what it has changed. The functions
work on the tables of the running local system, but in a bucket of their own, which no other function is told of.
"""

import io
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pikepdf
import pytest
from boto3.dynamodb.types import TypeDeserializer
from paged_files import letter, photograph, scan, written
from PIL import Image, ImageDraw, ImageFont

EVENTS = Path(__file__).parents[2] / "events"
OWNER = f"sam-local-{uuid.uuid4()}"
TEXT = "A page that SAM has read"


def sample(handler):
    return json.loads((EVENTS / f"{handler}.json").read_text())


def request(handler, **path):
    """A handler's sample request, made by OWNER for the resources that `path` names."""
    event = sample(handler)
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = OWNER
    return event | {"pathParameters": path}


def content(answer, status):
    assert answer["statusCode"] == status, answer
    return json.loads(answer["body"])


@pytest.fixture(scope="session")
def bucket(system):
    s3 = system.client("s3")
    s3.create_bucket(Bucket=OWNER)
    s3.put_bucket_versioning(Bucket=OWNER, VersioningConfiguration={"Status": "Enabled"})
    yield OWNER
    for version in versions(system, OWNER):
        s3.delete_object(Bucket=OWNER, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=OWNER)


def versions(system, bucket):
    found = system.client("s3").list_object_versions(Bucket=bucket)
    return found.get("Versions", []) + found.get("DeleteMarkers", [])


@pytest.fixture(scope="session")
def function_environment(system, bucket):
    """What the local system has written for `--env-vars`, with the tests' own bucket and user."""
    deployed = json.loads((system.data_dir / "sam-local.json").read_text())
    own = {"BUCKET": bucket, "DOCSCAN_DEVELOPMENT_USER": OWNER}
    return {function: variables | own for function, variables in deployed.items()}


@pytest.fixture(scope="module")
def project(functions):
    """A project that ProjectsFunction has created."""
    return content(functions.invoke("ProjectsFunction", request("projects")), 201)


@pytest.fixture(scope="module")
def page(functions, project):
    """A page that PagesFunction has created, with the form for its image."""
    return content(functions.invoke("PagesFunction", request("pages", projectId=project["projectId"])), 201)


@pytest.fixture(scope="module")
def recognition(functions, page, bucket, system):
    """What RecognitionFunction answered to the arrival of the page's image."""
    send(system, page["upload"], picture(page["contentType"]))
    [image] = versions(system, bucket)

    event = sample("recognition")
    notification = json.loads(event["Records"][0]["body"])
    notification["Records"][0]["s3"]["bucket"]["name"] = bucket
    notification["Records"][0]["s3"]["object"] |= {"key": image["Key"], "versionId": image["VersionId"]}
    event["Records"][0]["body"] = json.dumps(notification)
    return functions.invoke("RecognitionFunction", event)


def send(system, form, content):
    """Upload by a form. It leads to where the function reaches the engine; from here that has another address."""
    url = system.addresses["engine"] + urlsplit(form["url"]).path
    httpx.post(url, data=form["fields"], files={"file": content}).raise_for_status()


def picture(content_type):
    """A picture of TEXT."""
    image, file = Image.new("RGB", (1200, 300), "white"), io.BytesIO()
    ImageDraw.Draw(image).text((60, 100), TEXT, "black", ImageFont.load_default(72))
    image.save(file, content_type.removeprefix("image/"))
    return file.getvalue()


def item(system, output, **key):
    """An item of a table as the functions left it; None where there is none."""
    names = {name: {"S": value} for name, value in key.items()}
    found = system.client("dynamodb").get_item(TableName=system.output(output), Key=names).get("Item")
    return found and {name: TypeDeserializer().deserialize(value) for name, value in found.items()}


def test_the_template_is_valid_and_lints(sam):
    validation = sam("validate", "--lint")

    assert validation.returncode == 0, validation.stdout + validation.stderr


def test_access_tokens_get_a_scope(functions):
    event = functions.invoke("TokensFunction", sample("tokens"))

    assert (
        event["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]["scopesToAdd"][0] == "docscan/use"
    )


def test_a_project_is_created(project, system):
    assert item(system, "ProjectsTableName", owner=OWNER, projectId=project["projectId"])["name"] == project["name"]


def test_a_page_is_created(page, project, bucket):
    assert page["status"] == "awaiting-upload"
    assert page["upload"]["fields"]["key"].startswith(f"images/{project['projectId']}/{page['pageId']}/")


def test_an_image_is_recognised(recognition, page, system):
    assert recognition == {"batchItemFailures": []}
    recognised = item(system, "PagesTableName", projectId=page["projectId"], pageId=page["pageId"])
    assert recognised["status"] == "ready"
    assert recognised["text"] == TEXT


def test_a_pdf_is_built(recognition, page, functions, system, bucket):
    document = content(functions.invoke("DocumentsFunction", request("documents", projectId=page["projectId"])), 200)

    key = urlsplit(document["url"]).path.removeprefix(f"/{bucket}/")
    pdf = system.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert len(pikepdf.open(io.BytesIO(pdf)).pages) == document["pageCount"] == 1


def test_what_was_used_is_told(recognition, functions):
    usage = content(functions.invoke("UsageFunction", request("usage")), 200)

    assert (usage["days"][0]["uploaded"], usage["days"][0]["recognised"]) == (1, 1)


def test_a_project_is_checked_and_exported(recognition, project, functions, system, bucket):
    project_id = project["projectId"]
    check = functions.invoke("ChecksFunction", sample("checks") | {"execution": f"{OWNER}_{project_id}"})
    assert (check["ready"], check["pageCount"], check["findings"]) == (True, 1, [])

    execution = {"execution": f"{OWNER}_first"}
    order = {"order": {"projectId": project_id}, "startedAt": datetime.now(UTC).isoformat()}
    plan = functions.invoke("ExportPlanFunction", sample("export_plan") | execution | {"input": order})
    assert plan == {"parts": [{"number": 0, "pages": "page 1"}], "round": 0}
    assert functions.invoke("ExportPartFunction", sample("export_part") | execution) == {"pageCount": 1}
    product = functions.invoke("ExportJoinFunction", sample("export_join") | execution)
    pdf = system.client("s3").get_object(Bucket=bucket, Key=product["volumes"][0]["key"])["Body"].read()
    assert len(pikepdf.open(io.BytesIO(pdf)).pages) == product["pageCount"] == 1

    unknown = functions.invoke("ExportsFunction", request("exports", exportId="never-started"))
    assert content(unknown, 404)["code"] == "not-found"


def test_a_stopped_export_leaves_nothing_behind(recognition, project, functions, system, bucket):
    def keys(prefix):
        return [version["Key"] for version in versions(system, bucket) if version["Key"].startswith(prefix)]

    project_id, execution = project["projectId"], {"execution": f"{OWNER}_stopped"}
    order = {"order": {"projectId": project_id, "format": "txt"}, "startedAt": datetime.now(UTC).isoformat()}
    functions.invoke("ExportPlanFunction", sample("export_plan") | execution | {"input": order})
    assert functions.invoke("ExportPartFunction", sample("export_part") | execution) == {"pageCount": 1}
    [part] = [key for key in keys(f"parts/{project_id}/") if key.endswith(".txt")]

    event = sample("export_cleanup")
    stopped = json.loads(event["Records"][0]["body"])
    stopped["detail"]["name"] = execution["execution"]
    event["Records"][0]["body"] = json.dumps(stopped)
    assert functions.invoke("ExportCleanupFunction", event) == {"batchItemFailures": []}

    assert "endedAt" in item(system, "ExportsTableName", owner=OWNER, exportId="stopped")
    assert not [key for key in keys("") if key == part or key.startswith(f"exports/{project_id}/stopped/")]


def test_a_document_is_imported(recognition, project, functions, system, bucket):
    event = request("imports", projectId=project["projectId"])
    imported = content(functions.invoke("ImportsFunction", event), 201)
    key = imported["upload"]["fields"]["key"]
    send(system, imported["upload"], written(letter(), scan(photograph(TEXT))))
    [uploaded] = [version for version in versions(system, bucket) if version["Key"] == key]

    opened = sample("importing") | {"object": {"key": key, "version-id": uploaded["VersionId"]}}
    split = functions.invoke("ImportingFunction", opened)
    assert (split["importId"], len(split["parts"])) == (imported["importId"], 1)
    further = {"importId": split["importId"], "part": split["parts"][0]}
    assert functions.invoke("ImportingFunction", {"step": "split"} | further) == {}
    assert functions.invoke("ImportingFunction", {"step": "finish"} | further) == {}

    event = request("imports", importId=imported["importId"]) | {"routeKey": "GET /imports/{importId}", "body": None}
    done = content(functions.invoke("ImportsFunction", event), 200)
    assert (done["status"], done["pageCount"], done["pagesDone"], done["pagesWithText"]) == ("completed", 2, 2, 1)
    stored = item(system, "ProjectsTableName", owner=OWNER, projectId=project["projectId"])
    assert (stored["ready"], stored["awaiting-upload"]) == (2, 1)  # nobody is told of images in this bucket


def test_a_command_is_carried_out(recognition, page, functions, system):
    event = sample("commands")
    [message] = event["Records"]
    command = {"command": "move-pages", "projectId": page["projectId"], "pageIds": [page["pageId"]], "after": None}
    message["attributes"]["MessageGroupId"] = OWNER
    message["body"] = json.dumps(command)

    assert functions.invoke("CommandsFunction", event) == {"batchItemFailures": []}
    moved = item(system, "PagesTableName", projectId=page["projectId"], pageId=page["pageId"])
    assert moved["movedAt"] == int(message["attributes"]["SentTimestamp"])


def test_a_report_is_added_up(functions, system):
    event = sample("telemetry")
    event["Records"][0]["kinesis"]["partitionKey"] = OWNER

    for _ in range(2):  # the second time it is known
        assert functions.invoke("TelemetryFunction", event) == {"batchItemFailures": []}
    arrival = datetime.fromtimestamp(event["Records"][0]["kinesis"]["approximateArrivalTimestamp"], UTC)
    sums = item(system, "TelemetryTableName", owner=OWNER, day=arrival.date().isoformat())
    assert [value for name, value in sums.items() if name.endswith("illiseconds")] in ([840, 2310], [2310, 840])


def test_an_event_gets_into_the_audit_log_which_operators_read(functions):
    event = sample("auditing")
    delivered = json.loads(event["Records"][0]["body"]) | {"id": str(uuid.uuid4()), "time": "2026-01-01T00:00:00Z"}
    event["Records"][0]["body"] = json.dumps(delivered)
    assert functions.invoke("AuditingFunction", event) == {"batchItemFailures": []}

    asked = request("audit") | {"queryStringParameters": {"day": delivered["time"][:10], "limit": "100"}}
    entries = content(functions.invoke("AuditFunction", asked), 200)["items"]
    assert delivered["id"] in [entry["eventId"] for entry in entries]


def test_dead_letters_are_sent_back(functions):
    answer = content(functions.invoke("OperationsFunction", sample("operations")), 200)

    assert {name: type(value) for name, value in answer.items()} == {"redriven": int, "left": int, "more": bool}


def test_start_api_serves_the_development_user(project, functions):
    answer = functions.get("/projects")

    assert answer.status_code == 200
    assert [found["projectId"] for found in answer.json()["items"]] == [project["projectId"]]


def test_a_project_is_deleted_with_all_that_belongs_to_it(recognition, project, page, functions, system, bucket):
    event = sample("deletion")
    event["Records"][0]["body"] = json.dumps({"owner": OWNER, "projectId": project["projectId"]})

    assert functions.invoke("DeletionFunction", event) == {"batchItemFailures": []}
    assert item(system, "ProjectsTableName", owner=OWNER, projectId=project["projectId"]) is None
    assert item(system, "PagesTableName", projectId=project["projectId"], pageId=page["pageId"]) is None
    assert versions(system, bucket) == []
