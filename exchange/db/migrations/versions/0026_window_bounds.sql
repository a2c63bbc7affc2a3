-- Every transfer of a window has a ledger sequence from its first_sequence on and below the next window's: windows are
-- cut off while nobody posts, and sequences only go up.
ALTER TABLE exchange.clearing_windows ADD COLUMN first_sequence bigint NOT NULL DEFAULT 0;

UPDATE exchange.clearing_windows w SET first_sequence = l.first_sequence
FROM (SELECT window_no, coalesce(max(last_sequence) OVER (ORDER BY window_no ROWS BETWEEN UNBOUNDED PRECEDING
                                                          AND 1 PRECEDING) + 1, 0) AS first_sequence
      FROM exchange.clearing_windows
      LEFT JOIN (SELECT window_no, max(ledger_sequence) AS last_sequence FROM exchange.transfers GROUP BY window_no) t
          USING (window_no)) l
WHERE l.window_no = w.window_no AND l.first_sequence > 0
