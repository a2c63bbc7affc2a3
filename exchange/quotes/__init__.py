"""Quotes (报价): a rate, prices and a fee fixed until a time, for one conversion of one member."""
