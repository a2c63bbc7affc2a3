"""Points outstanding as a liability: how it rolls from window to window, by issuer and funder, and that it ties."""
