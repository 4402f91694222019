"""Handing a mail to a server: its bytes, the connections, and what the server's replies mean."""
