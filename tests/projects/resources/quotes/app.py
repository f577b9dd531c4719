def handler(event, context):
    return {"route": event["routeKey"], "quote": event["pathParameters"]["quoteId"]}
