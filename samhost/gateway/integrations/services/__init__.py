"""Service integrations: a route's request becomes an AWS service's call, with no function in between.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""
