"""Streams that bring events: Redis Streams, and Kafka behind the same contract."""
