"""A demo user in each user pool of the stack, with a password of this data directory's own."""

import secrets

from samhost.deployment import engine_client, stack_resources
from samhost.settings import Settings

DEMO_USER = "demo@example.com"


def ensure_demo_users(settings: Settings) -> list[dict[str, str]]:
    """Create the demo user where it is missing; returns `[{"userPoolId", "username", "password"}]`."""
    password = _password(settings)
    cognito = engine_client(settings, "cognito-idp")
    pools = list(stack_resources(settings, "AWS::Cognito::UserPool").values())
    for pool in pools:
        try:
            cognito.admin_create_user(
                UserPoolId=pool,
                Username=DEMO_USER,
                MessageAction="SUPPRESS",
                UserAttributes=[
                    {"Name": "email", "Value": DEMO_USER},
                    {"Name": "email_verified", "Value": "true"},
                ],
            )
        except cognito.exceptions.UsernameExistsException:
            continue
        cognito.admin_set_user_password(UserPoolId=pool, Username=DEMO_USER, Password=password, Permanent=True)
    return [{"userPoolId": pool, "username": DEMO_USER, "password": password} for pool in pools]


def _password(settings: Settings) -> str:
    file = settings.data_dir / "demo-password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"Demo-{secrets.token_urlsafe(9)}1")
    return file.read_text()
