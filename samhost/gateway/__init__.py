"""Amazon API Gateway's HTTP APIs on one machine: OpenAPI documents in, the same answers out.

What a document asks for and this gateway does not emulate is refused, never waved through. Facts in these modules are
marked: [doc] AWS documentation, [obs] observed at AWS and reported, [emu] seen only in emulators, [inf] inferred.
"""
