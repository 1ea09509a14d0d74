#!/usr/bin/env bash
# Gives every service a database and the keys one more, each with an owner, who alone changes tables,
# and a role that the service works with. Runs by itself when the cluster is empty, and by hand when
# a service is new (docs/containers.md): what is there stays. The platform on one machine runs it too,
# with ALSO: more of the lines below, for the embedded bus. All of it is one session of psql, which is
# begun when every password can be read. psql reads them itself from the secret files, so that they stand
# in no argument and in no log.
set -euo pipefail

secrets=${SECRETS:-/run/secrets}

let_variables() { # NAME VALUE...
  while (($#)); do
    printf "\\set %s '%s'\n" "$1" "$2"
    shift 2
  done
}

with_password() { # NAME
  # psql goes on without a file that it cannot read, and the role would have no password.
  [[ -s $secrets/$1.password && -r $secrets/$1.password ]] || { echo "$1.password cannot be read" >&2; exit 1; }
  let_variables role "$1" file "$secrets/$1.password"
  echo "\\set password \`tr -d '\\r\\n' < :'file'\`"
}

make_role() { # NAME CONNECTIONS: so many at once, for two processes of a kind, that none takes all
  with_password "$1"
  let_variables connections "$2"
  cat <<'SQL'
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD %L',
              :'role', :'password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" CONNECTION LIMIT :connections;
SQL
}

limit_files() { # ROLE: of those that it sorts in; only a superuser lifts it
  let_variables role "$1"
  echo "ALTER ROLE :\"role\" SET temp_file_limit = '1GB';"
}

change_password() { # NAME
  with_password "$1"
  cat <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
}

make_database() { # DATABASE OWNER ROLE...
  local database=$1
  let_variables database "$1" owner "$2"
  cat <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
\connect :"database"
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- What writes without a table fills the disk for whoever gets in, and nobody here needs it.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname ~ '^(lo_.*|lo(read|write)|pg_logical_emit_message)$' \gexec
SQL
  shift 2
  for role in "$@"; do
    admit "$database" "$role"
  done
}

admit() { # DATABASE ROLE
  let_variables database "$1" role "$2"
  cat <<'SQL'
\connect :"database"
GRANT CONNECT ON DATABASE :"database" TO :"role";
GRANT USAGE ON SCHEMA public TO :"role";
SQL
}

make_service() { # NAME
  make_role "pkh_$1" 80
  make_role "pkh_${1}_owner" 8
  make_database "pkh_$1" "pkh_${1}_owner" "pkh_$1"
}

make_relay() { # SERVICE: it reads what leaves the service, and moves how far that is
  make_role "pkh_${1}_relay" 24
  limit_files "pkh_${1}_relay"
  admit "pkh_$1" "pkh_${1}_relay"
}

# It reads what migrations grant to it. What it asks for ends in time, unless it says otherwise itself,
# which PostgreSQL lets any role do; what it cannot lift are its connections, the files that it sorts
# in, and that it may call nothing that holds locks of leaders, or says within another statement for
# whom it reads.
make_reader() { # SERVICE ROLE CONNECTIONS
  make_role "$2" "$3"
  limit_files "$2"
  admit "pkh_$1" "$2"
  let_variables service "pkh_$1" owner "pkh_${1}_owner"
  cat <<'SQL'
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '15s';
SELECT format('REVOKE EXECUTE ON FUNCTION %1$s FROM PUBLIC', oid::regprocedure),
       format('GRANT EXECUTE ON FUNCTION %1$s TO %2$I, %3$I', oid::regprocedure, :'service', :'owner')
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname ~ '^(set_config|pg_(try_)?advisory_(xact_)?lock.*)$' \gexec
SQL
}

make_common_database() { # DATABASE OWNER MEMBER...: each uses what its owner's functions let it
  local database=$1
  let_variables common "$1"
  cat <<'SQL'
SELECT format('CREATE ROLE %I NOLOGIN', :'common')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'common') \gexec
SQL
  make_database "$1" "$2" "$1"
  cat <<'SQL'
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT USAGE ON SCHEMAS TO :"common";
SQL
  shift 2
  for role in "$@"; do
    let_variables role "$role"
    echo 'GRANT :"common" TO :"role" WITH INHERIT TRUE;'
  done
}

plan() {
  cat <<'SQL'
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
SQL
  # Registry makes and reads keys, payments reads them, the eraser destroys them; tables say so.
  make_role pkh_keys_owner 8
  make_role pkh_eraser 24
  limit_files pkh_eraser
  # begin roles
  make_service registry
  make_relay registry
  make_service conditionality
  make_relay conditionality
  make_service payments
  make_relay payments
  make_service projection
  make_reader projection pkh_projection_reader 24
  make_reader projection pkh_grafana 8
  make_service p2k2
  make_relay p2k2
  make_service complaints
  make_relay complaints
  make_database pkh_keys pkh_keys_owner pkh_registry pkh_conditionality pkh_payments pkh_p2k2 pkh_complaints pkh_eraser
  # end roles
}

also() {
  local line
  while read -ra line; do
    [[ ${#line[@]} == 0 ]] || "${line[@]}"
  done <<<"${ALSO:-}"
}

# Not in a pipe: psql would have begun before a password is missed.
script=$(plan && also)
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres <<<"$script"
