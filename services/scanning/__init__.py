"""Virus scanning of every file that comes in."""
