"""Every statement of windows that is settlement's own."""

from sqlalchemy import text

# A window is closed once; whoever asks again changes nothing about who did it.
CLOSED = text("""
INSERT INTO settlement.window_closings (window_no, actor, person, at)
VALUES (:window_no, :actor, :person, :at) ON CONFLICT DO NOTHING
""")
