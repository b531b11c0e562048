"""Reads documents of unknown origin in a process of its own, with limits of time, memory and output.

That process opens no file and no connection after its start. Imports nothing of ours.
"""
