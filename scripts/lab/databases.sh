#!/bin/sh
# Run once by PostgreSQL's own start: the second of the two databases (the first is POSTGRES_DB).
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --command "CREATE DATABASE labelstudio"
