"""What can be dangerous about a change. Each function asks the live data, and answers with what it found or nothing.

Which of them there are, and how severe each is, says ``rules.py``.
"""
