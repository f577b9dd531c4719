"""Usage and the daily quota in the running system, where requests come at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from unit.functions.pictures import picture


def today(user):
    answer = user.api.get("/usage")
    assert answer.status_code == 200
    return answer.json()["days"][0]


def test_an_upload_and_its_recognition_are_counted_once(sign_up):
    user = sign_up()
    project = user.project()
    page = user.upload(project, picture(size=(300, 200)))
    user.settled(project, page)
    day = datetime.now(UTC).date().isoformat()
    assert today(user) == {"day": day, "uploaded": 1, "recognised": 1}


def test_the_quota_holds_however_many_requests_come_at_once(sign_up, system):
    user = sign_up()
    project = user.project()
    quota = user.api.get("/usage").json()["quota"]["pagesPerDay"]
    system.client("dynamodb").put_item(
        TableName=system.output("UsageTableName"),
        Item={"owner": {"S": user.sub}, "day": {"S": today(user)["day"]}, "uploaded": {"N": str(quota - 3)}},
    )

    def add(_):
        return user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"})

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(add, range(12)))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"quota-exceeded"}
    assert user.api.get(f"/projects/{project}/pages/count").json() == {"pageCount": 3}
    assert today(user)["uploaded"] == quota
