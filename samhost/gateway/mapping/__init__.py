"""Parameter mapping: values of a request or a response, put into parameters of another.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""
