"""Answers to questions from the hits of a search, each sentence with what it rests on."""
