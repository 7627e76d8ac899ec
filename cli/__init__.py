"""The doors: parse the command line, call the use case in ``app``, print its answer, return its exit code.

Results go to stdout and everything else to stderr. No module of this package imports a use case at module level: a
command's file is loaded to show its help, its use case only to act. That keeps ``--help`` and completion fast.
"""
