"""The template, the OpenAPI document and the handlers say the same."""

import importlib
import json
import re
from pathlib import Path

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

import export_part
import importing
import tokens
from scanner import audit, export, imports, telemetry
from scanner.aws import queue
from scanner.command import MAX_PAGES, Action, Command
from scanner.export import Format, Order
from scanner.services import dead_letters, exports
from scanner.services.documents import Layout

ROOT = Path(__file__).parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]
API = yaml.safe_load((ROOT / "api" / "scanner.yaml").read_text())
METHODS = {"get", "put", "post", "patch", "delete"}
INTEGRATION = "x-amazon-apigateway-integration"

ROUTES = {
    f"{method.upper()} {path}": operation
    for path, item in API["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}
FUNCTIONS = {name: r for name, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"}


LAMBDA_ROUTES = {route: operation for route, operation in ROUTES.items() if "uri" in operation[INTEGRATION]}
SERVICE_ROUTES = {route: operation for route, operation in ROUTES.items() if route not in LAMBDA_ROUTES}
STATE_MACHINES = {name: r for name, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::StateMachine"}
ROLES = {name: r for name, r in RESOURCES.items() if r["Type"] == "AWS::IAM::Role"}


def as_list(value):
    return value if isinstance(value, list) else [value]


def function_of(operation):
    return re.search(r"\$\{(\w+)\.Arn\}", operation[INTEGRATION]["uri"]["Fn::Sub"]).group(1)


def routes_of(function):
    return {route for route, operation in LAMBDA_ROUTES.items() if function_of(operation) == function}


API_FUNCTIONS = sorted({function_of(operation) for operation in LAMBDA_ROUTES.values()})


@pytest.mark.parametrize("function", API_FUNCTIONS)
def test_a_function_handles_exactly_the_routes_that_lead_to_it(function):
    module = importlib.import_module(FUNCTIONS[function]["Properties"]["Handler"].removesuffix(".handler"))

    assert set(module.ROUTES) == routes_of(function)


@pytest.mark.parametrize("function", API_FUNCTIONS)
def test_the_api_may_invoke_each_of_its_functions(function):
    permissions = [
        r["Properties"]
        for r in RESOURCES.values()
        if r["Type"] == "AWS::Lambda::Permission" and r["Properties"]["FunctionName"] == {"Ref": function}
    ]

    assert [p["Principal"] for p in permissions] == ["apigateway.amazonaws.com"]
    assert "${ScannerApi}/" in permissions[0]["SourceArn"]["Fn::Sub"]


def test_no_route_exists_but_in_the_openapi_document():
    events = [e for f in FUNCTIONS.values() for e in f["Properties"].get("Events", {}).values()]

    assert {event["Type"] for event in events} == {"SQS", "Kinesis"}


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_asks_for_a_scope(route):
    # On the operation itself: whether API Gateway heeds a document's own `security` is nowhere documented.
    requirements = ROUTES[route]["security"]

    assert requirements
    assert all(
        scopes and set(scopes) <= {"docscan/use", "docscan/operate"} for r in requirements for scopes in r.values()
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_handler_exists(function):
    module, handler = FUNCTIONS[function]["Properties"]["Handler"].split(".")

    assert callable(getattr(importlib.import_module(module), handler))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_sample_event(function):
    module = FUNCTIONS[function]["Properties"]["Handler"].split(".")[0]

    assert (ROOT / "events" / f"{module}.json").is_file()


def test_functions_log_to_a_group_that_forgets():
    group = TEMPLATE["Globals"]["Function"]["LoggingConfig"]["LogGroup"]["Ref"]

    assert RESOURCES[group]["Type"] == "AWS::Logs::LogGroup"
    assert "RetentionInDays" in RESOURCES[group]["Properties"]
    assert not any("LoggingConfig" in function["Properties"] for function in FUNCTIONS.values())


def test_no_identity_can_be_assumed_on_aws():
    """The functions take a development user only where both are set, which a deployment must never do."""
    declared = [f["Properties"].get("Environment", {}).get("Variables", {}) for f in FUNCTIONS.values()]
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]

    assert everywhere["DOCSCAN_DEVELOPMENT_USER"] == {"Ref": "AWS::NoValue"}
    assert not any("DOCSCAN_DEVELOPMENT_USER" in variables for variables in declared)
    assert not any("AWS_SAM_LOCAL" in variables for variables in [*declared, everywhere])


QUEUES = sorted(name for name, r in RESOURCES.items() if r["Type"] == "AWS::SQS::Queue" and name != "DeadLetterQueue")


@pytest.mark.defect(9)
@pytest.mark.parametrize("queue", QUEUES)
def test_queues_give_up_to_the_dead_letters_and_outlast_their_function(queue):
    properties = RESOURCES[queue]["Properties"]
    consumers = [
        f["Properties"]
        for f in FUNCTIONS.values()
        for e in f["Properties"].get("Events", {}).values()
        if e["Properties"].get("Queue") == {"Fn::GetAtt": [queue, "Arn"]}
    ]

    assert properties["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert len(consumers) == 1
    assert properties["VisibilityTimeout"] >= 6 * consumers[0]["Timeout"]
    events = consumers[0]["Events"].values()
    assert all(e["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for e in events)


def test_what_any_queue_has_given_up_can_be_sent_back_to_it():
    function = FUNCTIONS["OperationsFunction"]["Properties"]
    pairs = function["Environment"]["Variables"]["SOURCE_QUEUES"]["Fn::Sub"].split()
    (send,) = [s for s in function["Policies"][0]["Statement"] if s["Action"] == "sqs:SendMessage"]

    assert sorted(pairs) == [f"${{{queue}.Arn}}=${{{queue}}}" for queue in QUEUES]
    assert sorted(resource["Fn::GetAtt"][0] for resource in send["Resource"]) == QUEUES


def test_operations_are_for_operators_and_the_rest_for_everybody():
    for route, operation in ROUTES.items():
        scope = "docscan/operate" if " /operations" in route else "docscan/use"
        assert [list(requirement.values()) for requirement in operation["security"]] == [[[scope]]], route


def test_no_client_can_ask_for_a_scope_by_itself():
    for name in ("WebClient", "CliClient"):
        assert set(RESOURCES[name]["Properties"].get("AllowedOAuthScopes", [])) <= {"openid", "email"}


def test_the_group_that_the_operators_scope_depends_on_is_there():
    properties = RESOURCES["OperatorsGroup"]["Properties"]

    assert {properties["GroupName"]: "docscan/operate"} == tokens.BY_GROUP
    assert not {"RoleArn", "Precedence"} & properties.keys()


def test_one_call_sends_back_no_more_than_the_document_says():
    redrive = API["components"]["schemas"]["Redrive"]["properties"]

    assert redrive["redriven"]["maximum"] == redrive["left"]["maximum"] == dead_letters.MAX_LETTERS
    assert f"At most {dead_letters.MAX_LETTERS} " in ROUTES["POST /operations/dead-letters/redrive"]["description"]


def test_the_queue_delivers_once_more_than_recognition_tries():
    environment = FUNCTIONS["RecognitionFunction"]["Properties"]["Environment"]["Variables"]
    deliveries = RESOURCES["RecognitionQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]

    assert deliveries == int(environment["MAX_ATTEMPTS"]) + 1


def test_a_replaced_image_is_deleted_when_nobody_can_be_replacing_it_any_more():
    timeout = FUNCTIONS["PagesFunction"]["Properties"].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])

    assert timeout < queue.REPLACEMENT_SECONDS


def test_policies_name_actions_and_resources():
    """No action is a wildcard; the one resource that is has its reason beside it."""
    policies = [(name, p) for name, f in FUNCTIONS.items() for p in f["Properties"].get("Policies", [])]
    policies += [(name, p["PolicyDocument"]) for name, role in ROLES.items() for p in role["Properties"]["Policies"]]
    policies += [(name, p) for name, m in STATE_MACHINES.items() for p in m["Properties"]["Policies"] if "Ref" not in p]
    for name, policy in policies:
        for statement in policy["Statement"]:
            actions = as_list(statement["Action"])
            assert not any("*" in action for action in actions), name
            assert statement["Resource"] != "*" or actions == ["textract:DetectDocumentText"], name


def test_the_user_of_a_command_is_the_message_group_that_the_gateway_sets():
    parameters = SERVICE_ROUTES["POST /commands"][INTEGRATION]["requestParameters"]

    assert parameters["MessageGroupId"] == "$context.authorizer.claims.sub"
    assert parameters["MessageBody"] == "$request.body"
    assert parameters.keys() == {"QueueUrl", "MessageBody", "MessageGroupId"}


def test_the_user_of_telemetry_is_the_partition_key_that_the_gateway_sets():
    parameters = SERVICE_ROUTES["POST /telemetry"][INTEGRATION]["requestParameters"]

    assert parameters["PartitionKey"] == "$context.authorizer.claims.sub"
    assert parameters["Data"] == "$request.body"
    assert parameters.keys() == {"StreamName", "Data", "PartitionKey"}


def test_a_record_that_nothing_can_be_done_with_leaves_its_shard_for_the_dead_letters():
    (source,) = FUNCTIONS["TelemetryFunction"]["Properties"]["Events"].values()
    properties = source["Properties"]

    assert properties["BisectBatchOnFunctionError"] is True
    assert 0 <= properties["MaximumRetryAttempts"] <= 10
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert properties["StartingPosition"] == "TRIM_HORIZON", "what comes before the mapping counts, too"


def test_usage_and_telemetry_have_nothing_to_do_with_each_other():
    (statement,) = FUNCTIONS["TelemetryFunction"]["Properties"]["Policies"][0]["Statement"]
    readers = [
        name
        for name, function in FUNCTIONS.items()
        if name != "TelemetryFunction" and "TelemetryTable" in json.dumps(function)
    ]

    assert statement["Resource"] == {"Fn::GetAtt": ["TelemetryTable", "Arn"]}
    assert readers == []


@pytest.mark.parametrize("type_", ["AWS::SQS::Queue", "AWS::Kinesis::Stream", "AWS::DynamoDB::Table"])
def test_what_is_stored_is_encrypted(type_):
    encryption = {
        "AWS::SQS::Queue": lambda properties: properties["SqsManagedSseEnabled"],
        "AWS::Kinesis::Stream": lambda properties: properties["StreamEncryption"]["EncryptionType"] == "KMS",
        "AWS::DynamoDB::Table": lambda properties: properties["SSESpecification"]["SSEEnabled"],
    }
    assert all(encryption[type_](r["Properties"]) for r in RESOURCES.values() if r["Type"] == type_)


def test_the_telemetry_that_is_documented_is_what_is_understood():
    schemas = API["components"]["schemas"]

    assert schemas["Measurement"]["properties"]["activity"]["enum"] == list(telemetry.Activity)
    assert schemas["Measurement"]["properties"]["milliseconds"]["maximum"] == telemetry.MAX_MILLISECONDS
    assert schemas["TelemetryReport"]["properties"]["measurements"]["maxItems"] == telemetry.MAX_MEASUREMENTS
    assert telemetry.parse(json.dumps(schemas["TelemetryReport"]["example"]).encode())


def test_the_commands_that_are_documented_are_those_that_there_are():
    schemas = API["components"]["schemas"]
    documented = {
        action: schemas[ref.split("/")[-1]] for action, ref in schemas["Command"]["discriminator"]["mapping"].items()
    }

    assert list(documented) == list(Action)
    assert schemas["PageIds"]["maxItems"] == MAX_PAGES
    for action, schema in documented.items():
        command = {"command": action, "projectId": "p", "pageIds": ["a"], "after": None, "discardCorrections": True}
        body = {name: command[name] for name in schema["properties"]}
        assert Command.parse("alice", 1, json.dumps(body)).action == action


@pytest.mark.parametrize("example", ROUTES["POST /commands"]["requestBody"]["content"]["application/json"]["examples"])
def test_an_example_of_a_command_is_one(example):
    content = ROUTES["POST /commands"]["requestBody"]["content"]["application/json"]
    assert Command.parse("alice", 1, json.dumps(content["examples"][example]["value"]))


def test_the_layouts_that_are_documented_are_those_that_there_are():
    (parameter,) = ROUTES["GET /projects/{projectId}/pdf"]["parameters"]

    assert parameter["schema"]["enum"] == list(Layout)
    assert parameter["schema"]["default"] == Layout.SCAN


def test_the_fonts_are_in_a_layer_of_the_functions_that_set_type():
    layer = RESOURCES["FontsLayer"]

    layers = {name: f["Properties"]["Layers"] for name, f in FUNCTIONS.items() if "Layers" in f["Properties"]}
    assert layers == {name: [{"Ref": "FontsLayer"}] for name in ("DocumentsFunction", "ExportPartFunction")}
    assert layer["Metadata"]["BuildMethod"] == TEMPLATE["Globals"]["Function"]["Runtime"]
    assert (ROOT / layer["Properties"]["ContentUri"] / "requirements.txt").is_file()


def test_data_outlives_the_stack():
    for name in ("UserPool", "ProjectsTable", "PagesTable", "AuditTable", "Bucket"):
        assert RESOURCES[name]["DeletionPolicy"] == "Retain"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("route", SERVICE_ROUTES)
def test_a_service_is_called_in_a_role_that_may_do_what_its_routes_do(route):
    name = SERVICE_ROUTES[route][INTEGRATION]["credentials"]["Fn::GetAtt"][0]
    subtypes = {
        other[INTEGRATION]["integrationSubtype"]
        for other in SERVICE_ROUTES.values()
        if other[INTEGRATION]["credentials"]["Fn::GetAtt"][0] == name
    }
    role = ROLES[name]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    ((statement,),) = [policy["PolicyDocument"]["Statement"] for policy in role["Policies"]]

    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    actions = as_list(statement["Action"])
    assert {action.split(":")[1] for action in actions} == {subtype.split("-")[1] for subtype in subtypes}


@pytest.mark.parametrize("name", STATE_MACHINES)
def test_a_workflow_has_its_definition_and_every_substitution_it_names(name):
    properties = STATE_MACHINES[name]["Properties"]
    text = (ROOT / properties["DefinitionUri"]).read_text()
    definition = yaml.safe_load(text)

    assert definition["StartAt"] in definition["States"]
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(properties["DefinitionSubstitutions"])
    assert properties["Logging"]["IncludeExecutionData"] is False, "it may hold what no log may"


@pytest.mark.parametrize("name", STATE_MACHINES)
def test_a_workflow_may_invoke_just_its_functions(name):
    properties = STATE_MACHINES[name]["Properties"]
    statements = [s for p in properties["Policies"] if "Statement" in p for s in p["Statement"]]
    functions = [value for value in properties["DefinitionSubstitutions"].values() if "Fn::GetAtt" in value]

    assert {s["Action"] for s in statements} == {"lambda:InvokeFunction"}
    assert [s["Resource"] for s in statements] == functions
    assert all(value["Fn::GetAtt"][0] in FUNCTIONS for value in functions)


@pytest.mark.parametrize(
    ("route", "resource"),
    [("POST /projects/{projectId}/checks", "projectId"), ("PUT /exports/{exportId}", "exportId")],
)
def test_an_execution_is_named_by_the_user_and_what_it_is_about(route, resource):
    parameters = ROUTES[route][INTEGRATION]["requestParameters"]

    assert parameters["Name"] == f"${{context.authorizer.claims.sub}}_${{request.path.{resource}}}"
    assert len("00000000-0000-0000-0000-000000000000" * 2 + "_") <= 80, "what a name may have"


def test_an_execution_is_stopped_under_the_name_that_it_was_started_under():
    started = ROUTES["PUT /exports/{exportId}"][INTEGRATION]["requestParameters"]
    stopped = ROUTES["DELETE /exports/{exportId}"][INTEGRATION]["requestParameters"]["ExecutionArn"]["Fn::Sub"]

    assert stopped.split(":execution:")[1].split(":") == [
        "${ExportsStateMachine.Name}",
        *started["Name"].replace("${", "${!").split(":"),
    ]
    assert started["StateMachineArn"] == {"Ref": "ExportsStateMachine"}
    assert started["Input"] == "$request.body", "nothing is composed into it"


def test_an_export_is_refused_by_what_it_is_refused_for():
    """The reasons that the API documents are the codes with which the workflow can fail, and what becomes of them."""
    reason = API["components"]["schemas"]["Export"]["properties"]["reason"]["properties"]["code"]["enum"]

    assert set(reason) == exports.REFUSALS | {"export-failed", "stopped", "expired"}
    assert API["components"]["schemas"]["Export"]["properties"]["status"]["enum"] == list(exports.Status)
    assert API["components"]["schemas"]["ExportFormat"]["enum"] == list(Format)


def tasks(states):
    """The tasks of a workflow, those of a Map's items among them, by their names."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        elif state["Type"] == "Map":
            yield from tasks(state["ItemProcessor"]["States"])


@pytest.mark.parametrize("machine", ["ExportsStateMachine", "ImportsStateMachine"])
def test_a_task_for_which_lambda_has_no_room_waits_beside_its_other_tries(machine):
    # https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
    definition = yaml.safe_load((ROOT / STATE_MACHINES[machine]["Properties"]["DefinitionUri"]).read_text())

    for _, task in tasks(definition["States"]):
        throttled, *others = task["Retry"]
        assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
        assert throttled["IntervalSeconds"] * throttled["MaxAttempts"] >= 600
        assert [retry["ErrorEquals"] for retry in others] == [["States.ALL"]]


EXPORTS = yaml.safe_load((ROOT / STATE_MACHINES["ExportsStateMachine"]["Properties"]["DefinitionUri"]).read_text())


@pytest.mark.parametrize("name", dict(tasks(EXPORTS["States"])))
def test_a_task_of_an_export_ends_before_its_workflow_gives_it_up(name):
    task = dict(tasks(EXPORTS["States"]))[name]
    function = FUNCTIONS[task["Parameters"]["FunctionName"].strip("${}")]["Properties"]
    throttled, retry = task["Retry"]
    waiting = throttled["IntervalSeconds"] * throttled["MaxAttempts"]

    assert function["Timeout"] < task["TimeoutSeconds"]
    assert task["TimeoutSeconds"] * (1 + retry["MaxAttempts"]) + waiting < EXPORTS["TimeoutSeconds"]


def test_a_part_names_the_page_with_which_it_fails_when_it_is_tried_for_the_last_time():
    _, retry = EXPORTS["States"]["Build parts"]["ItemProcessor"]["States"]["Build part"]["Retry"]

    assert retry["MaxAttempts"] == export_part.RETRIES


def test_what_an_order_may_hold_is_what_is_documented_and_fits_into_an_execution():
    order = API["components"]["schemas"]["ExportOrder"]["properties"]
    ids = [f"{number:036}" for number in range(export.MAX_PAGES)]

    assert order["pages"]["maxItems"] == export.MAX_PAGES
    assert len(json.dumps({"projectId": ids[0], "format": "text-pdf", "pages": ids, "language": "x" * 35})) < 256_000
    assert Order.parse(API["components"]["schemas"]["ExportOrder"]["example"]).language == "de"


def test_a_volume_and_its_parts_fit_on_the_disk_of_the_function_that_joins_them():
    properties = FUNCTIONS["ExportJoinFunction"]["Properties"]
    volume = int(properties["Environment"]["Variables"]["VOLUME_BYTES"])

    assert 2 * volume + (500 << 20) < properties["EphemeralStorage"]["Size"] << 20


def test_what_is_left_of_exports_is_cleaned_up_and_swept():
    pattern = RESOURCES["UnfinishedExportsRule"]["Properties"]["EventPattern"]
    days = {
        r.get("Prefix"): r.get("ExpirationInDays")
        for r in RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    }

    assert pattern["detail"]["stateMachineArn"] == [{"Ref": "ExportsStateMachine"}]
    assert set(pattern["detail"]["status"]) == {"ABORTED", "FAILED", "TIMED_OUT"}
    assert (days["parts/"], days["exports/"]) == (2, 7)


def test_a_check_is_answered_before_the_gateway_gives_up():
    definition = yaml.safe_load(
        (ROOT / STATE_MACHINES["ChecksStateMachine"]["Properties"]["DefinitionUri"]).read_text()
    )
    (task,) = definition["States"].values()
    (retry,) = task["Retry"]
    timeout = FUNCTIONS["ChecksFunction"]["Properties"].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])

    assert timeout <= task["TimeoutSeconds"]
    assert (
        task["TimeoutSeconds"] * (1 + retry["MaxAttempts"]) + retry["IntervalSeconds"]
        <= definition["TimeoutSeconds"]
        < 30
    )


def test_what_a_client_reports_is_marked_as_a_client_s_by_the_gateway():
    parameters = ROUTES["POST /events"][INTEGRATION]["requestParameters"]

    assert parameters["Source"] == "docscan.client.${context.authorizer.claims.sub}"
    assert parameters["DetailType"] == "ClientEvent"
    assert parameters["Detail"] == "$request.body"


def test_an_import_fails_for_a_reason_that_is_documented():
    codes = API["components"]["schemas"]["ImportFailure"]["properties"]["code"]["enum"]

    assert set(codes) == imports.CODES
    assert API["components"]["schemas"]["ImportStatus"]["enum"] == list(imports.Status)
    assert API["components"]["schemas"]["ImportContentType"]["enum"] == list(imports.CONTENT_TYPES)


def test_the_upload_of_an_import_starts_its_workflow_and_no_recognition():
    pattern = RESOURCES["ImportsRule"]["Properties"]["EventPattern"]
    notifications = RESOURCES["Bucket"]["Properties"]["NotificationConfiguration"]
    (recognition,) = notifications["QueueConfigurations"]

    assert notifications["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
    assert pattern["detail"] == {"bucket": {"name": [{"Ref": "Bucket"}]}, "object": {"key": [{"prefix": "imports/"}]}}
    assert recognition["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "images/"}]}}


def test_the_steps_of_an_import_are_those_that_there_are():
    text = (ROOT / STATE_MACHINES["ImportsStateMachine"]["Properties"]["DefinitionUri"]).read_text()
    definition = yaml.safe_load(text)
    inner = definition["States"]["Split"]["ItemProcessor"]["States"]
    tasks = [s for s in [*definition["States"].values(), *inner.values()] if s["Type"] == "Task"]

    assert {task["Parameters"]["Payload"]["step"] for task in tasks} == set(importing.STEPS)
    for task in tasks:
        assert task["Retry"][-1]["ErrorEquals"] == ["States.ALL"]
        if limit := task.get("TimeoutSeconds"):
            assert FUNCTIONS["ImportingFunction"]["Properties"]["Timeout"] < limit


def test_clients_and_parts_of_the_application_have_different_sources():
    pattern = RESOURCES["AuditRule"]["Properties"]["EventPattern"]

    assert pattern == {"source": [{"prefix": "docscan."}]}


RULES = {name: r for name, r in RESOURCES.items() if r["Type"] == "AWS::Events::Rule"}


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_cannot_deliver_goes_to_the_dead_letters(rule):
    """And may: to the target and to the dead letters alike, from that rule only."""
    arn = {"Fn::GetAtt": [rule, "Arn"]}
    allowed = [
        statement["Resource"]
        for r in RESOURCES.values()
        if r["Type"] == "AWS::SQS::QueuePolicy"
        for statement in r["Properties"]["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
        and arn in as_list(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    ]
    for target in RULES[rule]["Properties"]["Targets"]:
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
        assert target["DeadLetterConfig"]["Arn"] in allowed
        if "RoleArn" in target:  # Step Functions is called in a role, SQS allows the rule itself
            (statement,) = ROLES[target["RoleArn"]["Fn::GetAtt"][0]]["Properties"]["Policies"][0]["PolicyDocument"][
                "Statement"
            ]
            assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", target["Arn"])
        else:
            assert target["Arn"] in allowed


def test_audit_details_stay_as_long_as_their_entries():
    (rule,) = [
        rule
        for rule in RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        if rule.get("Prefix") == "audit/"
    ]

    assert rule["ExpirationInDays"] == audit.RETENTION_DAYS
    assert RESOURCES["AuditTable"]["Properties"]["TimeToLiveSpecification"]["Enabled"]
