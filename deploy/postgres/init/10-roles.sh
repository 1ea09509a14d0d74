#!/usr/bin/env bash
# Gives every service a database and the keys one more, each with an owner, who alone changes tables,
# and a role that the service works with. Runs by itself when the cluster is empty, and by hand when
# a service is new (docs/containers.md): what is there stays. Passwords are read by psql from the
# secret files, so that they stand in no argument and in no log.
set -euo pipefail

secrets=${SECRETS:-/run/secrets}

run() { psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" "$@"; }

make_role() { # NAME
  # psql goes on without a file that it cannot read, and the role would have no password.
  [[ -s $secrets/$1.password && -r $secrets/$1.password ]] || { echo "$1.password cannot be read" >&2; exit 1; }
  run -d postgres -v role="$1" -v file="$secrets/$1.password" <<'SQL'
\set password `tr -d '\r\n' < :'file'`
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD %L',
              :'role', :'password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SQL
}

make_database() { # DATABASE OWNER ROLE...
  local database=$1 owner=$2
  shift 2
  run -d postgres -v database="$database" -v owner="$owner" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
  run -d "$database" -v owner="$owner" <<'SQL'
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
  for role in "$@"; do
    admit "$database" "$role"
  done
}

admit() { # DATABASE ROLE
  run -d "$1" -v database="$1" -v role="$2" <<'SQL'
GRANT CONNECT ON DATABASE :"database" TO :"role";
GRANT USAGE ON SCHEMA public TO :"role";
SQL
}

make_service() { # NAME
  make_role "pkh_$1"
  make_role "pkh_${1}_owner"
  make_database "pkh_$1" "pkh_${1}_owner" "pkh_$1"
}

make_reader() { # SERVICE ROLE: it reads what migrations grant to it, and what it asks for ends in time
  make_role "$2"
  admit "pkh_$1" "$2"
  run -d postgres -v role="$2" <<'SQL'
ALTER ROLE :"role" CONNECTION LIMIT 8;
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '15s';
SQL
}

run -d postgres <<'SQL'
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
SQL
# Registry makes and reads keys, payments reads them, the eraser destroys them; tables say so.
make_role pkh_keys_owner
make_role pkh_eraser
# begin roles
make_service registry
make_service conditionality
make_service payments
make_service projection
make_reader projection pkh_grafana
make_database pkh_keys pkh_keys_owner pkh_registry pkh_payments pkh_eraser
# end roles
