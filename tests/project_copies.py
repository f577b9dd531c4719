"""Projects of many pages that are ready, without having each of them recognised."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


def multiply(system, owner, project, page, count, image=None):
    """Make a project of one recognised page one of `count` copies, each with a text of its own, "copy 1" and so on.

    Their images differ in a comment; `image`, JPEG bytes, is shown in place of the page's. Returns the pages' ids.
    """
    s3, dynamodb = system.client("s3"), system.client("dynamodb")
    bucket, table = system.output("BucketName"), system.output("PagesTableName")
    item = dynamodb.get_item(TableName=table, Key={"projectId": {"S": project}, "pageId": {"S": page}})["Item"]
    image_id = item["imageId"]["S"]
    image = image or s3.get_object(Bucket=bucket, Key=f"images/{project}/{page}/{image_id}")["Body"].read()
    words = s3.get_object(Bucket=bucket, Key=f"words/{project}/{page}/{image_id}.json")["Body"].read()

    def copy(place):
        page_id = str(uuid.uuid4())
        comment = f"copy {place}".encode()
        marked = image[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + image[2:]
        s3.put_object(Bucket=bucket, Key=f"words/{project}/{page_id}/{image_id}.json", Body=words)
        version = s3.put_object(Bucket=bucket, Key=f"images/{project}/{page_id}/{image_id}", Body=marked)["VersionId"]
        changes = {
            "pageId": {"S": page_id},
            "imageVersion": {"S": version},
            "position": {"N": str(place)},
            "text": {"S": f"copy {place}"},
            "corrected": {"BOOL": True},
        }
        dynamodb.put_item(TableName=table, Item=item | changes)
        return page_id

    with _unnoticed(s3, bucket), ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(copy, range(1, count + 1)))
    dynamodb.delete_item(TableName=table, Key={"projectId": {"S": project}, "pageId": {"S": page}})
    dynamodb.update_item(
        TableName=system.output("ProjectsTableName"),
        Key={"owner": {"S": owner}, "projectId": {"S": project}},
        UpdateExpression="SET pageCount = :count, #ready = :count, nextPosition = :next",
        ExpressionAttributeNames={"#ready": "ready"},
        ExpressionAttributeValues={":count": {"N": str(count)}, ":next": {"N": str(count + 1)}},
    )
    return pages


@contextmanager
def _unnoticed(s3, bucket):
    """What is put into the bucket is not recognised."""
    configured = s3.get_bucket_notification_configuration(Bucket=bucket)
    configured.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configured)
