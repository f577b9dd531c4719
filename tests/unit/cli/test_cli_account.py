"""Which system is used and as whom: `docscan login`, `logout`, `whoami`, profiles, and the local system's addresses."""

import json
import stat
from pathlib import Path

import httpx
import pytest

from docscan_cli.profiles import Profile, load_profile, save_profile
from docscan_cli.sign_in import NewPasswordRequired, Tokens

ENDPOINT = "https://abc123.execute-api.eu-central-1.amazonaws.com"
ADDRESSES = ("--endpoint", ENDPOINT, "--region", "eu-central-1", "--client-id", "cli-client")
COGNITO = "https://cognito-idp.eu-central-1.amazonaws.com/"
PASSWORD = "correct horse"


@pytest.fixture
def signed_in(system, run):
    result = run("login", *ADDRESSES, "--profile", "prod", "--username", "demo@example.com", stdin=f"{PASSWORD}\n")
    assert result.exit_code == 0
    return system


def profile_file(folder) -> Path:
    return folder.parent / "config/docscan/profiles/prod.json"


# ---- login


def test_login_asks_for_name_and_password_and_says_how_to_use_the_profile(system, run):
    result = run("login", *ADDRESSES, stdin=f"demo@example.com\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert "Signed in as demo@example.com. Use it with --profile default" in result.stderr
    assert PASSWORD not in result.output
    assert [str(request.url) for request in system.requests] == [COGNITO]


def test_what_a_login_keeps_is_for_its_owner_alone(signed_in, folder):
    path = profile_file(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [other.name for other in path.parent.iterdir()] == ["prod.json"]
    assert PASSWORD not in path.read_text()


def test_a_second_login_needs_no_addresses(signed_in, run):
    result = run("login", "--profile", "prod", "--password-stdin", stdin=PASSWORD)
    assert result.exit_code == 0
    assert load_profile("prod").endpoint == ENDPOINT


def test_a_login_elsewhere_does_not_keep_the_old_address(signed_in, run):
    run("login", "--profile", "prod", "--endpoint", "https://new.example.com/", stdin=f"{PASSWORD}\n")
    assert load_profile("prod").endpoint == "https://new.example.com"


OUTPUTS = [
    {"OutputKey": "ScannerApiUrl", "OutputValue": ENDPOINT},
    {"OutputKey": "Region", "OutputValue": "eu-central-1"},
    {"OutputKey": "CliClientId", "OutputValue": "cli-client"},
    {"OutputKey": "BucketName", "OutputValue": "x"},
]


@pytest.mark.parametrize("content", [OUTPUTS, {"Stacks": [{"StackName": "docscan", "Outputs": OUTPUTS}]}])
def test_the_addresses_come_from_the_stacks_outputs(system, run, folder, content):
    (folder / "outputs.json").write_text(json.dumps(content))
    stdin = f"demo@example.com\n{PASSWORD}\n"
    assert run("login", "--stack-outputs", "outputs.json", "--profile", "prod", stdin=stdin).exit_code == 0
    assert load_profile("prod").endpoint == ENDPOINT


def test_the_addresses_come_from_the_environment(system, run, monkeypatch):
    monkeypatch.setenv("DOCSCAN_ENDPOINT", ENDPOINT)
    monkeypatch.setenv("DOCSCAN_REGION", "eu-central-1")
    monkeypatch.setenv("DOCSCAN_CLIENT_ID", "cli-client")
    assert run("login", stdin=f"demo@example.com\n{PASSWORD}\n").exit_code == 0


def test_the_templates_outputs_are_those_that_login_reads():
    template = (Path(__file__).parents[3] / "template.yaml").read_text("utf-8")
    outputs = template.partition("\nOutputs:\n")[2]
    for name in ("ScannerApiUrl", "Region", "CliClientId"):
        assert f"\n  {name}:" in "\n" + outputs


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--endpoint, --region, --client-id missing"),
        ([*ADDRESSES[:4]], "--client-id missing"),
        ([*ADDRESSES, "--endpoint", "http://example.com"], "is not the address of an API: https"),
        ([*ADDRESSES, "--endpoint", "https://user@example.com"], "is not the address of an API"),
        ([*ADDRESSES, "--region", "example.com/"], "is not an AWS region"),
        ([*ADDRESSES, "--profile", "../x"], "cannot be a profile's name"),
        (["--stack-outputs", "none.json"], "none.json cannot be read"),
        (["--stack-outputs", "empty.json"], "sam list stack-outputs"),
    ],
)
def test_addresses_that_cannot_be_right_are_refused_before_a_password_is_asked_for(
    system, run, folder, arguments, says
):
    (folder / "empty.json").write_text("{}")
    result = run("login", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Password" not in result.output
    assert system.requests == []


def test_a_wrong_password_is_refused_and_nothing_is_kept(system, run):
    result = run("login", *ADDRESSES, "--profile", "prod", stdin="demo@example.com\nwrong\n")
    assert result.exit_code == 4
    assert "The sign-in was refused: Incorrect username or password." in result.stderr
    assert load_profile("prod") is None


def test_a_temporary_password_is_replaced_by_one_of_the_users_own(system, run):
    system.challenge = "NEW_PASSWORD_REQUIRED"
    stdin = f"demo@example.com\n{PASSWORD}\nmy own password\nmy own password\n"
    assert run("login", *ADDRESSES, "--profile", "prod", stdin=stdin).exit_code == 0
    assert system.passwords["demo@example.com"] == "my own password"
    answer = json.loads(system.requests[-1].content)
    assert answer["ChallengeResponses"]["USERNAME"] == "demo-sub"
    assert load_profile("prod").refresh_token


def test_a_new_password_that_the_policy_refuses_is_said(system, run):
    system.challenge = "NEW_PASSWORD_REQUIRED"
    result = run("login", *ADDRESSES, stdin=f"demo@example.com\n{PASSWORD}\nshort\nshort\n")
    assert result.exit_code == 4
    assert "Password not long enough" in result.stderr


def test_a_temporary_password_from_stdin_is_refused(system, run):
    system.challenge = "NEW_PASSWORD_REQUIRED"
    result = run("login", *ADDRESSES, "--username", "demo@example.com", "--password-stdin", stdin=PASSWORD)
    assert result.exit_code == 4
    assert "without --password-stdin" in result.stderr


@pytest.mark.parametrize("challenge", ["SOFTWARE_TOKEN_MFA", "SMS_MFA", "SELECT_CHALLENGE"])
def test_a_second_factor_is_refused_clearly(system, run, challenge):
    system.challenge = challenge
    result = run("login", *ADDRESSES, stdin=f"demo@example.com\n{PASSWORD}\n")
    assert result.exit_code == 4
    assert f"asks for a second step that docscan cannot do ({challenge})" in result.stderr


def test_no_more_input_at_a_prompt_stops_the_command(system, run):
    assert run("login", *ADDRESSES).exit_code == 130


# ---- a profile in use


def test_a_profile_is_used_with_its_tokens(signed_in, run):
    signed_in.add_project("Letters")
    assert "Letters" in run("projects", "--profile", "prod").stdout
    assert str(signed_in.requests[-1].url).startswith(ENDPOINT)
    assert signed_in.sign_ins == {"USER_PASSWORD_AUTH": 1}


def test_an_old_access_token_is_renewed_and_the_new_one_kept(signed_in, run):
    profile = load_profile("prod")
    save_profile(Profile(**{**vars(profile), "expires_at": 0.0, "access_token": "SECRET-old"}))
    assert run("projects", "--profile", "prod").exit_code == 0
    assert run("projects", "--profile", "prod").exit_code == 0
    assert signed_in.sign_ins == {"USER_PASSWORD_AUTH": 1, "REFRESH_TOKEN_AUTH": 1}
    assert load_profile("prod").refresh_token == profile.refresh_token


def test_a_sign_in_that_has_ended_says_how_to_sign_in_again(signed_in, run):
    signed_in.refresh_tokens.clear()
    signed_in.valid_tokens.clear()
    result = run("projects", "--profile", "prod")
    assert result.exit_code == 4
    assert "Refresh Token has been revoked" in result.stderr
    assert "docscan login --profile prod" in result.stderr


def test_logout_ends_the_sign_in_here_and_at_the_system(signed_in, run, folder):
    assert run("logout", "--profile", "prod").exit_code == 0
    assert signed_in.refresh_tokens == set()
    assert "SECRET" not in profile_file(folder).read_text()
    result = run("projects", "--profile", "prod")
    assert result.exit_code == 4
    assert "Profile prod is signed out. Sign in with: docscan login --profile prod" in result.stderr
    assert run("logout", "--profile", "prod").exit_code == 0


def test_logout_forgets_the_sign_in_even_if_the_system_cannot_be_told(signed_in, run, folder):
    signed_in.fail("POST", "/", *[httpx.ConnectError("no route")] * 6)
    result = run("logout", "--profile", "prod")
    assert result.exit_code == 3
    assert "forgotten" in result.stderr
    assert "SECRET" not in profile_file(folder).read_text()


def test_logout_of_a_profile_that_is_not_there(system, run):
    assert run("logout", "--profile", "none").exit_code == 2


@pytest.mark.parametrize("content", ["", "[]", '{"unknown": 1}'])
def test_a_broken_profile_says_how_to_make_it_anew(signed_in, run, folder, content):
    profile_file(folder).write_text(content)
    result = run("projects", "--profile", "prod")
    assert result.exit_code == 2
    assert "is not a profile. Remove it, then: docscan login --profile prod" in result.stderr


# ---- which system


def test_a_profile_goes_before_the_local_system(local_system, signed_in, run, monkeypatch):
    assert "on the local system (http://127.0.0.1:3000)" in run("whoami").stdout
    assert f"on profile prod ({ENDPOINT})" in run("whoami", "--profile", "prod").stdout
    monkeypatch.setenv("DOCSCAN_PROFILE", "prod")
    assert json.loads(run("whoami", "--json").stdout) == {
        "username": "demo@example.com",
        "system": "profile prod",
        "endpoint": ENDPOINT,
    }


def test_the_data_folder_of_the_environment_goes_before_the_current_folder(
    local_system, run, addresses, tmp_path, monkeypatch
):
    other = {"ScannerApi": "http://127.0.0.1:3999"}
    addresses(tmp_path / "elsewhere", apis=other)
    monkeypatch.setenv("DOCSCAN_DATA_DIR", str(tmp_path / "elsewhere"))
    assert "http://127.0.0.1:3999" in run("whoami").stdout
    monkeypatch.setenv("DOCSCAN_DATA_DIR", str(tmp_path / "nowhere"))
    result = run("whoami")
    assert result.exit_code == 3
    assert "nowhere. Start it with `docscan up`" in result.stderr


def test_the_local_system_is_found_from_a_folder_below(local_system, run, folder, monkeypatch):
    (folder / "scans/today").mkdir(parents=True)
    monkeypatch.chdir(folder / "scans/today")
    assert run("whoami").exit_code == 0


def test_without_a_system_it_says_how_to_start_one(system, run, image):
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 3
    assert "No system is running here. Start it with `docscan up` (or `make run`)" in result.stderr
    assert "Nothing was created." in result.stderr
    assert system.requests == []


def test_without_a_local_system_profiles_are_offered_but_never_used_by_themselves(signed_in, run, image):
    requests = len(signed_in.requests)
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 3
    assert "Or use a profile: --profile prod." in result.stderr
    assert len(signed_in.requests) == requests


def test_an_unknown_profile_says_which_there_are(signed_in, run):
    result = run("projects", "--profile", "test")
    assert result.exit_code == 4
    assert "There is no profile test. There are: prod. Make it with: docscan login --profile test" in result.stderr


def test_a_system_that_was_killed_is_not_reachable(local_system, run):
    local_system.fail("POST", "/", *[httpx.ConnectError("Connection refused")] * 2)
    result = run("projects")
    assert result.exit_code == 3
    assert "127.0.0.1:4566 cannot be reached" in result.stderr
    assert "docscan up" in result.stderr
    assert len(local_system.requests) == 2


@pytest.mark.parametrize("key", ["engine", "apis"])
@pytest.mark.parametrize("host", ["http://192.0.2.1:3000", "https://example.com", "http://127.0.0.1.example.com"])
def test_a_data_folder_that_leads_elsewhere_is_not_used(system, run, folder, addresses, key, host):
    addresses(folder / ".docscan", **{key: {"ScannerApi": host} if key == "apis" else host})
    result = run("projects")
    assert result.exit_code == 3
    assert "leads away from this machine" in result.stderr
    assert system.requests == []


def test_a_data_folder_of_somebody_else_is_not_used(local_system, run, folder, monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4711)
    result = run("projects")
    assert result.exit_code == 3
    assert "belongs to another user" in result.stderr
    monkeypatch.setenv("DOCSCAN_DATA_DIR", str(folder / ".docscan"))
    assert run("projects").exit_code == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"apis": {}}'])
def test_addresses_that_say_nothing_are_an_error(system, run, folder, addresses, content):
    addresses(folder / ".docscan").write_text(content)
    result = run("projects")
    assert result.exit_code == 5
    assert "docscan down, then docscan up" in result.stderr


def test_secrets_do_not_show_in_a_representation():
    secrets = [
        Tokens("SECRET", "SECRET", 0.0),
        Profile("p", "e", "r", "c", "u", "SECRET", "SECRET"),
        NewPasswordRequired("u", "SECRET"),
    ]
    assert "SECRET" not in repr(secrets)


# ---- usage


def test_usage_tells_the_quota_what_is_left_of_it_and_the_days(local_system, run):
    local_system.usage["days"].append({"day": "2026-11-19", "uploaded": 1000, "recognised": 7})
    assert run("usage").stdout.splitlines() == [
        "You may upload 1,000 pages a day; 976 are left today.",
        "",
        "DAY         UPLOADED  RECOGNISED",
        "2026-11-21  24        23",
        "2026-11-19  1000      7",
    ]


def test_no_less_than_nothing_is_left_of_a_quota_that_was_lowered(local_system, run):
    local_system.usage["quota"]["pagesPerDay"] = 10
    assert "0 are left today" in run("usage").stdout


def test_usage_as_json_is_the_apis(local_system, run):
    assert json.loads(run("usage", "--json").stdout) == local_system.usage
