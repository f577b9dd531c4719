"""What operators may do, and that nobody becomes one by himself; dead letters in the queue, with IAM enforced."""

import json
import time
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import boto3
import jwt
import pytest
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

API = yaml.safe_load((Path(__file__).parents[2] / "api" / "scanner.yaml").read_text())
ROUTES = [
    (method.upper(), path) for path, item in API["paths"].items() for method in item if path.startswith("/operations/")
]


def token(user):
    return user.api.headers["authorization"].removeprefix("Bearer ")


def scopes(access_token):
    return jwt.decode(access_token, options={"verify_signature": False})["scope"].split()


@pytest.fixture(scope="module")
def public_cognito(system):
    """Cognito for those who have no AWS credentials."""
    return boto3.client(
        "cognito-idp",
        endpoint_url=system.addresses["engine"],
        region_name=system.addresses["region"],
        config=Config(signature_version=UNSIGNED),
    )


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_user_is_no_operator(user, method, path):
    answer = user.api.request(method, path)

    assert answer.status_code == 403
    assert answer.json() == {"message": "Forbidden"}


def test_operators_are_told_by_their_group(user, operator):
    assert "docscan/operate" in scopes(token(operator))
    assert "docscan/operate" not in scopes(token(user))


def test_no_sign_in_gives_a_user_the_operators_scope(system, public_cognito, user, sign_up):
    """Whatever a client sends with it: metadata, scopes, a refresh token."""
    hopeful = sign_up()
    pool, client = system.output("UserPoolId"), system.output("CliClientId")
    name = jwt.decode(token(hopeful), options={"verify_signature": False})["username"]
    system.client("cognito-idp").admin_set_user_password(
        UserPoolId=pool, Username=name, Password="Aa1-hopeful-hopeful", Permanent=True
    )
    wishes = {"scope": "docscan/operate", "cognito:groups": "operators", "groupsToOverride": '["operators"]'}

    signed_in = public_cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": "Aa1-hopeful-hopeful", "SCOPE": "docscan/operate"},
        ClientMetadata=wishes,
    )["AuthenticationResult"]
    refreshed = public_cognito.initiate_auth(
        ClientId=client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": signed_in["RefreshToken"]},
        ClientMetadata=wishes,
    )["AuthenticationResult"]

    assert "docscan/operate" not in scopes(signed_in["AccessToken"])
    assert "docscan/operate" not in scopes(refreshed["AccessToken"])


def test_nobody_without_credentials_puts_anybody_into_the_group(system, public_cognito, user):
    name = jwt.decode(token(user), options={"verify_signature": False})["username"]

    with pytest.raises(ClientError):
        public_cognito.admin_add_user_to_group(
            UserPoolId=system.output("UserPoolId"), Username=name, GroupName="operators"
        )

    groups = system.client("cognito-idp").admin_list_groups_for_user(
        UserPoolId=system.output("UserPoolId"), Username=name
    )
    assert groups["Groups"] == []


@contextmanager
def unheard(system, queue):
    """While no function listens to the queue."""
    functions = system.client("lambda")
    answer = system.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = answer["Attributes"]["QueueArn"]
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def give_up(sqs, queue):
    """Receive the messages of a queue until it has given them up."""
    while sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        pass


def redrive(operator):
    """Send back all dead letters; return how many went and how many stay."""
    redriven, left = 0, 0
    while True:
        answer = operator.api.post("/operations/dead-letters/redrive")
        assert answer.status_code == 200, answer.text
        redriven, left = redriven + answer.json()["redriven"], left + answer.json()["left"]
        if not answer.json()["more"]:
            return redriven, left


def test_a_command_that_was_given_up_is_sent_back_and_carried_out(system, user, operator):
    sqs, queue = system.client("sqs"), system.output("CommandsQueueUrl")
    project = user.project()
    page = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()["pageId"]
    with unheard(system, queue):
        command = {"command": "delete-pages", "projectId": project, "pageIds": [page]}
        assert user.api.post("/commands", json=command).status_code == 200
        give_up(sqs, queue)

    redriven, _ = redrive(operator)

    assert redriven == 1
    deadline = time.monotonic() + 30
    while user.api.get(f"/projects/{project}/pages/{page}").status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_a_foreign_queue_has_given_up_stays(system, operator):
    sqs, dead = system.client("sqs"), system.output("DeadLetterQueueUrl")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    foreign = sqs.create_queue(QueueName="foreign", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    try:
        sqs.send_message(QueueUrl=foreign, MessageBody="a stranger")
        give_up(sqs, foreign)

        redriven, left = redrive(operator)

        assert redriven == 0
        assert left >= 1
        assert "Messages" not in sqs.receive_message(QueueUrl=foreign)
    finally:
        sqs.delete_queue(QueueUrl=foreign)
        sqs.purge_queue(QueueUrl=dead)


def texts(answer, name):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    return [element.text for element in ElementTree.fromstring(answer.text).findall(f".//{{*}}{name}")]


def test_operators_look_at_dead_letters_and_delete_one_or_all(system, operator):
    sqs, dead = system.client("sqs"), system.output("DeadLetterQueueUrl")
    assert operator.api.delete("/operations/dead-letters").status_code == 200
    for body in ("one <&>", "two", "three"):
        sqs.send_message(QueueUrl=dead, MessageBody=body, MessageGroupId="alice")

    seen = operator.api.get("/operations/dead-letters")
    bodies, handles = texts(seen, "Body"), texts(seen, "ReceiptHandle")
    assert sorted(bodies) == ["one <&>", "three", "two"]
    assert {"MessageGroupId", "SentTimestamp"} <= set(texts(seen, "Name"))
    assert texts(operator.api.get("/operations/dead-letters"), "Body") == [], "for a while they are hidden"

    def delete(handle):
        return operator.api.delete("/operations/dead-letters/messages", headers={"receipt-handle": handle})

    assert delete(handles[0]).status_code == 200
    assert delete("none").status_code == 400
    assert operator.api.delete("/operations/dead-letters/messages").status_code == 400, "without the header"
    for handle in handles[1:]:
        sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=handle, VisibilityTimeout=0)
    assert sorted(texts(operator.api.get("/operations/dead-letters"), "Body")) == sorted(bodies[1:])

    assert operator.api.delete("/operations/dead-letters").status_code == 200
    counted = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert counted["ApproximateNumberOfMessages"] == counted["ApproximateNumberOfMessagesNotVisible"] == "0"
