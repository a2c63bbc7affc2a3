"""Reports: what finance and merchants receive, as values first and then in every format."""
