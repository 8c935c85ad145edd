"""Conformance suites that our own tests and third parties subclass."""
