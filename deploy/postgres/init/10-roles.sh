#!/usr/bin/env bash
# Runs once, when the cluster is empty: a database for every service and one for the keys, each
# with an owner, who alone changes tables, and a role that the service works with. Passwords are
# read by psql from the secret files, so that they stand in no argument and in no log.
set -euo pipefail

secrets=${SECRETS:-/run/secrets}

run() { psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" "$@"; }

make_role() { # NAME
  # psql goes on without a file that it cannot read, and the role would have no password.
  [[ -s $secrets/$1.password && -r $secrets/$1.password ]] || { echo "$1.password cannot be read" >&2; exit 1; }
  run -d postgres -v role="$1" -v file="$secrets/$1.password" <<'SQL'
\set password `tr -d '\r\n' < :'file'`
CREATE ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD :'password';
SQL
}

make_database() { # DATABASE OWNER ROLE...
  local database=$1 owner=$2
  shift 2
  run -d postgres -v database="$database" -v owner="$owner" <<'SQL'
CREATE DATABASE :"database" OWNER :"owner" TEMPLATE template0;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
  run -d "$database" -v owner="$owner" <<'SQL'
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
  for role in "$@"; do
    run -d "$database" -v database="$database" -v role="$role" <<'SQL'
GRANT CONNECT ON DATABASE :"database" TO :"role";
GRANT USAGE ON SCHEMA public TO :"role";
SQL
  done
}

run -d postgres <<'SQL'
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
SQL
for service in registry conditionality payments projection; do
  make_role "pkh_$service"
  make_role "pkh_${service}_owner"
  make_database "pkh_$service" "pkh_${service}_owner" "pkh_$service"
done
# Grafana reads sums that the projection's migrations grant to it; it changes nothing, and what it
# asks for ends in time.
make_role pkh_grafana
run -d pkh_projection <<'SQL'
GRANT CONNECT ON DATABASE pkh_projection TO pkh_grafana;
GRANT USAGE ON SCHEMA public TO pkh_grafana;
ALTER ROLE pkh_grafana CONNECTION LIMIT 8;
ALTER ROLE pkh_grafana SET default_transaction_read_only = on;
ALTER ROLE pkh_grafana SET statement_timeout = '15s';
SQL
# Registry makes and reads keys, payments reads them, the eraser destroys them; tables say so.
make_role pkh_keys_owner
make_role pkh_eraser
make_database pkh_keys pkh_keys_owner pkh_eraser pkh_registry pkh_payments
