"""Studies: many searches, one row each, and what can be said of them.

::

    configuration.py  instances.py     what is asked: TOML files as options of ``plan``; the problems below some folders
    cell.py                            one search: problem x configuration x seed, its name and its digest
    child.py                           a process with limits: forked, watched, ended with all it started
    search_cell.py                     what runs in it, and the news it leaves behind
    fork_server.py  crew.py  lines.py  who forks (planner loaded, loops compiled), who asks it to, how they talk
    record.py  provenance.py           from the end of a process to a row; where figures come from
    row.py  ledger.py                  one line per cell, durable; the folder that holds them, locked
    trajectory.py                      incumbents and bounds over time
    statistics.py  profiles.py         means, intervals, performance profiles, primal integrals: pure functions
    contradictions.py                  what cannot all be true
"""
