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

ADD_SPAN = text("""
INSERT INTO settlement.calendar_spans (calendar, currency_code, after, until, edition)
VALUES (:calendar, :currency_code, :after, :until, :edition)
""")

KEEP_CUT_OFF = text("""
INSERT INTO settlement.calendar_cut_offs (calendar, currency_code, cut_off_at, day, meant, pay_day)
VALUES (:calendar, :currency_code, :at, :day, :meant, :pay_day)
""")

REACH = text("""
SELECT currency_code, max(until) AS until FROM settlement.calendar_spans WHERE calendar = :calendar
GROUP BY currency_code
""")

EDITIONS = text("""
SELECT DISTINCT edition FROM settlement.calendar_spans WHERE calendar = :calendar AND :at > after AND :at <= until
ORDER BY edition
""")

# Each currency by itself, so that one cut off daily does not crowd out one cut off monthly.
FIRSTS = text("""
SELECT k.currency_code, k.cut_off_at, k.day, k.meant, k.pay_day
FROM (SELECT DISTINCT currency_code FROM settlement.calendar_spans WHERE calendar = :calendar) c
CROSS JOIN LATERAL (
    SELECT * FROM settlement.calendar_cut_offs k
    WHERE k.calendar = :calendar AND k.currency_code = c.currency_code AND k.cut_off_at > :after
    ORDER BY k.cut_off_at LIMIT :count) k
ORDER BY k.cut_off_at, k.currency_code
""")

LASTS = text("""
SELECT DISTINCT ON (k.currency_code) k.currency_code, k.cut_off_at, k.day, k.meant, k.pay_day
FROM settlement.calendar_cut_offs k
WHERE k.calendar = :calendar AND k.cut_off_at > :after AND k.cut_off_at <= :until
ORDER BY k.currency_code, k.cut_off_at DESC
""")

BETWEEN = text("""
SELECT k.currency_code, k.cut_off_at, k.day, k.meant, k.pay_day FROM settlement.calendar_cut_offs k
WHERE k.calendar = :calendar AND k.currency_code = :currency_code AND k.cut_off_at > :after AND k.cut_off_at <= :until
ORDER BY k.cut_off_at
""")
