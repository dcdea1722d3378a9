#!/bin/sh
# Copies what make has built into place, then sets owners. Stops at the first
# failure. usage: install [queue-only], in the source directory, as root.
set -e
./instpackage "$@"
./instchown "$@"
