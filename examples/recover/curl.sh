#!/bin/sh
# Calls the API with curl. After a claims challenge it shows the claims, lets the user satisfy them
# in any browser (device code), and calls again. Needs curl, sed and base64.
#
#   TOKEN='eyJ...' CLIENT_ID='...' SCOPE='api://.../Orders.Read' \
#   AUTHORITY='https://login.microsoftonline.com/<tenant>' \
#   sh curl.sh https://api.contoso.com/me [more of curl's options]
set -eu

headers=$(mktemp)
trap 'rm -f "$headers"' EXIT

# The token goes through a pipe: arguments can be read by every user of the machine.
call() {
  printf 'Authorization: Bearer %s' "$TOKEN" |
    curl --silent --show-error --dump-header "$headers" --header @- "$@"
}

read_claims() {
  grep -i '^www-authenticate: bearer' "$headers" | sed -n 's/.*[ ,]claims="\([^"]*\)".*/\1/p' | base64 -d
}

ask_entra() {
  endpoint=$1
  shift
  curl --silent --show-error --data-urlencode "client_id=$CLIENT_ID" "$@" "$AUTHORITY/oauth2/v2.0/$endpoint"
}

member() {
  sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

body=$(call "$@")
claims=$(read_claims || true)
if [ -z "$claims" ]; then
  printf '%s\n' "$body"
  exit
fi
echo "the API wants a token with these claims: $claims" >&2
[ -n "${CLIENT_ID:-}" ] || exit 1

flow=$(ask_entra devicecode --data-urlencode "scope=$SCOPE" --data-urlencode "claims=$claims")
echo "open $(printf %s "$flow" | member verification_uri) and enter $(printf %s "$flow" | member user_code)" >&2
error=authorization_pending
while [ "$error" = authorization_pending ]; do
  sleep "$(printf %s "$flow" | member interval)"
  answer=$(ask_entra token --data-urlencode 'grant_type=urn:ietf:params:oauth:grant-type:device_code' \
    --data-urlencode "device_code=$(printf %s "$flow" | member device_code)")
  error=$(printf %s "$answer" | member error)
done
TOKEN=$(printf %s "$answer" | member access_token)
[ -n "$TOKEN" ] || { echo "Entra refused: $error" >&2; exit 1; }
call "$@"
