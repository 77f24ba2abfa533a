"""The reference exchange: the rulebook as plain Python, and the auditor that believes only events.

Written to be read beside `docs/rulebook.md` and to judge the engine; it shares no code with it. Whatever the two
disagree on is a bug in one of them or a gap in the page.
"""
