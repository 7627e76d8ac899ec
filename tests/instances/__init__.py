"""Tests of the problems that ship with the project."""
