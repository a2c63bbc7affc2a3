"""Every statement of windows that is settlement's own."""

from sqlalchemy import text

# A window is closed once; whoever asks again changes nothing about who did it.
CLOSED = text("""
INSERT INTO settlement.window_closings (window_no, actor, person, at, calendar, edition, leave)
VALUES (:window_no, :actor, :person, :at, :calendar, :edition, :leave) ON CONFLICT DO NOTHING
""")

CUT_OFF = text("""
INSERT INTO settlement.window_cut_offs (window_no, currency_code, cut_off_at, pay_day)
VALUES (:window_no, :currency_code, :cut_off_at, :pay_day)
""")

CUT_OFFS = text("""
SELECT window_no, currency_code, cut_off_at, pay_day FROM settlement.window_cut_offs
WHERE window_no BETWEEN :least AND :most ORDER BY window_no, currency_code
""")

CALENDAR_OF = text("""
SELECT p.content FROM settlement.window_closings c JOIN settlement.proposals p ON p.proposal_id = c.calendar
WHERE c.window_no = :window_no
""")

# The first closed window after those that were ever run; a window whose run was rejected is somebody's to look at.
NEVER_RUN = text("""
SELECT w.window_no FROM exchange.clearing_windows_v1 w
WHERE w.closed_at IS NOT NULL AND w.window_no > coalesce((SELECT max(window_no) FROM settlement.runs), 0)
ORDER BY w.window_no
""")
