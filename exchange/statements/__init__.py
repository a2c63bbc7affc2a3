"""Statements (对账单): what happened to a member's points, line by line and month by month, so that it adds up."""
