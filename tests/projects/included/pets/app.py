def handler(event, context):
    return {"route": event["routeKey"], "parameters": event.get("pathParameters")}
