"""What CloudFormation leaves or cannot delete because something is in it: is it still there, empty it, delete it."""

from collections.abc import Callable
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

_MOST_IMAGES = 100  # that BatchDeleteImage takes


@dataclass(frozen=True)
class Kind:
    """What is done with resources of a type. `look` raises the service's ClientError for what is not there."""

    called: str
    look: Callable[[str, str], object]
    delete: Callable[[str, str], object]
    empty: Callable[[str, str], object] | None = None


def exists(kind: Kind, region: str, name: str) -> bool:
    """Tell whether a resource is there. Raises ClientError where that cannot be told."""
    try:
        kind.look(region, name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket", "ResourceNotFoundException"}:
            return False
        raise
    return True


def _empty_bucket(region: str, name: str) -> None:
    """Delete every version of every object, and every delete marker."""
    s3 = boto3.client("s3", region_name=region)
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        versions = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in listed]
        if not versions:
            continue
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": versions, "Quiet": True})
        if errors := answer.get("Errors"):
            raise ClientError({"Error": errors[0]}, "DeleteObjects")


def _delete_bucket(region: str, name: str) -> None:
    _empty_bucket(region, name)
    boto3.client("s3", region_name=region).delete_bucket(Bucket=name)


def _empty_repository(region: str, name: str) -> None:
    """Delete every image; those that are part of another one can go only once that one is gone."""
    ecr = boto3.client("ecr", region_name=region)
    while listed := ecr.list_images(repositoryName=name, maxResults=_MOST_IMAGES)["imageIds"]:
        digests = [{"imageDigest": digest} for digest in {image["imageDigest"] for image in listed}]
        answer = ecr.batch_delete_image(repositoryName=name, imageIds=digests)
        if not answer["imageIds"]:
            [failure, *_] = answer["failures"]
            error = {"Code": failure["failureCode"], "Message": failure["failureReason"]}
            raise ClientError({"Error": error}, "BatchDeleteImage")


KINDS = {
    "AWS::S3::Bucket": Kind(
        "bucket",
        lambda region, name: boto3.client("s3", region_name=region).head_bucket(Bucket=name),
        _delete_bucket,
        _empty_bucket,
    ),
    "AWS::DynamoDB::Table": Kind(
        "table",
        lambda region, name: boto3.client("dynamodb", region_name=region).describe_table(TableName=name),
        lambda region, name: boto3.client("dynamodb", region_name=region).delete_table(TableName=name),
    ),
    "AWS::Cognito::UserPool": Kind(
        "user pool",
        lambda region, name: boto3.client("cognito-idp", region_name=region).describe_user_pool(UserPoolId=name),
        lambda region, name: boto3.client("cognito-idp", region_name=region).delete_user_pool(UserPoolId=name),
    ),
    "AWS::ECR::Repository": Kind(
        "image repository",
        lambda region, name: boto3.client("ecr", region_name=region).describe_repositories(repositoryNames=[name]),
        lambda region, name: boto3.client("ecr", region_name=region).delete_repository(repositoryName=name),
        _empty_repository,
    ),
}
