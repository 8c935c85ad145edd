"""The kinds of index behind one contract: each proposes near positions, which are rescored."""
