def handler(event, context):
    return {
        "route": event["routeKey"],
        "path": event["rawPath"],
        "order": event.get("pathParameters", {}).get("orderId"),
        "currency": event["stageVariables"]["currency"],
    }
