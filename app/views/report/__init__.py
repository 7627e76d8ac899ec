"""A report as a page, a picture or pixels. Pure functions of a report; the page's own files lie beside this one."""
