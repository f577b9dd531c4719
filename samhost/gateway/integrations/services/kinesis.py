"""Amazon Kinesis Data Streams.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
"""

import base64

from samhost.gateway.engine import Reply
from samhost.gateway.integrations.services.call import Operation, Parameters, RoleClient


async def _put_record(parameters: Parameters, client: RoleClient) -> Reply:
    # The record's data is what the expression comes to, byte for byte. That the gateway encodes it is not documented:
    # AWS's own sample maps plain text, which PutRecord refuses [inf].
    data = base64.b64encode(parameters["Data"].encode(errors="surrogateescape")).decode()
    return await client.json("kinesis", "Kinesis_20131202.PutRecord", "1.1", {**parameters, "Data": data})


OPERATIONS: dict[str, Operation] = {"Kinesis-PutRecord": _put_record}
BYTES = {"Data"}  # parameters that need not be text
