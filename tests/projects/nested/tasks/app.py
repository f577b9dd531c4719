import os


def handler(event, context):
    return {name: os.environ[name] for name in ("OWNER", "RETRIES", "LIMIT")}
