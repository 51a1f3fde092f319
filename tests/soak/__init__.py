"""Kills the real process at random moments, and looks whether anything is lost or mixed."""
