"""Step Functions: executions started, started and waited for, and stopped."""

import json

import pytest

from samhost.gateway.engine import Reply

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:m:${context.authorizer.claims.sub}_${request.path.id}"


def test_an_execution_is_named_by_the_user_and_gets_the_body_as_its_input(service, token, secured):
    name = "${context.authorizer.claims.sub}_${request.path.id}"
    parameters = {"StateMachineArn": MACHINE, "Name": name, "Input": "$request.body"}
    api = service("StepFunctions-StartExecution", parameters, "PUT /exports/{id}", **secured)
    headers = {"authorization": token(sub="user-1")}
    body = '{"a": 1, "name": "other_1"}'
    assert api.request("PUT", "/exports/e1", content=body, headers=headers).status_code == 200
    assert (api.call.service, api.call.action) == ("states", "AWSStepFunctions.StartExecution")
    assert api.call.headers["content-type"] == "application/x-amz-json-1.0"
    assert api.call.json == {"stateMachineArn": MACHINE, "name": "user-1_e1", "input": body}


def test_an_execution_is_stopped_by_an_arn_that_only_its_user_can_name(service, token, secured):
    parameters = {"ExecutionArn": EXECUTION, "Error": "Stopped", "Cause": "by the user"}
    api = service("StepFunctions-StopExecution", parameters, "DELETE /exports/{id}", **secured)
    api.request("DELETE", "/exports/e1", headers={"authorization": token(sub="user-1")})
    assert api.call.action == "AWSStepFunctions.StopExecution"
    assert api.call.json == {
        "executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:user-1_e1",
        "error": "Stopped",
        "cause": "by the user",
    }


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT"])
def test_an_execution_that_was_waited_for_is_200_however_it_ended(service, engine, status):
    body = f'{{"status":"{status}","output":"{{}}"}}'.encode()
    engine.replies = [Reply(200, {}, b'{"type":"EXPRESS"}')]
    engine.reply = Reply(200, {"content-type": "application/x-amz-json-1.0"}, body)
    api = service("StepFunctions-StartSyncExecution", {"StateMachineArn": MACHINE, "Input": "{}"})
    answer = api.request("POST", "/calls")
    assert (answer.status_code, answer.content) == (200, body)
    assert (api.call.action, api.call.json["input"]) == ("AWSStepFunctions.StartSyncExecution", "{}")


def test_only_express_workflows_are_waited_for(service, engine):
    engine.replies = [Reply(200, {}, b'{"type":"STANDARD"}')]
    answer = service("StepFunctions-StartSyncExecution", {"StateMachineArn": MACHINE}).request("POST", "/calls")
    assert (answer.status_code, answer.json()["__type"]) == (400, "StateMachineTypeNotSupported")
    assert [call.action for call in engine.calls] == ["AWSStepFunctions.DescribeStateMachine"]


def test_a_state_machine_that_is_not_there_is_the_services_answer(service, engine):
    missing = Reply(400, {"content-type": "application/x-amz-json-1.0"}, b'{"__type":"StateMachineDoesNotExist"}')
    engine.reply = missing
    answer = service("StepFunctions-StartSyncExecution", {"StateMachineArn": MACHINE}).request("POST", "/calls")
    assert (answer.status_code, answer.content) == (400, missing.body)


START = {"StateMachineArn": f"{MACHINE}:live", "Name": "e1", "Input": "$request.body"}
EXISTS = Reply(400, {"content-type": "application/x-amz-json-1.0"}, b'{"__type":"ExecutionAlreadyExists"}')


def test_an_execution_that_runs_already_with_the_same_input_is_started_by_the_same_answer(service, engine):
    engine.replies = [EXISTS, Reply(200, {}, b'{"status":"RUNNING","input":"{\\"a\\":1}","startDate":1795275468.5}')]
    answer = service("StepFunctions-StartExecution", START).request("POST", "/calls", content=b'{"a":1}')
    execution = "arn:aws:states:us-east-1:000000000000:execution:m:e1"
    assert (answer.status_code, answer.json()) == (200, {"executionArn": execution, "startDate": 1795275468.5})
    assert engine.calls[-1].json == {"executionArn": execution}


@pytest.mark.parametrize(
    "there", [{"status": "SUCCEEDED", "input": "{}"}, {"status": "RUNNING", "input": '{"other": 1}'}, {}]
)
def test_a_name_whose_execution_has_ended_or_has_another_input_is_taken(service, engine, there):
    engine.replies = [EXISTS, Reply(200, {}, json.dumps(there).encode())]
    answer = service("StepFunctions-StartExecution", START).request("POST", "/calls", content=b"{}")
    assert (answer.status_code, answer.content) == (400, EXISTS.body)


@pytest.mark.parametrize("garbage", [b"<html>", b"1"])
def test_a_description_that_is_none_is_500(service, engine, garbage, caplog):
    engine.reply = Reply(200, {}, garbage)
    answer = service("StepFunctions-StartSyncExecution", {"StateMachineArn": MACHINE}).request("POST", "/calls")
    assert answer.status_code == 500
    assert not caplog.records


def test_a_trace_header_goes_along(service, engine):
    parameters = {"StateMachineArn": MACHINE, "TraceHeader": "Root=1"}
    engine.replies = [Reply(200, {}, b"{}")]
    api = service("StepFunctions-StartSyncExecution", parameters)
    api.request("POST", "/calls")
    assert api.call.json["traceHeader"] == "Root=1"


@pytest.mark.parametrize(
    "code", ["ExecutionAlreadyExists", "ExecutionLimitExceeded", "InvalidName", "StateMachineDoesNotExist"]
)
def test_the_services_refusals_reach_the_client(service, engine, code):
    body = f'{{"__type":"{code}"}}'.encode()
    engine.reply = Reply(400, {"content-type": "application/x-amz-json-1.0"}, body)
    parameters = {"StateMachineArn": MACHINE, "Name": "e1"}
    answer = service("StepFunctions-StartExecution", parameters).request("POST", "/calls")
    assert (answer.status_code, answer.content) == (400, body)
