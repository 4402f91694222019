"""Who is told what, when something happens: from an applied event to rendered requests. Pure functions."""
