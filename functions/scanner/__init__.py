"""What Docscan's functions share: domain modules here, use cases in `services`, AWS behind `aws`.

Imports point one way: handlers → `services` → the domain; only `aws` imports boto3.
"""
